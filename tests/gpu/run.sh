#!/usr/bin/env bash
# For the day a card is there: what it is, whether it gives the recorded bits, how fast it is, beside PyTorch and the model.
#
#   tests/gpu/run.sh [OUT]           here; builds nothing: build/ must be built
#   tests/gpu/run.sh --pack FOLDER   carries along what a bare machine lacks: the command, its libraries with the ICD
#                                    loader, PyTorch's side, the model's figures; for a driver without OpenCL ours, by
#                                    the CUDA driver's interface, with its programs as PTX and clang (clang.tar.xz, which
#                                    may be left behind); the C library, for a machine whose own is older
#   FOLDER/run.sh [OUT]              there: no network, one call of at most 10 minutes. OUT [out] gets table.md, written
#                                    anew before each step, and all that was said. Interrupted it prints what it has
#
# FOVEA_RUN_SECONDS is the time that it has [570], FOVEA_RUN_DEVICE a device other than the best one, FOVEA_RUN_ENGINE=cuda
# takes the CUDA driver's interface even where there is OpenCL, FOVEA_RUN_DRIVER is a folder with the driver's libraries,
# FOVEA_RUN_LIBC=own takes the C library that was carried along even where the machine's will do.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
clang=/usr/lib/llvm-15 bitcode=/usr/lib/clc/nvptx64--nvidiacl.bc # Debian's

# What the loader of any Linux has, of its own version: all but this is carried.
is_of_the_system() {
  case $1 in
    linux-vdso* | ld-linux* | libc.so* | libm.so* | libdl.so* | libpthread.so* | librt.so* | libresolv.so*) return 0 ;;
    *) return 1 ;;
  esac
}

# The libraries of a program, by what the loader says, to a folder.
copy_libraries() {
  local name path
  while read -r name _ path _; do
    [ -f "$path" ] || continue
    is_of_the_system "${name##*/}" || cp -L -- "$path" "$2/${name##*/}"
  done < <(ldd "$1")
}

# The C library with its loader, as loader: a machine's own is often older than what the other libraries need.
copy_c_library() {
  local loader folder name
  loader=$(ldd "$1" | sed -n 's/^[[:space:]]*\(\/.*ld-linux[^ ]*\) .*/\1/p')
  folder=$(ldd "$1" | sed -n 's/.* => \(.*\)\/libc\.so\.6 .*/\1/p')
  mkdir -p -- "$2"
  cp -L -- "$loader" "$2/loader"
  for name in libc.so.6 libm.so.6 libdl.so.2 libpthread.so.0 librt.so.1 libresolv.so.2; do
    cp -L -- "$folder/$name" "$2/"
  done
}

# Debian's clang as EMULATOR_TOOLS of tests/emulator/compile_ptx.sh has it: 240 MB, packed 60.
pack_clang() {
  local made
  if [ ! -x "$clang/bin/clang" ] || [ ! -f "$bitcode" ] || ! command -v xz >/dev/null; then
    echo 'run.sh: clang-15, libclc-15 or xz is not installed: clang is not carried' >&2
    return
  fi
  made=$(mktemp -d)
  mkdir -p -- "$made/clang/bin" "$made/clang/lib" "$made/clang/include"
  cp -L -- "$clang/bin/clang" "$made/clang/bin/"
  copy_libraries "$clang/bin/clang" "$made/clang/lib"
  cp -- "$clang"/lib/clang/15*/include/opencl-c*.h "$made/clang/include/"
  cp -- "$bitcode" "$made/clang/"
  XZ_OPT='-3 -T0' tar cJf "$1/clang.tar.xz" -C "$made" clang
  rm -rf -- "$made"
}

