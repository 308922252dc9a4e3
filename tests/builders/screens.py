"""A terminal as text: what a person would see after bytes were written to it.

Knows just what our rows and a plain program use: printing, line ends, scrolling within margins,
moving and saving the cursor, clearing rows; colours are ignored, anything else is an error.
"""

import re

TOKENS = re.compile(r"\x1b\[([0-9;]*)([A-Za-z])|\x1b([78D])|([\r\n])|([^\x1b])")


class Screen:
    """Rows of characters, with a cursor and a region that scrolls."""

    def __init__(self, width: int, height: int) -> None:
        self.rows = [[" "] * width for _ in range(height)]
        self.row = self.column = 0
        self.top, self.bottom = 0, height - 1
        self._saved = (0, 0)

    def write(self, text: str) -> None:
        """Does what the text says."""
        end = 0
        for found in TOKENS.finditer(text):
            assert found.start() == end, f"not understood: {text[end : end + 20]!r}"
            end = found.end()
            numbers, letter, simple, line_end, character = found.groups()
            if letter:
                self._sequence([int(n) if n else 0 for n in numbers.split(";")], letter)
            elif simple == "7":
                self._saved = (self.row, self.column)
            elif simple == "8":
                self.row, self.column = self._saved
            elif simple == "D":
                self._down()
            elif line_end == "\n":
                self._down()
                self.column = 0
            elif line_end == "\r":
                self.column = 0
            else:
                self.rows[self.row][self.column] = character
                self.column += 1
        assert end == len(text), f"not understood: {text[end : end + 20]!r}"

    def lines(self) -> list[str]:
        """The rows without the blanks at their ends."""
        return ["".join(row).rstrip() for row in self.rows]

    def _down(self) -> None:
        if self.row == self.bottom:
            del self.rows[self.top]
            self.rows.insert(self.bottom, [" "] * len(self.rows[0]))
        else:
            self.row = min(self.row + 1, len(self.rows) - 1)

    def _sequence(self, numbers: list[int], letter: str) -> None:
        match letter:
            case "A":
                self.row = max(self.row - numbers[0], 0)
            case "H":
                self.row, self.column = numbers[0] - 1, numbers[1] - 1
            case "K":
                self.rows[self.row] = [" "] * len(self.rows[0])
            case "r":
                both = numbers if len(numbers) == 2 else [1, len(self.rows)]
                self.top, self.bottom = both[0] - 1, both[1] - 1
                self.row = self.column = 0
            case "m":
                pass
            case _:
                raise AssertionError(f"not understood: {letter}")
