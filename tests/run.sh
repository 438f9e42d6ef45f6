#!/usr/bin/env bash
# Installs what is missing, builds everything and runs the tests but for the long ones, which tests/all.sh runs, too;
# arguments go to ctest instead (./tests/run.sh -R op/). The exit status is ctest's.
set -euo pipefail

# shellcheck source=samples/setup.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../samples/setup.sh"

fovea_setup_test_tools
fovea_setup all
[ $# -gt 0 ] || set -- --label-exclude '^long$'
exec ctest --test-dir "$fovea_build_dir" --output-on-failure -j 2 "$@"
