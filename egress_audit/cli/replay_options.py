"""The options of `replay`, and what cannot be meant by them together."""

from collections.abc import Callable, Sequence
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from egress_audit.cli.gathering import Gathered
from egress_audit.cli.output import refuse_overwriting
from egress_audit.cli.report_options import lists_option, refuse_sharing
from egress_audit.cli.stated_versions import version_of_option
from egress_audit.paths import is_folder, is_ordinary_file, led_to
from egress_audit.values import dataclass

if TYPE_CHECKING:
    from egress_audit.model.versions import ProductVersion

ASSERTIONS = "whole-run, no-drops, single-host, exercised, all-interfaces, unfiltered"
SAVE_IT = "save it to a file first"

Command = TypeVar("Command", bound=Callable[..., object])

local_option = click.option(
    "--local",
    metavar="PREFIX",
    multiple=True,
    help="An address or prefix of the audited host; repeatable. Guessed if not given.",
)

_OPTIONS = (
    click.option(
        "--merge", is_flag=True, help="Judge all captures as one, in time order: rotated files."
    ),
    click.option(
        "--jobs",
        metavar="N",
        type=click.IntRange(1, 256),
        help="Processes for several captures; as many as are worth it, up to 4, if not given.",
    ),
    click.option(
        "--flows-dir",
        metavar="DIR",
        help="Write the flows of each capture into this folder, as NAME.jsonl.",
    ),
    click.option("--frames", metavar="OUT.pcapng", help="Write the frames that the findings cite."),
    click.option(
        "--names",
        metavar="FILE.csv",
        help="Names and roles of addresses (address,name,role): labels in the report, no evidence.",
    ),
    lists_option,
    click.option(
        "--assert",
        "assertions",
        metavar="WORDS",
        multiple=True,
        help=f"State what the capture cannot say: {ASSERTIONS}, or all; with commas or repeated.",
    ),
    click.option("--asserted-by", metavar="WHO", help="Who answers for the assertions."),
    click.option("--asserted-on", metavar="WHEN", help="When they were made."),
    click.option("--because", metavar="WHY", help="Why they are true."),
    click.option(
        "--no-hash",
        is_flag=True,
        help="Leave out the sha256 of the captures: faster, and nothing ties the report to them.",
    ),
    version_of_option,
    local_option,
)


def replay_options(command: Command) -> Command:
    """Adds the options that `replay` alone has."""
    return reduce(lambda made, option: option(made), reversed(_OPTIONS), command)


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """What a person asked `replay` for."""

    files: tuple[str, ...]
    profile: str
    form: str
    output: str | None
    flows: str | None
    catalogue: tuple[str, ...]
    merge: bool
    jobs: int | None
    flows_dir: str | None
    frames: str | None
    names: str | None
    lists: tuple[str, ...]
    assertions: tuple[str, ...]
    asserted_by: str | None
    asserted_on: str | None
    because: str | None
    no_hash: bool
    stated_versions: "tuple[ProductVersion, ...]"
    local: tuple[str, ...]

    def asserted_words(self) -> tuple[str, ...]:
        """The words of --assert, one by one. Raises UsageError if there are none where some must
        be."""
        if (self.asserted_by or self.asserted_on or self.because) and not self.assertions:
            raise click.UsageError("who, when and why are said of assertions: add --assert")
        words = [word for given in self.assertions for word in given.replace(",", " ").split()]
        if self.assertions and not words:
            raise click.UsageError("--assert names no assertion")
        return tuple(words)


def refuse_what_cannot_be_meant(options: ReplayOptions, found: Gathered) -> None:
    """Refuses options that contradict each other or the captures, and what would change those.

    Raises UsageError.
    """
    _refuse_for_several(options, found.several and not options.merge)
    if options.merge and options.flows_dir is not None:
        raise click.UsageError("merged captures have one set of flows: use --flows OUT.jsonl")
    if options.flows is not None and options.flows_dir is not None:
        raise click.UsageError("--flows and --flows-dir are one or the other")
    if options.frames is not None:
        _refuse_unrepeatable(options.frames, found.paths)
    if options.no_hash:
        _refuse_unhashed(options, found.paths)
    read = [*found.paths, options.profile, *options.lists, *options.catalogue]
    read += filter(None, [options.names])
    written = (options.output, options.flows, options.frames)
    refuse_overwriting(written, read)
    for path in found.paths:
        refuse_changing(path, (*written, options.flows_dir))
    refuse_sharing(options.output, options.flows)


def _refuse_for_several(options: ReplayOptions, several: bool) -> None:
    """Refuses what only one report can have. Raises UsageError."""
    if several and options.flows is not None:
        raise click.UsageError("several captures: use --flows-dir DIR, or --merge")
    if several and options.frames is not None:
        raise click.UsageError("several captures: --frames needs --merge, or one capture")
    if not several and options.jobs is not None:
        raise click.UsageError("--jobs is for several captures, each judged alone")


def _refuse_unrepeatable(frames: str, paths: Sequence[str]) -> None:
    """Refuses to extract frames of what can be read but once. Raises UsageError."""
    if frames == "-":
        raise click.UsageError("--frames needs a file of its own")
    for path in paths:
        if path == "-" or not (is_folder(path) or is_ordinary_file(path)):
            name = "standard input" if path == "-" else path
            raise click.UsageError(f"--frames reads {name} a second time: {SAVE_IT}")


def _refuse_unhashed(options: ReplayOptions, paths: Sequence[str]) -> None:
    """Refuses to leave out hashes that something else needs. Raises UsageError."""
    from egress_audit.cli.gathering import is_bundle

    if options.assertions:
        raise click.UsageError("an assertion speaks of a capture by its sha256: no --no-hash")
    if options.frames is not None:
        what = "--frames needs the sha256 to know that it reads the same capture again"
        raise click.UsageError(f"{what}: no --no-hash")
    for path in paths:
        if path != "-" and is_folder(path) and is_bundle(Path(path)):
            raise click.UsageError(f"{path} is a bundle, which is always hashed: no --no-hash")


def refuse_changing(bundle: str, outputs: Sequence[str | None]) -> None:
    """Refuses to write into the bundle that is judged. Raises UsageError."""
    from egress_audit.cli.gathering import is_bundle

    if bundle == "-" or not is_folder(bundle) or not is_bundle(Path(bundle)):
        return
    folder = led_to(bundle)
    for path in outputs:
        if path not in (None, "-"):
            place = led_to(path)
            if folder in (place, *place.parents):
                what = f"{path} lies in the bundle, which would not be as it was made"
                raise click.UsageError(what)


def is_of_bundle(path: str) -> bool:
    """True for the capture inside a bundle, which means little without the rest."""
    folder = Path(path).parent
    return Path(path).name == "capture.pcapng" and is_ordinary_file(folder / "events.jsonl")
