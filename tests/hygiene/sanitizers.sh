#!/usr/bin/env bash
# sanitizers.sh --build FOLDER CACHE | --sample FOLDER | --run FOLDER: the suite, or a sample of it, under the address,
# undefined-behaviour and leak sanitizers, by a build of its own in FOLDER and with the kernels that other tests left in
# CACHE. Left out is what would only run the same host code again, and long:
#   - a GPU's path (..._gpu_path), canonical, rounding, tuning and plain_c: the host code of other tests, other numbers;
#   - golden, check/emulated, tools/check, tools/sweep and tools/train: more trainings and kernels, of which op/network and
#     model/ have enough;
#   - runtime/driver_folder: processes that run out of memory or die of damage, which a sanitizer changes;
#   - fuzz/arrays, picture and table, which have sanitizers of their own, and a minute;
#   - scripts (json, python, report, events/tensorboard, most of export) and sweeps over devices and ranks: trainings again;
#   - tests that build programs or start whole suites themselves, and faults, which count calls that a sanitizer makes too.
# --build and --sample leave out, too, what is about kernels, networks and processes more than about memory on the host:
# op, model, net, samples, export, threads, side streams, and the command's longer tests.
set -euo pipefail
# shellcheck source=tests/hygiene/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
step=$1 build=$(realpath -m -- "$2")
left_out='^(hygiene|matrix|offline|mutate|coverage|faults|golden|install|emulator|gpu|json|python|report)/|^check/emulated$|^runtime/driver_folder|_gpu_(path|sample|optimized)$|_optimized$|_optimized_all$|^op/(canonical|rounding|tuning)$|^model/plain_c$|^tools/(check|sweep|train)$|^fuzz/(arrays|picture|table)$|^events/tensorboard$|^reach/(first_gone|hosts|link|ranks|slurm|sweep|train.*|without_mpi)$|^export/.*_sample$|^export/.*_all$'
[ "$step" = --run ] ||
  left_out+='|^(op|model|net|samples|export)/|^plan/shard|^plan/ranks|^runtime/(program|cache_folder)$|^stats/simulation$|^peers/|^api/threads$|^plan/side_stream$|^tools/(augment|bench|bench_seed|load|pack|plots|report|resume|signals|sweep_resume)$'

need ninja

# Only what is run: the programs of the tests that are not left out, relative to the build.
programs() {
  sed -nE 's,^add_test\(\[=\[([^]]*)\]=\] "[^"]*/(tests/test_[^"/]*|sample_[^"/]*)".*,\1 \2,p' \
    "$build/tests/CTestTestfile.cmake" |
    awk -v left_out="$left_out" '$1 !~ left_out { print $2 }' | sort -u
}

make() {
  local wanted
  mapfile -t wanted < <(programs)
  [ ${#wanted[@]} -gt 0 ] || { printf 'sanitizers: no test is left\n' && exit 1; }
  cmake --build "$build" --parallel "$1" --target "${wanted[@]}" | grep -v '^\[' || [ "${PIPESTATUS[0]}" -eq 0 ]
}

if [ "$step" = --build ]; then
  linker=() # of the time to build a quarter is linking, by gold a third of that
  if command -v ld.gold >/dev/null; then linker=(-DCMAKE_EXE_LINKER_FLAGS=-fuse-ld=gold); fi
  cmake -C .cmake/asan.cmake -S . -B "$build" -G Ninja -DFOVEA_TEST_CACHE="$3" -DCMAKE_C_FLAGS_DEBUG=-g1 "${linker[@]}" >/dev/null
  make 1
  exit
fi
[ "$step" = --sample ] || make "$(nproc)"
# Else the search for leaks may follow what it takes for a library's dynamic TLS to an address such as 0x8a4, and crash.
# LLVM gives a thread a signal stack of its own where the processor's is large (AVX-512, AMX); AddressSanitizer of gcc 12
# would unmap it at the thread's end as its own.
export ASAN_OPTIONS=intercept_tls_get_addr=0:use_sigaltstack=0
export LSAN_OPTIONS="suppressions='$hygiene/lsan.txt':print_suppressions=0" # quoted for paths with spaces
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
# ctest takes no more than nine groups, and leaves out nothing where there are more.
if ctest --test-dir "$build" -N --exclude-regex "$left_out" | grep ' hygiene/' >/dev/null; then
  printf 'sanitizers: ctest does not read what is left out\n' && exit 1
fi
ctest --test-dir "$build" --parallel "$(nproc)" --output-on-failure --timeout 300 --exclude-regex "$left_out"
