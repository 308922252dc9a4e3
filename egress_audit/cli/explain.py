"""`egress-audit explain`: show single frames to a person."""

import re
from collections.abc import Sequence

import click

from egress_audit.cli.gathering import gathered
from egress_audit.cli.output import deliver, refuse_overwriting, refuse_terminal, terminal_width
from egress_audit.cli.own_addresses import own_prefixes

MAX_FRAMES = 1000
NUMBERS = re.compile(r"([0-9]{1,18})(?:-([0-9]{1,18}))?")


def frame_numbers(words: tuple[str, ...]) -> list[int]:
    """The numbers that `7`, `7-9` and `1,4,9` name, in the order given, each once.

    Raises UsageError for words that name none, and for more than MAX_FRAMES numbers.
    """
    numbers: dict[int, None] = {}
    for word in ",".join(words).split(","):
        written = NUMBERS.fullmatch(word.strip())
        if not written:
            raise click.UsageError(f"{word!r} is no frame number: write 7, 7-9 or 1,4,9")
        start, end = int(written[1]), int(written[2] or written[1])
        if start < 1:
            raise click.UsageError(f"{word!r} names no frame: frames are numbered from 1")
        if end < start:
            raise click.UsageError(f"{word!r} runs backwards: write {end}-{start}")
        if end - start >= MAX_FRAMES or len(numbers) + end - start >= MAX_FRAMES:
            raise click.UsageError(f"at most {MAX_FRAMES} frames can be shown at once")
        numbers.update(dict.fromkeys(range(start, end + 1)))
    return list(numbers)


def files_and_frames(words: Sequence[str], merge: bool) -> tuple[list[str], list[str]]:
    """The captures and the frame numbers among the words: one capture first, then all the numbers;
    with --merge as many captures as stand before the last numbers.

    Raises UsageError if there is no capture or no number.
    """
    split = min(1, len(words))
    if merge:
        split = len(words)
        while split and all(
            NUMBERS.fullmatch(part.strip()) for part in words[split - 1].split(",")
        ):
            split -= 1
    if not split or split == len(words):
        raise click.UsageError("name a capture and, behind it, at least one frame")
    return list(words[:split]), list(words[split:])


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="FILE FRAME...")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@click.option("-o", "--output", metavar="OUT", help="Write to this file.")
@click.option(
    "--local", metavar="PREFIX", multiple=True, help="An address or prefix of the audited host."
)
@click.option(
    "--merge", is_flag=True, help="Several captures before the frames: as one, in time order."
)
def explain(
    words: tuple[str, ...], form: str, output: str | None, local: tuple[str, ...], merge: bool
) -> int:
    """Show frames of the capture FILE, dissected, with the flow and names they belong to.

    FRAME is a number as Wireshark counts, a range (7-9), or several with commas. With --merge the
    numbers are those of all captures as one, as `replay --merge` reports them.
    """
    from egress_audit.api import explain_frames
    from egress_audit.report.explanation import explanation_json, explanation_text

    files, frames = files_and_frames(words, merge)
    numbers = frame_numbers(tuple(frames))
    for file in files:
        refuse_terminal(file)
    paths = gathered(files).paths if merge else files
    refuse_overwriting((output,), paths)
    explained = explain_frames(paths, numbers, local=own_prefixes(local))
    if form == "json":
        deliver(explanation_json(explained), output)
    else:
        deliver(explanation_text(explained, terminal_width(output)), output)
    return 0
