#!/usr/bin/env bash
# coverage.sh [BUILD_DIR] [--html FILE] [--cache DIR]: line coverage of src/ by the test suite, a table a file; fails
# below 95%. DIR has kernels that other tests have compiled; without it the build has its own.
#
# Builds with gcc's --coverage in BUILD_DIR (build-coverage/ here without it), runs the tests of the layers there (not
# those that run tools on the sources, nor those that repeat others on another path), and lets gcovr add up. The fault
# tests count: their processes end by themselves and write their counts. Exit status 77: something that it needs is not
# installed.
set -euo pipefail

readonly least=95
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd -P)
build=$root/build-coverage
html=
kernels=()
while [ $# -gt 0 ]; do
  case $1 in
    --html) html=${2:?coverage: --html needs a FILE} && shift ;;
    --cache) kernels=(-DFOVEA_TEST_CACHE="${2:?coverage: --cache needs a DIR}") && shift ;;
    -*)
      printf 'coverage: unknown option %s; usage: coverage.sh [BUILD_DIR] [--html FILE] [--cache DIR]\n' "$1" >&2
      exit 2
      ;;
    *) build=$1 ;;
  esac
  shift
done

for tool in gcc gcov gcovr ninja cmake ctest; do
  if ! command -v "$tool" >/dev/null; then
    printf 'coverage: skipped: %s is not installed (apt install gcovr gcc ninja-build cmake)\n' "$tool"
    exit 77
  fi
done

# Whole folders of tests, those of the layers of src/; not the second run of a test by a GPU's path, whose host code is
# the same. Of the command's own tests (tools/) only that of the self-test, src/check.
readonly tests='^(base|runtime|graph|plan|data|net|op|ref_check|stats|model|check|faults)/|^tools/check$'
readonly repeated='_gpu_(path|sample|optimized)$|/plain_c$|^faults/command$'

quietly() { # LOG COMMAND...: its output only if it fails
  local log=$1
  shift
  if ! "$@" >"$log" 2>&1; then
    tail -n 60 -- "$log" >&2
    printf 'coverage: failed: %s\n' "$*" >&2
    return 1
  fi
}

mkdir -p -- "$build"
build=$(cd -- "$build" && pwd -P)
quietly "$build/coverage.log" cmake -S "$root" -B "$build" -G Ninja -DCMAKE_C_COMPILER=gcc -DCMAKE_BUILD_TYPE=None \
  -DCMAKE_C_FLAGS='-O2 --coverage' -DFOVEA_SANITIZE=OFF "${kernels[@]}"
quietly "$build/coverage.log" cmake --build "$build" --parallel "$(nproc)"
# Counts of an earlier run, and what CMake compiled to know the compiler.
find "$build" \( -name '*.gcda' -o -path '*/CompilerId*' -name '*.gcno' \) -delete
status=0
quietly "$build/coverage.log" ctest --test-dir "$build" -j "$(nproc)" --output-on-failure --timeout 900 \
  -R "$tests" -E "$repeated" || status=1 # the table is printed all the same

[ -z "$html" ] || html=$(realpath -- "$html")
cd -- "$root" # the filter is a pattern, relative to here: the path up to here may have signs that mean something in one
report=(gcovr --root . --object-directory "$build" --filter 'src/' --gcov-executable gcov)
[ -z "$html" ] || report+=(--html-details "$html")
"${report[@]}" --print-summary --fail-under-line "$least" "$build" || status=1
[ "$status" -ne 0 ] || printf 'coverage: at least %d%% of the lines of src/ are run\n' "$least"
exit "$status"
