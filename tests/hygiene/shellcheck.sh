#!/usr/bin/env bash
# The scripts, shellchecked: all files that end in .sh or .bash, and those that begin with #! and name bash or sh.
set -euo pipefail
# shellcheck source=tests/hygiene/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

need shellcheck
mapfile -d '' -t files < <(find_files samples tests tools -- '*.sh' '*.bash')
while IFS= read -r -d '' file; do
  if head -n 1 -- "$file" | grep -qaE '^#!.*\b(ba)?sh\b'; then files+=("$file"); fi
done < <(find .ci .cmake cl samples tests tools -type f ! -name '*.*' -print0)
findings=$(mktemp)
trap 'rm -f -- "$findings"' EXIT
shellcheck --external-sources --source-path="$root" "${files[@]}" >"$findings" 2>&1 || true
report shellcheck "${#files[@]}" "$findings"
