#!/usr/bin/env bash
# train.sh COMMAND [PART]: one network trained by several ranks leaves the bytes of one process, however many they are, and
# killed and resumed on another number; ranks that do not fit together are told so before anything is made. PART: `faults`,
# a rank that is killed or stopped at some moment, `seed`, the seed network.
set -euo pipefail
# shellcheck source=tests/reach/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
need_mpirun
cd -- "$scratch"
part=${2:-same} epochs=2

# The whole folder but for what times are in, the events, whose name is a time, and the memory of one rank.
same_run() {
  local file
  for file in "$1"/*.png "$1"/checkpoint.safetensors; do
    cmp -- "$file" "$2/${file##*/}" >"$scratch/differences" 2>&1 || fail "$2 is not as $1" "$scratch/differences"
  done
  diff <(grep -v '"memory":' "$1/config.json") <(grep -v '"memory":' "$2/config.json") >"$scratch/differences" ||
    fail "$2/config.json is not as that of $1" "$scratch/differences"
  diff <(cut -d , -f 1-7,9 "$1/metrics.csv") <(cut -d , -f 1-7,9 "$2/metrics.csv") >"$scratch/differences" ||
    fail "$2/metrics.csv is not as that of $1" "$scratch/differences"
}

# over RANKS OUT [OPTION...]
over() {
  local ranks=$1 out=$2
  shift 2
  timeout 400 mpirun -n "$ranks" "${train[@]}" --out "$out" "$@" >"$out.txt" 2>&1
}

# Batches of 64 over 100 images: the parts of three ranks are 16, 16 and 32, and of the last batch 16, 16 and 4.
small() {
  make_data data 1 100
  train=("$fovea" train --data data --arch '4,3,2' --depth 1 --batch 64 --shift 2 --fill edge)
}

# sent RANKS: the bytes that rank 0 says it sends, and in how many meetings, a line each.
sent() {
  sed -n "s/^fovea: $1 ranks: rank 0, .* sends \\([1-9][0-9]*\\) bytes in \\([1-9][0-9]*\\) meetings a step$/\\1\\n\\2/p" "ranks$1.txt" |
    grep .
}

same() {
  local n
  "${train[@]}" --epochs "$epochs" --out one >one.txt 2>&1 || fail 'one process does not end' one.txt
  for n in 1 2 3 4; do
    over "$n" "ranks$n" --epochs "$epochs" || fail "$n ranks do not end" "ranks$n.txt"
    same_run one "ranks$n"
  done
  grep -q 'batch 64 over 3 ranks: 16, 16, 32 images' ranks3.txt || fail 'an uneven cut is not said' ranks3.txt
  if grep -q 'over 2 ranks' ranks2.txt; then fail 'an even cut is said' ranks2.txt; fi
  { sent 2 && sent 4; } >said.txt || fail 'they do not meet' ranks2.txt ranks4.txt
  # Whole gradients would be three times as many bytes of 4 ranks as of 2, in as many meetings.
  mapfile -t said <said.txt
  if ((said[2] >= 2 * said[0] || said[3] <= said[1])); then fail 'gradients go whole to all' said.txt; fi
  [ "$(grep -c "^epoch $epochs: " ranks4.txt)" -eq 1 ] || fail 'not one rank alone says how it goes' ranks4.txt
  "$fovea" pack data --out packed.fovea >packed.txt 2>&1 || fail 'the images are not packed' packed.txt
  over 3 packed --epochs "$epochs" --data packed.fovea || fail 'ranks do not train on a packed set' packed.txt
  cmp one/checkpoint.safetensors packed/checkpoint.safetensors || fail 'another network by a packed set'
}

# Killed on three ranks, interrupted on two, ended on four.
resumed() {
  local status=0
  "${train[@]}" --epochs 60 --out whole >whole.txt 2>&1 || fail 'one process does not end' whole.txt
  over 3 some --epochs 60 &
  wait_for some 3
  kill -9 "$(process_of 1 '--out some ')"
  if wait $!; then fail 'a rank that was killed is no failure of mpirun' some.txt; fi
  grep -q 'rank 1 on .* has ended before the others; the others end, too' some.txt || fail 'it is not named' some.txt
  over 2 some --resume &
  wait_for some 15
  kill -TERM "$(process_of 1 '--out some ')"
  wait $! || status=$?
  grep -q 'rank 1 on .* was sent SIGTERM: all ranks finish' some.txt || fail 'the signal is not told' some.txt
  grep -q 'stopped at epoch .* of 60' some.txt || fail 'it does not say where it stands' some.txt
  [ "$status" -eq 143 ] || fail "exit status $status, not 143" some.txt
  over 4 some --resume || fail 'four ranks do not go on' some.txt
  same_run whole some
}

refused() { refused_beside train 300 "$@"; }

