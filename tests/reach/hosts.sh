#!/usr/bin/env bash
# hosts.sh COMMAND: two hosts, each a namespace of networks and of host names, with a link between them that takes a
# millisecond each way: ranks on both train to the bytes of one process, started by mpirun's own daemon; and a link that is
# cut ends the ranks on both sides.
set -euo pipefail
# shellcheck source=tests/reach/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
need_mpirun
cd -- "$scratch"
here=fovea-a-$$ there=fovea-b-$$ delay='a millisecond of delay each way'

skip() { printf 'skipped: not permitted, or not installed: %s\n' "$1" && exit 77; }

remove_hosts() {
  local process
  for process in $(ip netns pids "$here" 2>/dev/null) $(ip netns pids "$there" 2>/dev/null); do kill -9 "$process" || true; done
  ip netns del "$here" || true
  ip netns del "$there" || true
} 2>/dev/null
trap 'remove_hosts; rm -rf -- "$scratch"' EXIT

# in_host NAME COMMAND...
in_host() {
  local name=$1
  shift
  # shellcheck disable=SC2016 # the shell's own
  ip netns exec "$name" unshare --uts bash -c 'hostname "$0" && exec "$@"' "$name" "$@"
}

if ! command -v ip >/dev/null || ! command -v unshare >/dev/null; then skip 'ip (iproute2) or unshare'; fi
if ! { ip netns add "$here" && ip netns add "$there"; } 2>/dev/null; then skip 'namespaces of networks (ip netns)'; fi
in_host "$there" true 2>/dev/null || skip 'namespaces of host names (unshare --uts)'
ip link add fv0 netns "$here" type veth peer name fv1 netns "$there" 2>/dev/null || skip 'pairs of interfaces (veth)'
for end in "$here fv0 10.77.0.1/24" "$there fv1 10.77.0.2/24"; do
  read -r name link address <<<"$end"
  ip -n "$name" address add "$address" dev "$link"
  ip -n "$name" link set "$link" up
  ip -n "$name" link set lo up
  # A kernel may be built without netem: then the link is as fast as it is.
  ip netns exec "$name" tc qdisc add dev "$link" root netem delay 1ms 2>/dev/null || delay='no delay, which takes tc netem'
done

# As ssh: HOST COMMAND. mpirun starts its daemon on the other host by it.
# shellcheck disable=SC2016 # the script's own
printf '#!/usr/bin/env bash\nshift\nexec ip netns exec %q unshare --uts bash -c "hostname %q && $*"\n' "$there" "$there" >agent
chmod +x agent
export OMPI_MCA_plm_rsh_agent=$PWD/agent OMPI_MCA_btl=self,tcp OMPI_MCA_btl_tcp_if_include=10.77.0.0/24
export OMPI_MCA_oob_tcp_if_include=10.77.0.0/24 OMPI_MCA_orte_keep_fqdn_hostnames=1
make_data data 1 100
train=("$fovea" train --data data --arch '4,3,2' --depth 1 --batch 64)

# over HOSTS OUT [OPTION...]
over() {
  local hosts=$1 out=$2
  shift 2
  in_host "$here" timeout 400 mpirun --wdir "$PWD" --host "$hosts" "${train[@]}" --out "$out" "$@" >"$out.txt" 2>&1
}

"${train[@]}" --epochs 3 --out one >one.txt 2>&1 || fail 'one process does not end' one.txt
over 10.77.0.1:1,10.77.0.2:1 two --epochs 3 || fail 'two hosts do not end' two.txt
cmp one/checkpoint.safetensors two/checkpoint.safetensors || fail 'another network'
over 10.77.0.1:2,10.77.0.2:2 four --epochs 3 || fail 'four ranks of two hosts do not end' four.txt
cmp one/checkpoint.safetensors four/checkpoint.safetensors || fail 'another network'

over 10.77.0.1:1,10.77.0.2:1 cut --epochs 100000 --rank-timeout 3 &
launcher=$!
wait_for cut 3
ip -n "$here" link set fv0 down
begun=$SECONDS
while pgrep -f -- "^$fovea train .*--out cut " >/dev/null && [ $((SECONDS - begun)) -lt 30 ]; do sleep 0.2; done
took=$((SECONDS - begun))
[ "$took" -le 20 ] || fail "ranks without a link are there after $took seconds" cut.txt
grep -q "rank 1 on $there has said nothing for" cut.txt || fail 'the rank beyond the link is not named' cut.txt
"$fovea" report cut >report.txt 2>&1 || fail 'the checkpoint is not whole' report.txt
# mpirun 4.1.4 waits for its other daemon.
kill -9 "$launcher" || true
ip netns pids "$here" | xargs -r kill -9 || true
wait "$launcher" || true
printf 'hosts: as one process, with %s; without a link all ranks ended after %d seconds\n' "$delay" "$took"
