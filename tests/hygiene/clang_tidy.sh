#!/usr/bin/env bash
# clang_tidy.sh BUILD [EVERY]: clang-tidy over src, tools, samples and tests, with the checks of .clang-tidy, but for the
# findings named in clang_tidy.txt. The analyzer takes nine tenths of the time, so all but src/ go without it. EVERY 8: a
# sample of an eighth of the files, by the checksum of their text, so that each change of a file draws it anew.
set -euo pipefail
# shellcheck source=tests/hygiene/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
build=$1 every=${2-1}

need clang-tidy
version=$(clang-tidy --version | grep -oE 'version [0-9]+')
[ "$version" = 'version 14' ] || skip "the exceptions are those of clang-tidy 14, and this is $version"
[ -f "$build/compile_commands.json" ] || skip "this build has no compile_commands.json"

# in_build FOLDER...: the files there that this build compiles, or a sample of them.
in_build() {
  find_files "$@" -- '*.c' | while IFS= read -r -d '' file; do
    if grep -qF "\"file\": \"$root/$file\"" "$build/compile_commands.json" && drawn "$file" "$every"; then
      printf '%s\0' "$file"
    fi
  done
}

# tidy OPTION...: the files that stand on its input, one a process.
tidy() {
  xargs -0 -r -P "$jobs" -n 1 clang-tidy -p "$build" --quiet "$@" 2>/dev/null || true
}

output=$(mktemp) findings=$(mktemp)
trap 'rm -f -- "$output" "$findings"' EXIT
{
  in_build src | grep -zvxF src/base/status.c |
    tidy --extra-arg=-I"$root/include" --extra-arg=-I"$root/src" --extra-arg=-include --extra-arg="$hygiene/analyzer.h"
  printf '%s\0' src/base/status.c | tidy
  in_build tools samples | tidy --checks='-clang-analyzer-*'
  in_build tests | tidy --checks='-clang-analyzer-*,-cert-env33-c' # system() and popen() start the command
} >"$output"

# Of each finding its first line, unless the exceptions name its file and its check.
grep -E '(warning|error): ' "$output" | sed "s|$root/||" | sort -u |
  awk -v exceptions="$hygiene/clang_tidy.txt" '
    BEGIN { while ((getline line < exceptions) > 0) if (line !~ /^(#|$)/) allowed[line] = 1 }
    { file = $0; sub(/:.*/, "", file); check = $NF; gsub(/[][]/, "", check); sub(/,.*/, "", check) }
    !((file " " check) in allowed)' >"$findings" || true
report clang-tidy "$(in_build src tools samples tests | tr -cd '\0' | wc -c)" "$findings"
