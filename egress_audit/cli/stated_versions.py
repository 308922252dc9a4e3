"""The option that states which version of a product ran."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from egress_audit.model.versions import ProductVersion

LONGEST = 100
"""Characters of a name, and of a version."""


def _stated(
    ctx: click.Context, param: click.Parameter, words: tuple[str, ...]
) -> "tuple[ProductVersion, ...]":
    """Callback of the option. Raises BadParameter for what is not NAME=VERSION."""
    from egress_audit.model.versions import ProductVersion, VersionHow

    stated = []
    for word in words:
        name, _, version = (part.strip() for part in word.partition("="))
        if not name or not version or max(len(name), len(version)) > LONGEST:
            raise click.BadParameter(f"{word!r} is not NAME=VERSION, as ollama=0.5.1", ctx, param)
        if not word.isprintable():
            raise click.BadParameter(f"{word!r} holds what nobody can see", ctx, param)
        stated.append(ProductVersion(name, version, VersionHow.STATED, source=""))
    return tuple(dict.fromkeys(stated))


version_of_option = click.option(
    "--version-of",
    "stated_versions",
    callback=_stated,
    metavar="NAME=VERSION",
    multiple=True,
    help="A version as you know it; it explains, and changes no verdict. Repeatable.",
)
