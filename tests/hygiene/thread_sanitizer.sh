#!/usr/bin/env bash
# thread_sanitizer.sh BUILD: what include/fovea/fovea.h promises of threads, by api/threads under ThreadSanitizer, and
# pictures and packed sets that threads read, by data/ring and data/picture_folder, and the command's ranks, by
# tests/reach/threads.sh, in a build folder of its own that has the command and those tests. Drivers are not instrumented,
# and nothing of theirs is reported; a report that names only a driver's frames would need a suppressions file here, with
# its reason.
set -euo pipefail
# shellcheck source=tests/hygiene/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
build=$1

need ninja gcc
mkdir -p -- "$build"
printf 'int main(void) { return 0; }\n' >"$build/probe.c"
if ! { gcc -fsanitize=thread -o "$build/probe" "$build/probe.c" && "$build/probe"; } 2>/dev/null; then
  skip "the compiler has no ThreadSanitizer, or it does not run here"
fi
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_C_COMPILER=gcc \
  -DCMAKE_C_FLAGS="-fsanitize=thread -fno-omit-frame-pointer" >/dev/null
cmake --build "$build" --parallel "$(nproc)" --target fovea test_{ring,picture_folder,threads}_alone |
  grep -v '^\[' || [ "${PIPESTATUS[0]}" -eq 0 ]
export TSAN_OPTIONS=second_deadlock_stack=1
for name in ring picture_folder threads; do "$build/tests/hygiene/test_${name}_alone"; done
./tests/reach/threads.sh "$build/fovea" || [ $? -eq 77 ]
