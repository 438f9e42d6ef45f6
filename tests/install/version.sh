#!/usr/bin/env bash
# version.sh COMMAND: the command says the header's version; CMake refuses a header that contradicts itself.
set -euo pipefail
# shellcheck source=tests/install/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
top=$here/../..

version=$(sed -nE 's/^#define FOVEA_VERSION "(.*)"/\1/p' "$top/include/fovea/fovea.h")
said=$("$1" --version)
[ "${said%%$'\n'*}" = "fovea $version" ] || fail "the command does not say fovea $version"
# Each optional part is in one of two lines.
for part in 'ONNX export' MPI WebP; do
  [ "$(grep -cE "^built with(out)?: (.*, )?$part(, .*)?\$" <<<"$said")" = 1 ] ||
    fail "the command does not say whether it was built with $part, but: $said"
done

mkdir -p -- "$scratch/top/include/fovea"
cp -- "$top/CMakeLists.txt" "$scratch/top/"
sed 's/^#define FOVEA_VERSION ".*"/#define FOVEA_VERSION "99.0.0"/' "$top/include/fovea/fovea.h" \
  >"$scratch/top/include/fovea/fovea.h"
refused "FOVEA_VERSION is not $version" cmake -S "$scratch/top" -B "$scratch/build"
printf 'fovea %s\n' "$version"
