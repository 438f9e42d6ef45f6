#!/usr/bin/env bash
# link.sh COMMAND LINK: two hosts and their link (two_hosts.sh): as slow as it is told to be, no faster and not by much, what is
# no speed refused, and whoever is killed, nothing stays.
set -euo pipefail
# shellcheck source=tests/reach/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
link=$(realpath -- "$2") hosts=$(realpath -- "${BASH_SOURCE[0]%/*}/two_hosts.sh")
cd -- "$scratch"

# speed SPEED LEAST-US MOST-US MOST-MB/S: as it is measured, and what carries.
speed() {
  local status=0 us rate
  # shellcheck disable=SC2016 # the shell's own
  "$hosts" "$link" "$1" bash -c '"$0" speed "/proc/$SECOND_HOST/ns/net" 10.77.0.2 && echo "$LINK_BY"' "$link" >out.txt 2>&1 ||
    status=$?
  [ "$status" -ne 77 ] || { cat out.txt && exit 77; }
  [ "$status" -eq 0 ] || fail "$1: exit status $status" out.txt
  read -r us _ _ _ rate _ <out.txt
  awk -v us="$us" -v rate="$rate" -v least="$2" -v most="$3" -v above="$4" \
    'BEGIN { exit !(us >= least && us <= most && rate > 0 && rate <= above) }' || fail "$1: another link" out.txt
  printf 'link: %s: %s\n' "$1" "$(tr '\n' ' ' <out.txt)"
}

refused() {
  local status=0
  "$hosts" "$link" "$1" touch made >out.txt 2>&1 || status=$?
  [ "$status" -eq 2 ] || fail "$1: exit status $status, not 2" out.txt
  grep -qF -- "$2" out.txt || fail "not said: $2" out.txt
  [ ! -e made ] || fail "$1: the command was run"
}

for wrong in '' 5 5x us -1us 1e3us 11s; do refused "$wrong" "'$wrong' is no delay: a number up to 10 s, with us, ms or s"; done
for wrong in '' 0Gbit 5 1Gbit,2 -1Mbit; do refused "1us,$wrong" "'$wrong' is no rate: a number from 0.1 Mbit, with Mbit or Gbit"; done
status=0
python3 "${hosts%/tests/*}/tools/peers/ranks.py" --fovea "$fovea" --link 5x >out.txt 2>&1 || status=$?
[ "$status" -eq 2 ] || fail "ranks.py: exit status $status, not 2" out.txt
grep -q "'5x' is no delay" out.txt || fail 'ranks.py does not say what is wrong' out.txt
# A busy machine adds to a delay, and takes nothing from it.
speed 0us 0 20000 1e6
speed 50us 50 20000 1e6
speed 2.5ms 2500 40000 1e6
speed 30ms,80Mbit 30000 80000 10.3

status=0
"$hosts" "$link" 0us bash -c 'exit 7' || status=$?
[ "$status" -eq 7 ] || fail "exit status $status, not the command's"
"$hosts" "$link" 1ms bash -c "touch up && exec sleep 7$$" &
for ((i = 0; i < 600; i++)); do if [ -e up ]; then break; else sleep 0.05; fi; done
[ "$(pgrep -cf "^sleep 7$$\$")" -eq 1 ] || fail 'the command is not there'
kill -9 $!
{ wait $! || true; } 2>/dev/null
for ((i = 0; i < 100; i++)); do if pgrep -f "^sleep 7$$\$|^$link make " >out.txt; then sleep 0.05; else break; fi; done
[ "$i" -lt 100 ] || fail 'something stays after a kill' out.txt
