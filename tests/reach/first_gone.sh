#!/usr/bin/env bash
# first_gone.sh COMMAND: the first rank of a sweep is killed, before its ranks are at work and while they are, with a
# launcher that goes on: the other rank says so and ends, and the launcher with it.
set -euo pipefail
# shellcheck source=tests/reach/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
need_mpirun
cd -- "$scratch"
make_data data 1
settings 400
for locks in 0 3; do
  timeout 120 mpirun --enable-recovery -n 2 "$fovea" sweep --data data "${settings[@]}" --out "out$locks" >out.txt 2>&1 &
  for ((i = 0; i < 1200; i++)); do
    rank=$(process_of 0 "--out out$locks\$")
    if [ -n "$rank" ] && [ "$(find "out$locks" -name .lock 2>/dev/null | wc -l)" -ge "$locks" ]; then break; fi
    sleep 0.05
  done
  [ "$locks" -gt 0 ] || sleep 0.5
  kill -9 "$rank"
  begun=$SECONDS
  wait $! || true
  [ $((SECONDS - begun)) -lt 60 ] || fail "mpirun is there $((SECONDS - begun)) seconds after rank 0" out.txt
  grep -q 'rank 1 has not heard of rank 0 for 20 seconds, and ends' out.txt || fail 'it is not said' out.txt
done
printf 'first_gone: all ended\n'
