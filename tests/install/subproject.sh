#!/usr/bin/env bash
# subproject.sh: Fovea as a part of another project, by add_subdirectory: the libraries alone, without what only the
# command and the tests need.
set -euo pipefail
# shellcheck source=tests/install/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=tests/install/consumers.sh
. "$here/consumers.sh"
need ninja c++ ldd
build=$scratch/build

quietly cmake -G Ninja -S "$here/subproject" -B "$build" -DFOVEA="$(realpath -- "$here/../..")" -DCMAKE_BUILD_TYPE=Debug
! grep -iE '^[^/#]*(cairo|stb_|cmocka)' "$build/CMakeCache.txt" || fail "the library alone looks for these"
targets=$(cmake --build "$build" --target help)
! grep -E '^(fovea|fovea_tools|sample_.*|test_.*): ' <<<"$targets" || fail "the library alone is not alone"
quietly cmake --build "$build"
for program in c cpp; do
  uses "$build/fovea/libfovea.so" "$build/${program}_shared"
  stands_alone "$build/${program}_static"
  runs "$build/${program}_shared"
  runs "$build/${program}_static"
done
printf '%d programs say: %s\n' ${#said[@]} "${said[0]}"
