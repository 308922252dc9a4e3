#!/bin/sh
# Builds the compiled hot path with the sanitizers of the compiler, for addresses and for undefined
# behaviour, and runs everything that compares it with numpy. What they find ends the run.
# Usage: sanitize.sh [MUTANTS]. Called by the Makefile; needs gcc or clang and their runtimes.
set -eu

cd "$(dirname "$0")/.."
mutants=${1:-300}
python=$PWD/.venv/bin/python
compiler=${CC:-cc}

# In a copy: a program that is not started as below cannot load such a library.
copy=build/sanitize
rm -rf "$copy"
mkdir -p "$copy"
cp -R egress_audit tests fuzz captures profiles docs pyproject.toml hatch_build.py "$copy"
cd "$copy"
PYTHONPATH=$PWD
export PYTHONPATH

"$python" - -g -O1 -fno-omit-frame-pointer -fsanitize=address,undefined \
    -fno-sanitize-recover=all <<'END'
import runpy
import sys

runpy.run_path("hatch_build.py")["compile_hot_path"](sys.argv[1:])
END

# The interpreter has no sanitizer, so that the library's must be loaded before it. Python keeps
# what it has allocated when it leaves, which is no leak of ours; and its own allocator would hide
# from the sanitizer where small objects end.
LD_PRELOAD=$($compiler -print-file-name=libasan.so):$($compiler -print-file-name=libubsan.so)
ASAN_OPTIONS=detect_leaks=0:abort_on_error=1:allocator_may_return_null=1
UBSAN_OPTIONS=print_stacktrace=1
PYTHONMALLOC=malloc
OPENBLAS_NUM_THREADS=1
export LD_PRELOAD ASAN_OPTIONS UBSAN_OPTIONS PYTHONMALLOC OPENBLAS_NUM_THREADS

"$python" -c 'from egress_audit.compiled import library; assert library.is_in_use()'
"$python" -m pytest -q -p no:cacheprovider tests/compiled tests/test_both_engines.py \
    tests/capture/test_block_runs.py tests/capture/test_pcap.py tests/capture/test_pcapng.py \
    tests/decode/test_outermost.py tests/decode/test_packets.py tests/decode/test_duplicates.py \
    tests/decode/test_tunnels.py tests/flows/test_sums.py tests/flows/test_keys.py \
    tests/flows/test_gaps.py tests/flows/test_tcp_events.py tests/flows/test_table.py \
    tests/flows/test_datagrams.py tests/flows/test_segments.py tests/flows/test_origins.py \
    tests/flows/test_second_readings.py tests/flows/test_heads.py tests/flows/test_pairs.py \
    tests/names/test_whole_hellos.py tests/test_one_look.py
# The sanitizer reserves terabytes of address space, which the bound of the mutants would refuse.
mkdir captures/only
cp captures/*.pcap* captures/only
"$python" -m fuzz.mutants captures/only --count "$mutants" --memory 0
echo "egress-audit: the sanitizers found nothing"
