#!/usr/bin/env bash
# valgrind.sh BUILD: the tests of host code alone under valgrind's memcheck, leaks included. The processes that they start
# are not followed, and nothing here runs a kernel: PoCL's code is its own affair.
set -euo pipefail
# shellcheck source=tests/hygiene/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
build=$1
tests=(base_file base_gzip data_idx data_picture_folder data_safetensors data_shuffle plan_placement
  stats_distributions stats_ols stats_summary stats_table tools_options tools_regress ref_check_reference)

need valgrind
if grep -q '^FOVEA_SANITIZE:BOOL=ON' "$build/CMakeCache.txt"; then skip 'this build has sanitizers of its own'; fi
export OPENBLAS_NUM_THREADS=1 build
# shellcheck disable=SC2016 # the variables are the inner shell's
printf '%s\0' "${tests[@]}" | xargs -0 -P "$jobs" -I '{}' bash -c '
  log=$(mktemp)
  valgrind --quiet --error-exitcode=99 --leak-check=full "$build/tests/test_$1" >"$log" 2>&1 && printf "%s: clean\n" "$1" || {
    status=$?
    printf "%s: status %d\n" "$1" "$status"
    cat -- "$log"
    rm -f -- "$log"
    exit 1
  }
  rm -f -- "$log"' valgrind '{}'
