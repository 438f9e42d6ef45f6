#!/usr/bin/env bash
# all.sh [--resume]: all that there is to test: the whole suite with its long tests, then every mutation of the code, each
# of which a test must notice. It takes some hours on 2 cores; run it before a release. With --resume what has
# passed already, of exactly these files, is left out.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
root=$here/.. passed=$here/../build/passed.txt # the hash of the files, "suite", and mutations that were noticed

[ $# -eq 0 ] || [ "$*" = --resume ] || { printf 'all.sh: usage: all.sh [--resume]\n' >&2 && exit 2; }
files=$(cd -- "$root" && find CMakeLists.txt cl include samples src tests tools -type f ! -name '*.pyc' -print0 |
  sort -z | xargs -0 sha256sum | sha256sum)
if [ $# -eq 0 ] || [ "$(head -n 1 -- "$passed" 2>/dev/null)" != "$files" ]; then
  mkdir -p -- "${passed%/*}"
  printf '%s\n' "$files" >"$passed"
fi
if ! grep -qx suite "$passed"; then
  # shellcheck source=samples/setup.sh
  (. "$root/samples/setup.sh" && fovea_setup_long_test_tools)
  "$here/run.sh" --exclude-regex '^$' # arguments of its own: nothing is left out
  printf 'suite\n' >>"$passed"
fi
exec python3 "$here/mutate/mutate.py" --named --jobs 2 --passed "$passed"
