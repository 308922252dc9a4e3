"""`egress-audit explain`: show single frames to a person."""

import re

import click

from egress_audit.cli.output import deliver, refuse_overwriting, refuse_terminal
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


@click.command()
@click.argument("file")
@click.argument("frames", nargs=-1, required=True, metavar="FRAME...")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@click.option("-o", "--output", metavar="OUT", help="Write to this file.")
@click.option(
    "--local", metavar="PREFIX", multiple=True, help="An address or prefix of the audited host."
)
def explain(
    file: str, frames: tuple[str, ...], form: str, output: str | None, local: tuple[str, ...]
) -> int:
    """Show frames of the capture FILE, dissected, with the flow and names they belong to.

    FRAME is a number as Wireshark counts, a range (7-9), or several with commas.
    """
    from egress_audit.api import explain_frames
    from egress_audit.report.explanation import explanation_json, explanation_text

    numbers = frame_numbers(frames)
    refuse_terminal(file)
    refuse_overwriting((output,), (file,))
    explained = explain_frames(file, numbers, local=own_prefixes(local))
    render = {"text": explanation_text, "json": explanation_json}[form]
    deliver(render(explained), output)
    return 0
