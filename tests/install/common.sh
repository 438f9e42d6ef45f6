# shellcheck shell=bash
# Sourced by the tests of this folder: a folder of their own that goes with them, and what they say when they fail.
# shellcheck disable=SC2034 # here is used by those
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT

fail() {
  printf 'failed: %s\n' "$*" >&2
  exit 1
}

need() {
  local tool
  for tool; do
    if ! command -v "$tool" >/dev/null; then
      printf 'skipped: %s is not installed\n' "$tool"
      exit 77 # ctest's SKIP_RETURN_CODE
    fi
  done
}

# quietly COMMAND...: its output only if it fails.
quietly() {
  "$@" >"$scratch/output" 2>&1 || {
    cat -- "$scratch/output" >&2
    fail "$*"
  }
}

# refused PATTERN COMMAND...: the command fails, and its output has the pattern.
refused() {
  local pattern=$1
  shift
  ! "$@" >"$scratch/output" 2>&1 || fail "this was not refused: $*"
  tr '\n' ' ' <"$scratch/output" | tr -s ' ' | grep -q -- "$pattern" || {
    cat -- "$scratch/output" >&2
    fail "no '$pattern' in the output of $*"
  }
}

# uses LIBRARY PROGRAM: the program loads that file, links resolved.
uses() {
  local found
  found=$(ldd "$2" | sed -nE 's/.*libfovea\.so\.[0-9]+ => ([^ ]+) .*/\1/p')
  [ "$(realpath -- "${found:-nothing}")" = "$(realpath -- "$1")" ] || fail "$2 uses '$found', not $1"
}

# stands_alone PROGRAM: the library is in it.
stands_alone() {
  ! ldd "$1" | grep -q libfovea || fail "$1 uses a shared libfovea"
}
