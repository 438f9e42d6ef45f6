#!/usr/bin/env bash
# hosts.sh COMMAND LINK: two hosts (two_hosts.sh) with a link that takes its time: ranks on both train to the bytes of one
# process, started by mpirun's own daemon, also where each message takes a third of what a silent rank is given; a link that
# is cut in the middle of a step ends the ranks on both sides, and one process goes on from their checkpoint.
set -euo pipefail
# shellcheck source=tests/reach/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
self=$(realpath -- "${BASH_SOURCE[0]}") link=$(realpath -- "$2") part=${3:-}
train=("$fovea" train --data data --arch '4,3,2' --depth 1 --batch 64)

# over RANKS OUT [OPTION...]: so many on each host.
over() {
  local ranks=$1 out=$2
  shift 2
  timeout 400 mpirun --wdir "$PWD" --host "10.77.0.1:$ranks,10.77.0.2:$ranks" "${train[@]}" --out "$out" "$@" >"$out.txt" 2>&1
}

alone() { "${train[@]}" --epochs "$1" --out "one$1" >"one$1.txt" 2>&1 || fail 'one process does not end' "one$1.txt"; }
same_network() { cmp -- "one$1/checkpoint.safetensors" "$2/checkpoint.safetensors" || fail 'another network' "$2.txt"; }

same() {
  over 1 two --epochs 3 || fail 'two hosts do not end' two.txt
  same_network 3 two
  over 2 four --epochs 3 || fail 'four ranks of two hosts do not end' four.txt
  same_network 3 four
}

slow() {
  over 1 slow --epochs 1 --rank-timeout 2 || fail 'a link that is slow is taken for a rank that is lost' slow.txt
  same_network 1 slow
}

# A step's meetings take the better part of a second here, so any moment is in the middle of one.
cut_link() {
  local begun took
  over 1 cut --epochs 20 --rank-timeout 3 &
  wait_for cut 3
  begun=$SECONDS
  nsenter --target "$SECOND_HOST" --net ip link set fv1 down
  while pgrep -f -- "^$fovea train .*--out cut " >/dev/null && [ $((SECONDS - begun)) -lt 30 ]; do sleep 0.2; done
  took=$((SECONDS - begun))
  [ "$took" -le 12 ] || fail "ranks without a link are there after $took seconds" cut.txt
  grep -q 'rank 1 on second has said nothing for' cut.txt || fail 'the rank beyond the link is not named' cut.txt
  # mpirun 4.1.4 waits for its other daemon, and ends with the hosts.
  printf 'hosts: without a link all ranks ended after %d seconds\n' "$took"
}

if [ -n "$part" ]; then
  cd -- "$4"
  "$part"
  printf 'hosts: %s by %s, %s%s\n' "$part" "$LINK_BY" "$LINK_DELAY" "${LINK_RATE:+, $LINK_RATE}"
  exit
fi

# on_hosts SPEED PART
on_hosts() {
  local status=0
  "${self%/*}/two_hosts.sh" "$link" "$1" "$self" "$fovea" "$link" "$2" "$scratch" || status=$?
  [ "$status" -eq 0 ] || exit "$status"
}

need_mpirun
cd -- "$scratch"
make_data data 1 100
for epochs in 1 3 20; do alone "$epochs"; done
on_hosts 1ms,1Gbit same
on_hosts 650ms slow
on_hosts 20ms,1Gbit cut_link
"${train[@]}" --resume --out cut >resumed.txt 2>&1 || fail 'one process does not go on' resumed.txt
if grep -q '^epoch [12]: ' resumed.txt; then fail 'the checkpoint was lost' resumed.txt; fi
same_network 20 cut
