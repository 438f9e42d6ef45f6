#!/usr/bin/env bash
# headers.sh EVERY INCLUDES: every header compiles alone. The public ones, with nothing but the standard, as C11 and as C++11,
# with gcc and with clang; those of src/ and tools/ as C11 (INCLUDES are -I flags for the libraries that they need),
# by clang one in EVERY of them, by their checksums.
set -euo pipefail
# shellcheck source=tests/hygiene/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

every=$1
shift
warnings=(-Wall -Wextra -Wconversion -Wshadow -Werror -fsyntax-only)
findings=$(mktemp)
unit=$(mktemp) # a unit must declare something, and a header of macros does not
trap 'rm -f -- "$findings" "$unit"' EXIT
printf 'extern int declared;\n' >"$unit"
count=0 used=()

# compile FILE COMPILER FLAG...: as a line of the findings if it fails. -include, since a header as the main file
# would be warned of its #pragma once.
compile() {
  local file=$1 compiler=$2
  shift 2
  count=$((count + 1))
  "$compiler" "$@" "${warnings[@]}" -include "$file" "$unit" >>"$findings" 2>&1 ||
    printf '%s does not compile alone: %s %s\n' "$file" "$compiler" "$*" >>"$findings"
}

for compiler in gcc clang; do
  command -v "$compiler" >/dev/null || continue
  used+=("$compiler")
  while IFS= read -r -d '' file; do
    compile "$file" "$compiler" -std=c11 -Wpedantic -x c -Iinclude
  done < <(find_files include -- '*.h')
  while IFS= read -r -d '' file; do
    [ "$compiler" = gcc ] || drawn "$file" "$every" || continue
    compile "$file" "$compiler" -std=c11 -x c -D_POSIX_C_SOURCE=200809L -DCL_TARGET_OPENCL_VERSION=120 \
      -Iinclude -Isrc -Itools "$@"
  done < <(find_files src tools -- '*.h')
done
for compiler in g++ clang++; do
  command -v "$compiler" >/dev/null || continue
  used+=("$compiler")
  while IFS= read -r -d '' file; do
    compile "$file" "$compiler" -std=c++11 -Wpedantic -x c++ -Iinclude
  done < <(find_files include -- '*.h')
done
printf 'compilers: %s\n' "${used[*]}"
[ ${#used[@]} -ge 2 ] || skip "there is neither gcc nor clang"
report headers "$count" "$findings"
