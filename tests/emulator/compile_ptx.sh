#!/bin/sh
# compile_ptx.sh TARGET STEM OPTION...: OpenCL C in STEM.cl to STEM.ptx for TARGET, a processor of NVIDIA's as clang names
# it. The compiler's messages go to stderr. EMULATOR_TOOLS is a folder with a clang of its own: bin/clang, its libraries in
# lib/, its headers in include/, and libclc's nvptx64--nvidiacl.bc; else they are Debian's. All functions are inlined, as
# compilers for GPUs do: clang's for AMD by itself.
set -eu
target=$1 stem=$2 here=$(dirname -- "$0")
shift 2
made=$stem.$$
trap 'rm -f "$made".*' EXIT
clang=/usr/lib/llvm-15/bin/clang bitcode=/usr/lib/clc/nvptx64--nvidiacl.bc
if [ -n "${EMULATOR_TOOLS-}" ]; then
  clang=$EMULATOR_TOOLS/bin/clang bitcode=$EMULATOR_TOOLS/nvptx64--nvidiacl.bc
  export LD_LIBRARY_PATH="$EMULATOR_TOOLS/lib"
  set -- -Xclang -internal-isystem -Xclang "$EMULATOR_TOOLS/include" "$@"
fi
"$clang" -x cl -Xclang -fdeclare-opencl-builtins -Xclang -finclude-default-header \
  -target nvptx64-nvidia-nvcl -Xclang -target-cpu -Xclang "$target" -O3 -Wno-linker-warnings -mllvm -inline-threshold=100000 \
  -Xclang -mlink-builtin-bitcode -Xclang "$bitcode" -include "$here/range.clh" "$@" \
  -S -o "$made".ptx "$stem".cl
mv "$made".ptx "$stem".ptx
