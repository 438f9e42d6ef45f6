#!/usr/bin/env bash
# cppcheck.sh BUILD: cppcheck over every file of the build, but for the exceptions in cppcheck.txt.
set -euo pipefail
# shellcheck source=tests/hygiene/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

need cppcheck
database=$1/compile_commands.json
[ -f "$database" ] || skip "this build has no compile_commands.json"
findings=$(mktemp)
trap 'rm -f -- "$findings"' EXIT
cppcheck -j "$jobs" --quiet --project="$database" --enable=warning,performance,portability,style \
  --suppressions-list="$hygiene/cppcheck.txt" --template='{file}:{line}: {severity}: {message} [{id}]' \
  >"$findings" 2>&1 || printf 'cppcheck: exit status %d\n' $? >>"$findings"
report cppcheck "$(grep -c '"file"' "$database")" "$findings"
