#!/usr/bin/env bash
# ranks.sh COMMAND: a sweep over ranks is, but for times, that of one process; whoever is killed, it goes on, or goes on when
# it is run again; and ranks that do not fit together are told so before anything is made.
set -euo pipefail
# shellcheck source=tests/reach/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
need_mpirun
cd -- "$scratch"
make_data data 1
make_data other 2
settings 12
sweep=("$fovea" sweep --data data "${settings[@]}")

# over RANKS OUT [MPIRUN'S OPTION...]: the sweep, in the background; `launcher` is mpirun's number.
over() {
  local ranks=$1 out=$2
  shift 2
  timeout 120 mpirun "$@" -n "$ranks" "${sweep[@]}" --out "$out" --resume >"$out.txt" 2>&1 &
  launcher=$!
}

# rank_of OUT RANK: the number of that process, when all three have begun to train.
rank_of() {
  local i
  for ((i = 0; i < 600; i++)); do
    if [ "$(find "$1" -name .lock 2>/dev/null | wc -l)" -ge 4 ]; then break; fi # with the folder's own
    sleep 0.05
  done
  process_of "$2" "--out $1 --resume"
}

"${sweep[@]}" --out one >one.txt 2>&1 || fail 'one process does not end' one.txt

# Killed: with a launcher that goes on, the sweep does; else it does when it is run again, also on another number.
over 3 recovered --enable-recovery
kill -9 "$(rank_of recovered 2)"
wait "$launcher" || true # mpirun's own status tells of the kill
grep -q 'rank 2 on .* is gone' recovered.txt || fail 'a rank that was killed is not named' recovered.txt
grep -q 'Analysis of variance' recovered.txt || fail 'there is no report after a rank was killed' recovered.txt
same_results one recovered

over 3 killed
kill -9 "$(rank_of killed 1)"
if wait "$launcher"; then fail 'a rank that was killed is no failure of mpirun' killed.txt; fi
over 2 killed
wait "$launcher" || fail 'a sweep that lost a rank does not go on' killed.txt
same_results one killed
cmp one/relu-spatial-nobn-drop-s768/checkpoint.safetensors killed/relu-spatial-nobn-drop-s768/checkpoint.safetensors ||
  fail 'another checkpoint'

refused() { refused_beside sweep 60 "$@"; }
refused 'rank 1 on .* has other settings than rank 0' "${sweep[@]}" --epochs 3
refused 'rank 1 on .* has other images or labels' "$fovea" sweep --data other "${settings[@]}"
cp -- "$fovea" another
printf ' ' >>another
refused 'rank 1 on .* runs another build' ./another sweep --data data "${settings[@]}"
refused 'rank 1 on .*no device matches' "${sweep[@]}" --device none

# Started by another launcher, or by none.
status=0
PMI_SIZE=4 timeout 60 "${sweep[@]}" --out refused >refused.txt 2>&1 || status=$?
[ "$status" -eq 2 ] || fail "exit status $status, not 2" refused.txt
grep -q 'started as one of 4 (PMI_SIZE), and by MPI it is one of 1' refused.txt || fail 'the launcher is not named' refused.txt
[ ! -e refused ] || fail 'something was made' refused.txt
printf 'ranks: as one process\n'
