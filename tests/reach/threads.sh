#!/usr/bin/env bash
# threads.sh COMMAND: ranks by a command that was built with ThreadSanitizer (hygiene/thread_sanitizer): two that train, two
# that sweep, and one that is lost. Each has a thread that trains, one that tells of it, and MPI, which is not instrumented,
# between them.
set -euo pipefail
# shellcheck source=tests/reach/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
need_mpirun
cd -- "$scratch"
make_data data 1 100
settings 2
export TSAN_OPTIONS="${TSAN_OPTIONS:-} ignore_noninstrumented_modules=1 exitcode=66"
train=("$fovea" train --data data --arch '4,3,2' --depth 1 --batch 64)

no_race() { if grep -q 'WARNING: ThreadSanitizer' "$1"; then fail "$1: what threads share" "$1"; fi; }

timeout 600 mpirun -n 2 "${train[@]}" --epochs 4 --out two >two.txt 2>&1 || fail 'two ranks do not end' two.txt
timeout 600 mpirun -n 2 "$fovea" sweep --data data "${settings[@]}" --out sweep >sweep.txt 2>&1 ||
  fail 'a sweep of two ranks does not end' sweep.txt
timeout 600 mpirun --enable-recovery -n 2 "${train[@]}" --epochs 100000 --rank-timeout 10 --out lost >lost.txt 2>&1 &
wait_for lost 3
kill -9 "$(process_of 1 "^$fovea train .*--out lost\$")"
wait $! || true
grep -q 'rank 1 on .* has ended before the others' lost.txt || fail 'it is not named' lost.txt
for log in two.txt sweep.txt lost.txt; do no_race "$log"; done
printf 'threads: of ranks, too\n'
