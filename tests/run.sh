#!/usr/bin/env bash
# Installs what is missing, builds everything and runs every test; arguments go to ctest (./tests/run.sh -R op/).
# The exit status is ctest's.
set -euo pipefail

# shellcheck source=samples/setup.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../samples/setup.sh"

fovea_setup_test_tools
fovea_setup all
exec ctest --test-dir "$fovea_build_dir" --output-on-failure -j 2 "$@"
