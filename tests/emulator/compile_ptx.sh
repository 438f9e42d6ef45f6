#!/bin/sh
# compile_ptx.sh TARGET STEM OPTION...: OpenCL C in STEM.cl to STEM.ptx for TARGET, a processor of NVIDIA's as clang names
# it. The compiler's messages go to stderr.
set -eu
target=$1 stem=$2 here=$(dirname -- "$0")
shift 2
made=$stem.$$
trap 'rm -f "$made".*' EXIT
/usr/lib/llvm-15/bin/clang -x cl -Xclang -fdeclare-opencl-builtins -Xclang -finclude-default-header \
  -target nvptx64-nvidia-nvcl -Xclang -target-cpu -Xclang "$target" -O3 -Wno-linker-warnings \
  -Xclang -mlink-builtin-bitcode -Xclang /usr/lib/clc/nvptx64--nvidiacl.bc -include "$here/range.clh" "$@" \
  -S -o "$made".ptx "$stem".cl
mv "$made".ptx "$stem".ptx
