#!/bin/sh
# Makes .venv, or leaves it if it is up to date. Usage: venv.sh run|test. Called by the Makefile.
# Everything comes from the hashed pins in requirements/. Of our own the hot path is compiled, where
# there is a C compiler; without one numpy does its work, and nothing is missing but time.
set -eu

cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-python3}
wanted=$1
venv=.venv
built="$venv/.built"         # which Python, and where: a moved folder has broken scripts
installed="$venv/.installed" # which set, from which pins and C sources, by which compiler

stop() {
    echo "egress-audit: $1" >&2
    exit 1
}

command -v "$PYTHON" >/dev/null 2>&1 ||
    stop "$PYTHON is missing; needs Python 3.11 or newer (Debian: apt install python3 python3-venv)"
"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    stop "$PYTHON is older than 3.11; name a newer one: make PYTHON=python3.12"
"$PYTHON" -c 'import ensurepip, venv' 2>/dev/null ||
    stop "$PYTHON has no venv module (Debian: apt install python3-venv)"

place="$("$PYTHON" -c 'import sys; print(sys.version_info[:2])') $PWD"
pins=$("$PYTHON" -c '
import hashlib, os, pathlib, shutil
files = ["pyproject.toml", "requirements/run.txt", "requirements/test.txt", "hatch_build.py"]
files += sorted(map(str, pathlib.Path("egress_audit/compiled").glob("*.[ch]")))
files.append("egress_audit/compiled/sources.py")
compiler = os.environ.get("CC") or "cc"
stamp = hashlib.sha256(f"{compiler} {shutil.which(compiler.split(maxsplit=1)[0])}".encode())
for name in files:
    stamp.update(pathlib.Path(name).read_bytes())
print(stamp.hexdigest())
')

if [ -e "$built" ] && [ "$(cat "$built")" != "$place" ]; then
    rm -rf "$venv"
fi
if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    rm -rf "$venv"
    echo "egress-audit: making $venv"
    "$PYTHON" -m venv "$venv"
fi
echo "$place" >"$built"

# The test set contains the run set.
case "$(cat "$installed" 2>/dev/null || true)" in
"$wanted $pins" | "test $pins") exit 0 ;;
esac

echo "egress-audit: installing requirements/$wanted.txt into $venv"
rm -f "$installed"
pip() { "$venv/bin/python" -m pip --disable-pip-version-check install -qq "$@"; }
pip --require-hashes --only-binary :all: -r "requirements/$wanted.txt" ||
    stop "could not install the pinned packages; the lines above say why"
pip --no-build-isolation --no-deps --no-index -e . ||
    stop "could not install egress-audit itself; the lines above say why"
echo "$wanted $pins" >"$installed"
[ -e egress_audit/compiled/hot_path.so ] ||
    echo "egress-audit: the hot path is not compiled (is there a C compiler?); numpy does its work"
