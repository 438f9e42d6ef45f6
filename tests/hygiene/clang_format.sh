#!/usr/bin/env bash
# Every C and OpenCL file is as clang-format leaves it.
set -euo pipefail
# shellcheck source=tests/hygiene/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

need clang-format
version=$(clang-format --version | grep -oE 'version [0-9]+')
[ "$version" = 'version 14' ] || skip "clang-format 14 decides, and this is $version"
mapfile -d '' -t files < <(find_files src include tools samples tests cl -- '*.c' '*.h' '*.cl' '*.clh')
findings=$(mktemp)
trap 'rm -f -- "$findings"' EXIT
clang-format --dry-run -Werror "${files[@]}" >"$findings" 2>&1 || true
report clang-format "${#files[@]}" "$findings"
