#!/bin/sh
# through_spirv.sh STEM OPTION...: OpenCL C in STEM.cl to SPIR-V in STEM.spv, and that back to LLVM's bitcode in STEM.bc.
# Not optimised: that is left to whoever takes the module. With -O0 clang would forbid to inline a function, and PoCL 3.1
# can call none that asks for its work-item's number. llvm-spirv 15 has no prefetch, which a GPU's path has not either.
set -eu
stem=$1
shift
/usr/lib/llvm-15/bin/clang -x cl -Xclang -fdeclare-opencl-builtins -Xclang -finclude-default-header \
  -target spir64 -O1 -Xclang -disable-llvm-passes "-D__builtin_prefetch(p,write,locality)=((void)(p))" "$@" \
  -emit-llvm -c -o "$stem".bc "$stem".cl
llvm-spirv-15 --spirv-max-version=1.2 "$stem".bc -o "$stem".spv
spirv-val --target-env opencl1.2 "$stem".spv
llvm-spirv-15 -r --spirv-target-env=CL1.2 "$stem".spv -o "$stem".bc
