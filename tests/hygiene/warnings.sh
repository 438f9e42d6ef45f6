#!/usr/bin/env bash
# warnings.sh COMPILER BUILD NESTED: no file of BUILD gives COMPILER a warning. gcc has some from the optimizer's flow, so it
# has to compile: BUILD has already shown them where gcc made all of it with -Werror, as for tests/run.sh; else it is
# done again in the folder NESTED. clang's need no code, so it only reads.
set -euo pipefail
# shellcheck source=tests/hygiene/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
compiler=$1 build=$2 nested=$3

need "$compiler" ninja

# Whether all of BUILD is compiled, with optimization, and every warning would have been an error.
has_shown_them() {
  local used
  used=$(sed -n 's/^CMAKE_C_COMPILER:[A-Z]*=//p' "$build/CMakeCache.txt")
  "$used" --version | grep -q 'Free Software Foundation' || return
  for setting in FOVEA_WERROR:BOOL=ON CMAKE_BUILD_TYPE:STRING=Release CMAKE_C_FLAGS:STRING=; do
    grep -qxF "$setting" "$build/CMakeCache.txt" || return
  done
  cmake --build "$build" | tail -n 1 | grep -q 'no work to do'
}

compile_again() {
  CC=$compiler cmake -C .cmake/debug.cmake -S . -B "$nested" -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_C_COMPILER="$compiler" >/dev/null
  cmake --build "$nested" --parallel "$(nproc)" -- -k 0 | grep -v '^\[' || [ "${PIPESTATUS[0]}" -eq 0 ]
}

# The arguments of each compilation, quoted for a shell: without the compiler and its output, and each once.
compilations() {
  sed -nE 's/^ *"command": "(.*)",?$/\1/p' "$build/compile_commands.json" |
    sed -E 's/\\(["\\])/\1/g; s/^[^ ]+ //; s/ -o [^ ]+ -c / /' | sort -u
}

read_only() {
  local findings
  findings=$(mktemp)
  # shellcheck disable=SC2016 # $0 and $1 are the inner shell's
  compilations | xargs -d '\n' -n 1 bash -c 'eval "$0 $1 -Werror -fsyntax-only"' "$compiler" 2>"$findings" || true
  report "$compiler" "$(compilations | wc -l)" "$findings"
  rm -f -- "$findings"
}

case $compiler in
  clang*) read_only ;;
  *) has_shown_them || compile_again ;;
esac
printf '%s: no warnings\n' "$compiler"
