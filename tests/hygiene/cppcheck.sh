#!/usr/bin/env bash
# cppcheck.sh BUILD [EVERY]: cppcheck over every file of the build once, but for the exceptions in cppcheck.txt. Not over the
# kernels' text as strings, kernels.c, which takes as long as all the rest, and what protobuf-c makes. EVERY 4: a
# quarter of the files, by the checksum of their text.
set -euo pipefail
# shellcheck source=tests/hygiene/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

need cppcheck
need python3
[ -f "$1/compile_commands.json" ] || skip "this build has no compile_commands.json"
findings=$(mktemp) database=$(mktemp --suffix=.json)
trap 'rm -f -- "$findings" "$database"' EXIT
python3 - "$1/compile_commands.json" "${2-1}" >"$database" <<'END'
import json, os, sys, zlib
every = int(sys.argv[2])
entries = {e["file"]: e for e in json.load(open(sys.argv[1]))
           if os.path.basename(e["file"]) != "kernels.c" and not e["file"].endswith(".pb-c.c")
           and zlib.crc32(open(e["file"], "rb").read()) % every == 0}
json.dump(list(entries.values()), sys.stdout, indent=1)
END
cppcheck -j "$jobs" --quiet --project="$database" --enable=warning,performance,portability,style \
  --suppressions-list="$hygiene/cppcheck.txt" --template='{file}:{line}: {severity}: {message} [{id}]' \
  >"$findings" 2>&1 || printf 'cppcheck: exit status %d\n' $? >>"$findings"
report cppcheck "$(grep -c '"file"' "$database")" "$findings"
