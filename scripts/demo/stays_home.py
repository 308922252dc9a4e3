"""A language model of the smallest kind: it learns which word follows which, and writes a line.

It reads its weights from a file, serves nothing, asks nobody. Needs Python and nothing else.
"""

import itertools
import random
import sys
from pathlib import Path

WEIGHTS = Path(__file__).with_name("tiny-words.bin")


def load(path: Path) -> dict[str, list[str]]:
    """Word → the words that were seen behind it."""
    follows: dict[str, list[str]] = {}
    words = path.read_text(encoding="utf-8").split()
    for word, after in itertools.pairwise(words):
        follows.setdefault(word, []).append(after)
    return follows


def generate(follows: dict[str, list[str]], word: str, length: int = 12) -> str:
    """A line that begins with `word`."""
    choose = random.Random(7)
    line = [word]
    for _ in range(length):
        word = choose.choice(follows.get(word, [*follows]))
        line.append(word)
    return " ".join(line)


def main(prompt: str = "the") -> None:
    """Loads the weights and writes one line."""
    print(f"model: {generate(load(WEIGHTS), prompt)}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:2])