# Compiles what the run will ask for, by a library of the CUDA driver's that executes nothing, for an H100's and an H200's
# number of units; of another card's programs most are the same. Fails where one of the commands does though clang is here.
pack_programs() {
  local built=$1/build/tests/emulator command source said=$2/said failed=0 status
  if [ ! -x "$clang/bin/clang" ] || [ ! -f "$bitcode" ]; then
    echo 'run.sh: clang-15 or libclc-15 is not installed: no programs are carried' >&2
    return
  fi
  mkdir -p -- "$2/vendors"
  printf '%s\n' "$built/libemulator.so" >"$2/vendors/cuda.icd"
  for command in check 'bench --batch 64 --steps 1' 'bench --batch 1024 --steps 1' 'bench --tune --steps 1'; do
    status=0
    # shellcheck disable=SC2086 # words of the command
    OCL_ICD_VENDORS=$2/vendors EMULATOR_DEVICE=cuda EMULATOR_IDLE=1 EMULATOR_UNITS=132 EMULATOR_CACHE=$2/ptx \
      LD_LIBRARY_PATH=$built/fake XDG_CACHE_HOME=$2/cache "$1/build/fovea" $command >"$said" 2>&1 || status=$?
    # The check says that all is wrong, for nothing was executed.
    if [ "$status" -gt 1 ] || { [ "$status" -eq 1 ] && [ "$command" != check ]; }; then
      echo "run.sh: the programs of fovea $command could not be made, exit status $status:" >&2
      tail -n 5 -- "$said" >&2
      failed=1
    fi
  done
  # What was compiled has its PTX beside the source.
  for source in "$2"/ptx/*.cl; do
    if [ -f "$source" ] && [ ! -f "${source%.cl}.ptx" ]; then
      echo "run.sh: ${source##*/} could not be compiled:" >&2
      [ ! -f "${source%.cl}.log" ] || head -n 5 -- "${source%.cl}.log" >&2
      failed=1
    fi
  done
  rm -rf -- "$2/vendors" "$2/cache" "$said" "$2"/ptx/*.cl "$2"/ptx/*.log
  find "$2/ptx" -name '*.ptx' | wc -l | sed 's/$/ programs/' >&2
  return "$failed"
}

pack_emulator() {
  [ -f "$1/build/tests/emulator/libemulator.so" ] || { echo 'run.sh: no tests are built: without our driver' >&2; return; }
  mkdir -p -- "$2/emulator/ptx"
  cp -- "$1/build/tests/emulator/libemulator.so" "$1"/tests/emulator/{compile_ptx.sh,range.clh} "$2/emulator/"
}

pack() {
  local root
  root=$(cd -- "$here/../.." && pwd -P)
  [ -x "$root/build/fovea" ] || { echo "run.sh: $root/build/fovea is missing: build first" >&2; exit 2; }
  mkdir -p -- "$1/lib" "$1/peers"
  cp -- "$root/build/fovea" "$here/run.sh" "$here/run.py" "$1/"
  cp -- "$root"/tools/peers/{torch_step,passes}.py "$1/peers/"
  copy_libraries "$root/build/fovea" "$1/lib"
  copy_c_library "$root/build/fovea" "$1/libc"
  pack_emulator "$root" "$1"
  python3 -B "$here/census.py" model h100 --json --build "$root/build/tests/gpu" >"$1/model.json" || rm -f -- "$1/model.json"
}

# The first folder that has a library of NVIDIA's driver: one that is asked for, the loader's, or a usual one.
folder_of() {
  local folder known
  known=$({ ldconfig -p || /sbin/ldconfig -p; } 2>/dev/null | sed -n "s/.*x86-64.* => \(.*\)\/$1\$/\1/p" | head -n 1)
  for folder in ${FOVEA_RUN_DRIVER:+"$FOVEA_RUN_DRIVER"} ${known:+"$known"} /usr/lib/x86_64-linux-gnu /usr/lib64 \
    /usr/local/nvidia/lib64 /usr/local/nvidia/lib /usr/lib/wsl/lib /run/opengl-driver/lib /usr/local/cuda/compat; do
    [ ! -e "$folder/$1" ] || { printf '%s\n' "$folder"; return; }
  done
}

# The command, by the machine's C library or the one that was carried along.
fovea() {
  if [ -n "$FOVEA_RUN_LOADER" ]; then
    "$FOVEA_RUN_LOADER" --library-path "$FOVEA_RUN_LIBRARIES" "$here/fovea" "$@"
  else
    LD_LIBRARY_PATH=$FOVEA_RUN_LIBRARIES "$here/fovea" "$@"
  fi
}

# Where the driver's libraries are known: what the command needs to begin. PyTorch has libraries of its own.
choose_libraries() {
  export FOVEA_RUN_LOADER='' FOVEA_RUN_LIBRARIES=$here/lib${driver:+:$driver}${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
  [ "${FOVEA_RUN_LIBC-}" = own ] || ! fovea --version >/dev/null 2>&1 || return 0
  FOVEA_RUN_LOADER=$here/libc/loader FOVEA_RUN_LIBRARIES=$here/libc:$FOVEA_RUN_LIBRARIES
  fovea --version >/dev/null || { echo 'run.sh: the command does not begin on this machine' >&2; exit 1; }
  export EMULATOR_LOADER=$FOVEA_RUN_LOADER EMULATOR_LIBRARIES=$here/libc
  echo 'run.sh: by the C library that was carried along' >&2
}

# The drivers' OpenCL, wherever the machine has it: a folder for the loader that was carried along. Where NVIDIA's driver
# has none, or none that finds its card: ours, by the CUDA driver's interface.
find_drivers() {
  local library opencl cuda driver found=0
  rm -rf -- "$1"
  mkdir -p -- "$1"
  opencl=$(folder_of libnvidia-opencl.so.1)
  cuda=$(folder_of libcuda.so.1)
  driver=${opencl:-$cuda}
  [ "${FOVEA_RUN_ENGINE-}" != cuda ] || opencl='' driver=$cuda
  choose_libraries
  export OCL_ICD_VENDORS=$1/
  if [ -n "$opencl" ]; then
    printf '%s\n' "$opencl/libnvidia-opencl.so.1" >"$1/nvidia.icd"
    found=1
    finds_a_gpu || { echo "run.sh: the OpenCL of NVIDIA's driver finds no GPU" >&2; opencl=''; }
  fi
  if [ -z "$opencl" ] && [ -n "$cuda" ] && [ -e "$here/emulator/libemulator.so" ]; then
    use_cuda "$1"
    found=1
  fi
  for library in /etc/OpenCL/vendors/*.icd; do
    [ -e "$library" ] && [ "${library##*/}" != nvidia.icd ] && cp -- "$library" "$1/" && found=1
  done
  [ "$found" -eq 1 ] || echo 'run.sh: no OpenCL driver was found here' >&2
}

