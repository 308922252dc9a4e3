"""Compiles the hot path into the package where there is a C compiler; without one nothing changes.

Called by hatchling for wheels and editable installs. Whatever goes wrong here costs speed and
nothing else: `egress_audit` reads captures with numpy where the library is missing.
"""

import os
import runpy
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parent
# The package itself may not be importable yet: its dependencies come later.
SOURCES = runpy.run_path(str(ROOT / "egress_audit" / "compiled" / "sources.py"))
LIBRARY = Path(SOURCES["LIBRARY"])
FLAGS = (
    *("-std=c11", "-O3", "-fPIC", "-shared", "-fvisibility=hidden"),
    *("-fstack-protector-strong", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2"),
    *("-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wvla"),
    *("-Werror=implicit-function-declaration", "-Werror=incompatible-pointer-types"),
    "-Werror=return-type",
)
"""Nothing of the machine at hand: a wheel runs on others too. -O2 leaves out of line what is called
for every record, and the walk over them took a third longer."""
LONGEST_S = 120


class NotCompiled(Exception):
    """There is no library; says why in one line."""


def compile_hot_path(more: Sequence[str] = (), library: Path = LIBRARY) -> None:
    """Compiles the library anew. Raises NotCompiled, and then there is none.

    more: flags after those of every build.
    """
    library.unlink(missing_ok=True)
    compiler = shlex.split(os.environ.get("CC") or "cc")
    if shutil.which(compiler[0]) is None:
        raise NotCompiled("no C compiler was found")
    mark = f'-DSOURCES_MARK="{SOURCES["mark_of_sources"]()}"'
    files = [str(path) for path in SOURCES["sources"]() if path.suffix == ".c"]
    made = library.with_suffix(f".{os.getpid()}.so")
    command = [*compiler, *FLAGS, *more, mark, "-o", str(made), *files]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_S)
        if done.returncode:
            said = (done.stderr.strip() or f"it left with {done.returncode}").splitlines()
            raise NotCompiled(f"the C compiler failed: {said[0]}")
        # A library in use is replaced, and never written to.
        made.replace(library)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotCompiled(f"the C compiler could not be run: {error}") from error
    finally:
        made.unlink(missing_ok=True)


class CompiledHotPath(BuildHookInterface):  # type: ignore[type-arg]
    """The hook."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compiles the library, and makes it part of what is built."""
        try:
            compile_hot_path()
        except NotCompiled as why:
            self.app.display_warning(f"egress-audit: not compiled, {why}; numpy reads captures")
            return
        build_data["artifacts"].append(LIBRARY.relative_to(ROOT).as_posix())
        # What is built belongs to this platform from now on.
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
