#!/bin/sh
# compile_ptx.sh TARGET STEM OPTION...: OpenCL C in STEM.cl to STEM.ptx for TARGET, a processor of NVIDIA's as clang names
# it. The compiler's messages go to stderr. EMULATOR_TOOLS is a folder with a clang of its own: bin/clang, its libraries in
# lib/, its headers in include/, and libclc's nvptx64--nvidiacl.bc; else they are Debian's. EMULATOR_LOADER is a loader to
# start it by, with the C library in EMULATOR_LIBRARIES. All functions are inlined, as compilers for GPUs do: clang's for
# AMD by itself.
set -eu
target=$1 stem=$2 here=$(dirname -- "$0")
shift 2
made=$stem.$$
trap 'rm -f "$made".*' EXIT
clang=/usr/lib/llvm-15/bin/clang bitcode=/usr/lib/clc/nvptx64--nvidiacl.bc
if [ -n "${EMULATOR_TOOLS-}" ]; then
  clang=$EMULATOR_TOOLS/bin/clang bitcode=$EMULATOR_TOOLS/nvptx64--nvidiacl.bc
  if [ -z "${EMULATOR_LOADER-}" ]; then export LD_LIBRARY_PATH="$EMULATOR_TOOLS/lib"; fi
  set -- -Xclang -internal-isystem -Xclang "$EMULATOR_TOOLS/include" "$@"
fi
start() {
  if [ -n "${EMULATOR_TOOLS-}" ] && [ -n "${EMULATOR_LOADER-}" ]; then
    "$EMULATOR_LOADER" --library-path "$EMULATOR_LIBRARIES:$EMULATOR_TOOLS/lib" "$@"
  else
    "$@"
  fi
}
start "$clang" -x cl -Xclang -fdeclare-opencl-builtins -Xclang -finclude-default-header \
  -target nvptx64-nvidia-nvcl -Xclang -target-cpu -Xclang "$target" -O3 -Wno-linker-warnings -mllvm -inline-threshold=100000 \
  -Xclang -mlink-builtin-bitcode -Xclang "$bitcode" -include "$here/range.clh" "$@" \
  -S -o "$made".ptx "$stem".cl
mv "$made".ptx "$stem".ptx