finds_a_gpu() { (fovea devices --json 2>/dev/null || true) | grep -q '"type": "gpu"'; }

use_cuda() {
  echo "run.sh: by the CUDA driver's interface, clang's PTX" >&2
  printf '%s\n' "$here/emulator/libemulator.so" >"$1/cuda.icd"
  rm -rf -- "$out/ptx"
  cp -r -- "$here/emulator/ptx" "$out/"
  export EMULATOR_DEVICE=cuda EMULATOR_CACHE=$out/ptx EMULATOR_SCRIPTS=$here/emulator
  [ -e "$here/clang.tar.xz" ] || return 0 # what was not compiled before cannot be, but where there is Debian's
  python3 -c 'import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2])' "$here/clang.tar.xz" "$out" 2>/dev/null &&
    export EMULATOR_TOOLS=$out/clang || echo 'run.sh: clang.tar.xz cannot be unpacked' >&2
}

refuse() {
  echo "run.sh: $1; run.sh --help says what it takes" >&2
  exit 2
}

# The comment at the head.
show_help() {
  sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
}

# Exit status 1 where its programs could not be made; what fails before ends it.
pack_all() {
  local failed=0
  [ ! -e "$1" ] || [ -d "$1" ] || refuse "$1 is no folder"
  [ -z "$(ls -A -- "$1" 2>/dev/null)" ] || refuse "$1 is not empty: a pack is made in a new folder"
  pack "$1"
  if [ -d "$1/emulator" ]; then
    pack_programs "$here/../.." "$1/emulator" || failed=1
    pack_clang "$1"
  fi
  echo "run.sh: $1, $(du -sm -- "$1" | cut -f1) MB, is to be carried there; its run.sh is all to call" >&2
  exit "$failed"
}

case ${1-} in
  --help | -h)
    show_help
    exit
    ;;
  --pack)
    [ -n "${2-}" ] || refuse '--pack needs the folder to pack into'
    [ $# -eq 2 ] || refuse "$3: one folder is all that --pack takes"
    case $2 in -*) refuse "$2 is no folder" ;; esac
    [ ! -d "$here/lib" ] || refuse 'this is a pack already'
    pack_all "$2"
    ;;
  -*) refuse "$1: an unknown option" ;;
esac
[ $# -le 1 ] || refuse "$2: one folder is all that it takes"
case ${FOVEA_RUN_SECONDS-570} in '' | *[!0-9]* | ??????*) refuse "FOVEA_RUN_SECONDS=$FOVEA_RUN_SECONDS: not a number of seconds" ;; esac
case ${FOVEA_RUN_ENGINE-} in '' | cuda) ;; *) refuse "FOVEA_RUN_ENGINE=$FOVEA_RUN_ENGINE: only cuda is one" ;; esac
case ${FOVEA_RUN_LIBC-} in '' | own) ;; *) refuse "FOVEA_RUN_LIBC=$FOVEA_RUN_LIBC: only own is one" ;; esac
[ -z "${FOVEA_RUN_DRIVER-}" ] || [ -d "$FOVEA_RUN_DRIVER" ] || refuse "FOVEA_RUN_DRIVER=$FOVEA_RUN_DRIVER is no folder"
command -v python3 >/dev/null || { echo 'run.sh: python3 is missing' >&2; exit 1; }
out=${1:-out}
mkdir -p -- "$out"
out=$(cd -- "$out" && pwd -P)
if [ ! -d "$here/lib" ]; then
  pack "$out/packed"
  here=$out/packed
  SECONDS=0 # to be built here is no part of the run
fi
echo "run.sh: up to ${FOVEA_RUN_SECONDS:-570} s; what each step says comes to $out" >&2
find_drivers "$out/vendors"
export XDG_CACHE_HOME=$out/cache FOVEA_RUN_SECONDS=$((${FOVEA_RUN_SECONDS:-570} - SECONDS))
exec python3 -B "$here/run.py" "$here" "$out"
