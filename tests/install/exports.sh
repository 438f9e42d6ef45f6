#!/usr/bin/env bash
# exports.sh LIBRARY.so COMPILER: the shared library exports the functions that the public headers declare, and nothing
# else; fovea.h includes all of them; the SONAME has the major version.
set -euo pipefail
# shellcheck source=tests/install/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
library=$1 compiler=$2 include=$here/../../include
need nm readelf "$compiler"

for header in "$include"/fovea/*.h; do printf '#include "fovea/%s"\n' "$(basename -- "$header")"; done >"$scratch/all.c"
printf '#include "fovea/fovea.h"\n' >"$scratch/umbrella.c"
for unit in all umbrella; do
  # A pointer to a function has its name before a ')', and what it returns before a '(*'.
  "$compiler" -std=c11 -E -P -I"$include" "$scratch/$unit.c" | grep -oE '\<fovea_[a-z0-9_]+ *\(([^*]|$)' |
    sed 's/ *(.*//' | sort -u >"$scratch/$unit"
done
nm --dynamic --defined-only --format=posix -- "$library" | awk '{ print $1 }' | sort -u >"$scratch/exported"

# same FILE FILE WHAT: equal lists.
same() { diff -- "$scratch/$1" "$scratch/$2" || fail "$3"; }
same all umbrella 'fovea.h (>) does not include every public header (<)'
same all exported 'declared (<) and exported (>) are not the same: see FOVEA_API'
[ "$(wc -l <"$scratch/all")" -gt 60 ] || fail "too few functions were found"

major=$(sed -nE 's/^#define FOVEA_VERSION_MAJOR ([0-9]+)/\1/p' "$include/fovea/fovea.h")
readelf -d -- "$library" | grep -qF "soname: [libfovea.so.$major]" || fail "the SONAME is not libfovea.so.$major"
printf '%d functions, declared and exported\n' "$(wc -l <"$scratch/all")"
