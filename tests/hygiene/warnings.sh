#!/usr/bin/env bash
# warnings.sh COMPILER BUILD TYPE: the whole tree, with every warning an error, in a build folder of its own. gcc's
# flow warnings need the optimizer, so it builds Release; clang's do not, so it builds Debug.
set -euo pipefail
# shellcheck source=tests/hygiene/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
compiler=$1 build=$2 type=$3

need "$compiler" ninja
export CC=$compiler
cmake -C .cmake/debug.cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE="$type" \
  -DCMAKE_C_COMPILER="$compiler" >/dev/null
cmake --build "$build" --parallel "$(nproc)" -- -k 0 | grep -v '^\[' || [ "${PIPESTATUS[0]}" -eq 0 ]
printf '%s: no warnings\n' "$compiler"
