#!/bin/sh
# compile.sh DEVICE STEM OPTION...: OpenCL C in STEM.cl to a code object for DEVICE, a processor of AMD's as clang names
# it: STEM.co, what llvm-readelf says of it in STEM.notes, its machine code in STEM.s, which is there when all is. The
# compilers' messages go to stderr.
set -eu
device=$1 stem=$2
shift 2
tools=/usr/lib/llvm-15/bin
made=$stem.$$
trap 'rm -f "$made".*' EXIT
$tools/clang -x cl -Xclang -fdeclare-opencl-builtins -Xclang -finclude-default-header \
  -target amdgcn-amd-amdhsa -mcpu="$device" -nogpulib -O3 \
  -Xclang -mlink-builtin-bitcode -Xclang /usr/lib/clc/amdgcn--amdhsa.bc "$@" -c -o "$made".o "$stem".cl
$tools/ld.lld -shared "$made".o -o "$made".co
$tools/llvm-readelf --notes "$made".co >"$made".notes
$tools/llvm-objdump -d --mcpu="$device" "$made".co >"$made".s
mv "$made".co "$stem".co
mv "$made".notes "$stem".notes
mv "$made".s "$stem".s
