#!/usr/bin/env bash
# two_hosts.sh LINK SPEED COMMAND...: runs the command on the first of two hosts, 10.77.0.1 and 10.77.0.2, each a namespace
# of networks and of host names, with a link between them. SPEED is DELAY[,RATE], each way, "50us,10Gbit": the kernel's
# netem, or where it has none the program LINK (link.c), and with "0us" two interfaces and nothing between.
#
# The command finds SECOND_HOST, a process of the other host (nsenter --target), LINK_BY, what carries, LINK_DELAY and
# LINK_RATE, and what mpirun needs to start its daemon there. When it ends, or this script is killed, nothing of it stays:
# all processes are of one namespace of processes. Exits with the command's status, 2 for bad usage, and 77, with why, where it
# cannot be.
set -euo pipefail
self=$(realpath -- "${BASH_SOURCE[0]}")

skip() { printf 'skipped: not permitted, or not installed: %s\n' "$1" && exit 77; }
usage() { printf '%s: %s\n' "${self##*/}" "$1" >&2 && exit 2; }
on_second() { nsenter --target "$SECOND_HOST" --net --uts -- "$@"; }

# number TEXT UNIT=FACTOR...: TEXT, a decimal number with one of the units, times its factor, as a whole number.
number() {
  local text=$1 pair
  shift
  for pair in "$@"; do
    [[ $text =~ ^([0-9]{1,6}(\.[0-9]{1,6})?)${pair%=*}$ ]] || continue
    awk -v a="${BASH_REMATCH[1]}" -v b="${pair#*=}" 'BEGIN { printf "%.0f\n", a * b }'
    return
  done
  return 1
}

# parse SPEED: `delay` in nanoseconds and `rate` in bytes a second, 0: no limit.
parse() {
  LINK_DELAY=${1%%,*} LINK_RATE='' rate=0
  if ! delay=$(number "$LINK_DELAY" us=1e3 ms=1e6 s=1e9) || [ "$delay" -gt 10000000000 ]; then
    usage "'$LINK_DELAY' is no delay: a number up to 10 s, with us, ms or s"
  fi
  [ "$LINK_DELAY" != "$1" ] || return 0
  LINK_RATE=${1#*,}
  if ! rate=$(number "$LINK_RATE" Mbit=125e3 Gbit=125e6) || [ "$rate" -lt 12500 ]; then
    usage "'$LINK_RATE' is no rate: a number from 0.1 Mbit, with Mbit or Gbit"
  fi
}

# Both ends: by the kernel where it can.
connect() {
  local pid end shape=(delay "$LINK_DELAY" limit 100000)
  [ "$rate" -eq 0 ] || shape+=(rate "$((rate * 8))bit")
  ip link add fv0 type veth peer name fv1 netns "$SECOND_HOST" 2>/dev/null || skip 'pairs of interfaces (veth)'
  LINK_BY=veth
  if [ "$((delay + rate))" -gt 0 ]; then
    LINK_BY=netem
    if ! tc qdisc add dev fv0 root netem "${shape[@]}" 2>/dev/null; then
      LINK_BY=relay
      ip link del fv0
      exec {pid}< <(exec "$link" make "/proc/$$/ns/net" "/proc/$SECOND_HOST/ns/net" "$delay" "$rate")
      read -r _ <&"$pid" || skip 'interfaces of a process (/dev/net/tun)'
    else
      on_second tc qdisc add dev fv1 root netem "${shape[@]}"
    fi
  fi
  ip address add 10.77.0.1/24 dev fv0
  on_second ip address add 10.77.0.2/24 dev fv1
  for end in fv0 lo; do ip link set "$end" up; done
  for end in fv1 lo; do on_second ip link set "$end" up; done
}

inside() {
  local link=$1 ready delay rate
  parse "$2"
  shift 2
  hostname first
  # shellcheck disable=SC2016 # the shell's own
  exec {ready}< <(exec unshare --net --uts bash -c 'hostname second && echo "$$" && exec sleep infinity')
  read -r SECOND_HOST <&"$ready"
  connect
  export SECOND_HOST LINK_BY LINK_DELAY LINK_RATE
  export OMPI_MCA_plm_rsh_agent=${self%/*}/second_host.sh OMPI_MCA_btl=self,tcp OMPI_MCA_orte_keep_fqdn_hostnames=1
  export OMPI_MCA_btl_tcp_if_include=10.77.0.0/24 OMPI_MCA_oob_tcp_if_include=10.77.0.0/24
  "$@"
}

if [ "${1:-}" = --inside ]; then
  shift
  inside "$@"
  exit
fi
[ $# -ge 3 ] || usage 'LINK, SPEED and a command are wanted'
parse "$2"
[ -x "$1" ] || usage "'$1' is no program"
for program in ip unshare nsenter setpriv hostname; do command -v "$program" >/dev/null || skip "$program"; done
spaces=(--net --uts --pid --fork --kill-child --mount-proc)
unshare "${spaces[@]}" hostname first 2>/dev/null || skip 'namespaces of networks, host names and processes (unshare)'
setpriv --pdeathsig KILL unshare "${spaces[@]}" "$self" --inside "$@" &
trap 'kill -KILL $! 2>/dev/null || true' EXIT
trap 'exit 143' INT TERM
wait $!