refusals() {
  local status=0
  make_data other 2 100
  refused 'rank 0 on .* and rank 1 on .* differ in --latent: 2 and 3; start all' "${train[@]}" --latent 3
  refused "differ in the content of --data's training images and labels: \"xxh64:" "${train[@]}" --data other
  cp -- "$fovea" another
  printf ' ' >>another
  refused 'differ in the program (its file): "xxh64:' ./another "${train[@]:1}"
  refused 'rank 1 on .*: no device matches' "${train[@]}" --device none
  refused 'rank 1 on .*: unknown option --nothing' "${train[@]}" --nothing
  refused 'differ in --resume: false and true; start all' "${train[@]}" --resume
  refused 'differ in --rank-timeout: 10 and 3600' "${train[@]}" --rank-timeout 3600
  refused 'differ in --sync-bn: true and false' "${train[@]}" --sync-bn off
  refused 'differ in FOVEA_BLAS: "builtin" and "auto"' env FOVEA_BLAS=auto "${train[@]}"
  # What one process does is not done by two, but help and what tells of a host is.
  OMPI_COMM_WORLD_SIZE=2 "$fovea" pack data --out refused >refused.txt 2>&1 || status=$?
  [ "$status" -eq 2 ] || fail "exit status $status, not 2" refused.txt
  grep -q 'one of 2 (OMPI_COMM_WORLD_SIZE).*pack is not divided' refused.txt || fail 'two would pack' refused.txt
  status=0
  OMPI_COMM_WORLD_SIZE=2 "$fovea" sweep --merge --out refused shards >refused.txt 2>&1 || status=$?
  [ "$status" -eq 2 ] || fail "exit status $status, not 2" refused.txt
  grep -q 'one of 2 (OMPI_COMM_WORLD_SIZE).*sweep --merge is not divided' refused.txt || fail 'two would merge' refused.txt
  OMPI_COMM_WORLD_SIZE=2 "$fovea" pack --help >help.txt || fail 'two may not ask for help' help.txt
  OMPI_COMM_WORLD_SIZE=2 "$fovea" devices >devices.txt || fail 'two may not list devices' devices.txt
  status=0
  # A loss that is not finite is every rank's, and told once.
  timeout 300 mpirun -n 2 "${train[@]}" --out nan --json --lr 1000 --kl 1000000 >nan.json 2>nan.txt || status=$?
  [ "$status" -eq 1 ] || fail "exit status $status, not 1" nan.txt
  [ "$(grep -c '"status": "mismatch"' nan.json)" -eq 1 ] || fail 'not one object' nan.json nan.txt
  status=0
  over 5 refused || status=$?
  [ "$status" -eq 2 ] || fail "exit status $status, not 2" refused.txt
  grep -q 'a batch of 64 is 4 blocks of 16 images, too few for 5 ranks.*start 4 or fewer, or take --batch 80' refused.txt ||
    fail 'too many ranks are not told' refused.txt
  status=0
  timeout 300 mpirun -n 3 "${train[@]}" --out refused --json --epochs none >refused.json 2>refused.txt || status=$?
  [ "$status" -eq 2 ] || fail "exit status $status, not 2" refused.txt
  [ "$(grep -c '"schema"' refused.json)" -eq 1 ] || fail 'not one object' refused.json
  [ ! -e refused ] || fail 'something was made' refused.txt
}

# By each rank's own statistics it is another network by another number of ranks, so that none goes on with it.
own_statistics() {
  local n status
  over 2 own --epochs 1 --sync-bn off || fail 'ranks do not train by their own statistics' own.txt
  over 2 own --resume --epochs 1 || fail 'as many ranks do not go on' own.txt
  grep -q 'sync-bn off: each rank' own.txt || fail 'what it began with is forgotten' own.txt
  for n in 3 1; do
    status=0
    if [ "$n" -gt 1 ]; then over "$n" own --resume || status=$?; else
      "$fovea" train --data data --resume --out own >own.txt 2>&1 || status=$?
    fi
    [ "$status" -eq 2 ] || fail "$n: exit status $status, not 2" own.txt
    grep -qE 'ranks with --sync-bn off was 2 when it began and is (3|none) now' own.txt || fail "$n ranks go on" own.txt
  done
}

# fault OUT SIGNAL RANK EPOCH [MPIRUN'S OPTION...]: the others end with 3, and soon, and name it; the checkpoint is whole.
fault() {
  local out=$1 signal=$2 rank=$3 epoch=$4 begun
  shift 4
  # shellcheck disable=SC2016 # the shell's own
  timeout 400 mpirun "$@" -n 3 bash -c 'trap "" TERM; "$@"; echo "rank $OMPI_COMM_WORLD_RANK ends with $?" >&2' x \
    "${train[@]}" --epochs 100000 --rank-timeout 3 --out "$out" >"$out.txt" 2>&1 &
  wait_for "$out" "$epoch"
  begun=$SECONDS
  kill "-$signal" "$(process_of "$rank" "^$fovea train .*--out $out\$")"
  wait $! || true
  [ $((SECONDS - begun)) -le 12 ] || fail "$out: mpirun ends after $((SECONDS - begun)) seconds" "$out.txt"
  grep -qE "rank $rank on .* has (said nothing for|ended before)" "$out.txt" || fail "$out: rank $rank is not named" "$out.txt"
  [ "$(grep -c 'ends with 3' "$out.txt")" -ge 1 ] || fail "$out: no rank ends with 3" "$out.txt"
  "${train[@]}" --resume --out "$out" >"$out.txt" 2>&1 &
  wait_for "$out" $((epoch + 40))
  kill -TERM $!
  wait $! || true
}

case $part in
  same) small && same && resumed && refusals && own_statistics ;;
  faults)
    small
    for rank in 0 1 2; do
      fault "killed$rank" KILL "$rank" 3
      fault "recovered$rank" KILL "$rank" $((5 + RANDOM % 20)) --enable-recovery
      fault "stopped$rank" STOP "$rank" $((5 + RANDOM % 20))
      fault "held$rank" STOP "$rank" 4 --enable-recovery
    done
    ;;
  seed)
    make_data data 1 252 28
    train=("$fovea" train --data data)
    epochs=5 # of 4 steps
    same
    ;;
  *) fail "no part $part" ;;
esac
printf 'train: as one process\n'
