#!/usr/bin/env bash
# All that there is to test: the whole suite with its long tests, then every mutation of the code, each of which a test
# must notice. It takes an hour or two on 2 cores; run it before a release.
set -euo pipefail
here=$(dirname -- "${BASH_SOURCE[0]}")
"$here/run.sh" --exclude-regex '^$' # arguments of its own: nothing is left out
exec python3 "$here/mutate/mutate.py" --named --jobs 2
