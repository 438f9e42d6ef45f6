# shellcheck shell=bash
# Sourced by the checks of this folder, which then run at the top of the project: what they share.

hygiene=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
root=$(cd -- "$hygiene/../.." && pwd -P)
cd -- "$root" || exit
jobs=${HYGIENE_JOBS:-1} # in the suite each has one processor, and other tests the rest
export jobs

skip() {
  printf 'skipped: %s\n' "$1"
  exit 77 # ctest's SKIP_RETURN_CODE
}

need() {
  local tool
  for tool; do
    command -v "$tool" >/dev/null || skip "$tool is not installed"
  done
}

# find_files FOLDER... -- PATTERN...: the files of these names, each ended by a NUL.
find_files() {
  local folders=() names=()
  while [ "$1" != -- ]; do
    folders+=("$1")
    shift
  done
  shift
  names=(-name "$1")
  shift
  for pattern; do names+=(-o -name "$pattern"); done
  find "${folders[@]}" -type f \( "${names[@]}" \) -print0 | sort -z
}

# drawn FILE EVERY: whether it is in a sample of one in EVERY, by the checksum of its text: a change draws it anew.
drawn() {
  local sum
  sum=$(cksum <"$1")
  [ $((${sum%% *} % $2)) -eq 0 ]
}

# report TITLE COUNT FILE: fails with the lines of FILE, the findings, if there are any. COUNT is what was looked at.
report() {
  if [ "$2" -eq 0 ]; then
    printf '%s: nothing to check\n' "$1"
    exit 1
  fi
  if [ -s "$3" ]; then
    cat -- "$3"
    printf '%s: findings in %d checked\n' "$1" "$2"
    exit 1
  fi
  printf '%s: %d checked, no findings\n' "$1" "$2"
}
