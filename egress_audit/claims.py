"""Profiles with the catalogue that their words are of: what every command that judges begins with.

The judge reads a profile and knows no catalogue; only here do the two meet.
"""

from collections.abc import Sequence
from pathlib import Path

from egress_audit.classify.catalogue_files import (
    catalogue_at,
    catalogue_of,
    packaged_catalogue,
)
from egress_audit.classify.resolvers import NOBODY
from egress_audit.endpoints import ReadCatalogue, endpoint_words
from egress_audit.errors import ListUnreadable, ProfileInvalid
from egress_audit.judge.phrases import either
from egress_audit.judge.profile import profile_names, read_profile
from egress_audit.judge.weaknesses import weaknesses
from egress_audit.model.claim import Claim
from egress_audit.model.profile import Profile, Weakness
from egress_audit.paths import is_folder, is_ordinary_file
from egress_audit.yaml_tree import yaml_files


def claim_of(profile: str | Claim, catalogue: ReadCatalogue = packaged_catalogue) -> Claim:
    """The claim of a profile, by name or path; one that was loaded already is itself.

    Raises ProfileInvalid, also for an endpoint that the catalogue lacks, and WrongUsage.
    """
    return profile if isinstance(profile, Claim) else profile_of(profile, catalogue).claim


def profile_of(name_or_path: str, catalogue: ReadCatalogue = packaged_catalogue) -> Profile:
    """A profile with the place of each of its settings, by name or path; raises as `claim_of`."""
    return read_profile(name_or_path, lambda: endpoint_words(catalogue()))


def profiles_at(name_or_path: str) -> tuple[str, ...]:
    """The name or path itself; of a folder the paths of the profiles in it, but for those in
    folders below, which others may extend. Raises ProfileInvalid for a folder without any."""
    if name_or_path in profile_names() or not is_folder(name_or_path):
        return (name_or_path,)
    return tuple(str(path) for path in yaml_files([Path(name_or_path)], ProfileInvalid))


def packaged_profiles() -> tuple[Profile, ...]:
    """Every profile that comes with the program, by name."""
    return tuple(profile_of(name) for name in profile_names())


def refuse_unknown_words(catalogue: Path) -> None:
    """Raises ListUnreadable if a profile that comes with the program names an endpoint that a newer
    catalogue lacks; nothing for a file that is not there."""
    if not is_ordinary_file(catalogue):
        return
    newer = catalogue_at(catalogue)
    for name in profile_names():
        try:
            profile_of(name, lambda: newer)
        except ProfileInvalid as error:
            raise ListUnreadable(
                f"does not fit the profile `{name}`: {error.what}",
                where=str(catalogue),
                hint="update egress-audit first; the lists in use were left as they are",
            ) from error


def weaknesses_of(profile: Profile) -> tuple[Weakness, ...]:
    """What makes a profile's HOLDS say less than a reader takes; none of it is an error."""
    return weaknesses(profile)


def vendors_of(profile: Profile, catalogue: ReadCatalogue = packaged_catalogue) -> dict[str, str]:
    """By host of its lists, as it stands there, who is there: `ByteDance (CN)`. Hosts that the
    catalogue does not know, or knows as anybody's alone, are left out."""
    keys = [profile.settings.get(key) for key in ("allow.hosts", "deny.hosts")]
    patterns = [pattern for setting in keys if setting is not None for pattern in setting.value]
    known = {pattern: catalogue().of_host(pattern.removeprefix("*.")) for pattern in patterns}
    told = {
        pattern: either(entry.vendor_and_law for entry in entries if entry.vendor != NOBODY)
        for pattern, entries in known.items()
    }
    return {pattern: vendors for pattern, vendors in told.items() if vendors}


def catalogue_with(files: Sequence[str] = ()) -> ReadCatalogue:
    """Gives the catalogue of endpoints that comes with the program, with the entries of YAML files
    or folders of the user's beside it.

    Theirs are read at once: raises CatalogueInvalid for what cannot be used.
    """
    if not files:
        return packaged_catalogue
    whole = catalogue_of(files)
    return lambda: whole
