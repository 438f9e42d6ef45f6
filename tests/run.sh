#!/usr/bin/env bash
# Installs what is missing, builds everything and runs the tests but for the long ones, which tests/all.sh runs, too;
# arguments go to ctest instead (./tests/run.sh -R op/). The exit status is ctest's.
set -euo pipefail

# shellcheck source=samples/setup.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../samples/setup.sh"

# A warning is an error, so that the test of gcc's warnings need not compile all again. A compiler that has others than
# ours does not keep the tests from being run: that test alone fails.
fovea_setup_tests -DFOVEA_WERROR=ON || fovea_setup_tests -DFOVEA_WERROR=OFF
[ $# -gt 0 ] || set -- --label-exclude '^long$'
# Three at once keep two processors busy: there is always one that waits, for a signal, a launcher, or the compiler's files.
exec ctest --test-dir "$fovea_build_dir" --output-on-failure -j 3 "$@"
