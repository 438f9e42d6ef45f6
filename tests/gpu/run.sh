#!/usr/bin/env bash
# For the day a card is there: what it is, whether it gives the recorded bits, how fast it is, beside PyTorch and the model.
#
#   tests/gpu/run.sh [OUT]           here; builds nothing: build/ must be built
#   tests/gpu/run.sh --pack FOLDER   carries along what a bare machine lacks: the command, its libraries with the ICD
#                                    loader, PyTorch's side, the model's figures
#   FOLDER/run.sh [OUT]              there: no network, one call of at most 10 minutes. OUT [out] gets table.md and all
#                                    that was said
#
# FOVEA_RUN_SECONDS is the time that it has [570], FOVEA_RUN_DEVICE a device other than the best one.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)

# What the loader of any Linux has, of its own version: all but this is carried.
is_of_the_system() {
  case $1 in
    linux-vdso* | ld-linux* | libc.so* | libm.so* | libdl.so* | libpthread.so* | librt.so* | libresolv.so*) return 0 ;;
    *) return 1 ;;
  esac
}

pack() {
  local root name path
  root=$(cd -- "$here/../.." && pwd -P)
  mkdir -p -- "$1/lib" "$1/peers"
  cp -- "$root/build/fovea" "$here/run.sh" "$here/run.py" "$1/"
  cp -- "$root"/tools/peers/{torch_step,passes}.py "$1/peers/"
  while read -r name _ path _; do
    [ -f "$path" ] || continue
    is_of_the_system "$name" || cp -L -- "$path" "$1/lib/$name"
  done < <(ldd "$root/build/fovea")
  python3 -B "$here/census.py" model h100 --json --build "$root/build/tests/gpu" >"$1/model.json" || rm -f -- "$1/model.json"
}

# The drivers' OpenCL, wherever the machine has it: a folder for the loader that was carried along; prints NVIDIA's folder.
find_drivers() {
  local library found=0
  mkdir -p -- "$1"
  for library in /usr/lib/x86_64-linux-gnu /usr/lib64 /usr/local/nvidia/lib64 /usr/local/nvidia/lib /usr/local/cuda/compat; do
    if [ -e "$library/libnvidia-opencl.so.1" ]; then
      printf '%s\n' "$library/libnvidia-opencl.so.1" >"$1/nvidia.icd"
      printf '%s\n' "$library"
      found=1
      break
    fi
  done
  for library in /etc/OpenCL/vendors/*.icd; do
    [ -e "$library" ] && [ "${library##*/}" != nvidia.icd ] && cp -- "$library" "$1/" && found=1
  done
  [ "$found" -eq 1 ] || echo 'run.sh: no OpenCL driver was found here' >&2
}

if [ "${1-}" = --pack ]; then
  pack "${2:?the folder to pack into}"
  exit
fi
out=${1:-out}
mkdir -p -- "$out"
out=$(cd -- "$out" && pwd -P)
if [ ! -d "$here/lib" ]; then
  pack "$out/packed"
  here=$out/packed
fi
command -v python3 >/dev/null || { echo 'run.sh: python3 is missing' >&2; exit 1; }
driver=$(find_drivers "$out/vendors")
# For the command alone: PyTorch has libraries of its own.
export FOVEA_RUN_LIBRARIES=$here/lib${driver:+:$driver}${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export OCL_ICD_VENDORS=$out/vendors/ XDG_CACHE_HOME=$out/cache
exec python3 -B "$here/run.py" "$here" "$out"
