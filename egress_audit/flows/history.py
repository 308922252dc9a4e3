"""Histories of flows as numbers: each distinct history is one string, kept once.

A letter stands at most once for each direction, so a flow has at most 17 letters and the number of
histories stays small however many flows there are.
"""


class Histories:
    """Numbers histories; 0 is the empty one, 1 is `^`."""

    def __init__(self) -> None:
        self.text = ["", "^"]
        self._number = {"": 0, "^": 1}

    def extended(self, history: int, letter: str) -> int:
        """Number of `history` with `letter` behind it, or of itself if it has that letter."""
        text = self.text[history]
        if not letter or letter in text:
            return history
        text += letter
        number = self._number.get(text)
        if number is None:
            number = self._number[text] = len(self.text)
            self.text.append(text)
        return number
