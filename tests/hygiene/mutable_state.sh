#!/usr/bin/env bash
# mutable_state.sh LIBRARY: the library's variables that every thread sees and may write. Each is named here with what
# keeps threads apart; another one is a finding. Constants and what is _Thread_local are none.
set -euo pipefail
library=$(realpath -- "$1")
# shellcheck source=tests/hygiene/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
need objdump

known=(
  cache.c:choosing            # the lock of the next
  cache.c:chosen              # where the cache is: under that lock
  compile_once.c:all          # what open devices have compiled: under the next
  compile_once.c:changed
  compile_once.c:changing
  device.c:all                # divisions of devices: between fovea_opencl_begin and fovea_opencl_end
  driver_folder.c:folder      # written between those two, and read afterwards
  driver_folder.c:said        # atomic: who tells the note, once
  driver_watch.c:does         # atomic, as the next two
  driver_watch.c:open_devices
  driver_watch.c:when_loaded
  enumerate.c:listed          # between those two
  first_call.c:one_at_a_time  # the lock of those two
  first_call.c:prepared       # under that lock
)

findings=$(mktemp)
trap 'rm -f -- "$findings"' EXIT
count=0
while read -r file name; do
  count=$((count + 1))
  case " ${known[*]} " in
    *" $file:$name "*) ;;
    *) printf '%s: %s is neither constant nor a thread'\''s own; mutable_state.sh does not know it\n' "$file" "$name" ;;
  esac
done < <(objdump -t "$library" | awk '
  $3 == "df" { file = $NF }
  $3 == "O" && $4 ~ /^\.(data|bss)/ && $4 !~ /rel\.ro/ && $NF !~ /^__/ { sub(/\..*/, "", $NF); print file, $NF }') >"$findings"
report mutable_state "$count" "$findings"
