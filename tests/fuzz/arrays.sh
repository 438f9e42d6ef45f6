#!/usr/bin/env bash
# arrays.sh BUILD SECONDS [READER...]: each reader of readers.h fuzzed for so many seconds by libFuzzer with the address and
# undefined-behaviour sanitizers, from corpus/READER. What crashes it is left in BUILD/READER/; put it, once mended, into
# the corpus, which tests/fuzz/test_corpus.c reads in every suite. --merge as SECONDS makes the corpus of all that
# BUILD/READER/ has found anew, as small as covers as much.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
root=$(cd -- "$here/../.." && pwd -P)
build=$1 seconds=$2
shift 2

skip() {
  printf 'skipped: %s\n' "$1"
  exit 77
}
command -v clang >/dev/null || skip 'not installed: clang'
mkdir -p -- "$build/objects"
packages=(zlib libzip libpng libjpeg jansson)
webp=()
pkg-config --exists libwebp && packages+=(libwebp) && webp=(-DFOVEA_WEBP)
read -ra flags <<<"$(pkg-config --cflags "${packages[@]}")"
read -ra libraries <<<"$(pkg-config --libs "${packages[@]}")"
compile=(clang -std=c11 -O1 -g -D_POSIX_C_SOURCE=200809L -fno-omit-frame-pointer
  "-fsanitize=address,undefined,fuzzer-no-link" -fno-sanitize-recover=undefined "-I$root/src" "-I$root/include" "-I$root/tests" "${webp[@]}" "${flags[@]}")
printf 'int LLVMFuzzerTestOneInput(const void *d, unsigned long n) { return d == 0 && n; }\n' >"$build/probe.c"
clang -fsanitize=fuzzer,address -o "$build/probe" "$build/probe.c" 2>/dev/null || skip "clang has no libFuzzer"

objects=()
newest=$(find "$root/src/base" "$root/src/data" "$root/include" "$here" -name '*.h' -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d ' ' -f 2-)
for source in "$root"/src/base/*.c "$root"/src/data/*.c "$here/read.c"; do
  object=$build/objects/$(basename -- "$source" .c).o
  objects+=("$object")
  if [ ! "$object" -nt "$source" ] || [ ! "$object" -nt "$newest" ]; then
    "${compile[@]}" -c -o "$object" "$source" &
    [ "$(jobs -rp | wc -l)" -lt "$(nproc)" ] || wait -n
  fi
done
wait

[ $# -gt 0 ] || mapfile -t readers < <(sed -n 's/^ *X(\([a-z_]*\), ".*/\1/p' "$here/readers.h")
[ $# -eq 0 ] || readers=("$@")
for reader in "${readers[@]}"; do
  target=$build/fuzz_$reader kept=$here/corpus/$reader found=$build/$reader
  mkdir -p -- "$found" "$kept"
  "${compile[@]}" -fsanitize=fuzzer "-DREADER=$reader" -o "$target" "$here/target.c" "${objects[@]}" "${libraries[@]}" -lm -lpthread
  options=(-max_len=8192 -timeout=10 -rss_limit_mb=1024 -print_final_stats=0 "-artifact_prefix=$found/")
  export ASAN_OPTIONS=allocator_may_return_null=1:max_allocation_size_mb=512
  if [ "$seconds" = --merge ]; then
    mkdir -p -- "$build/merged"
    rm -rf -- "$build/merged/$reader" && mkdir -- "$build/merged/$reader"
    "$target" -merge=1 "${options[@]}" "$build/merged/$reader" "$kept" "$found" 2>&1 | tail -n 1
  else
    printf '%s: ' "$reader"
    "$target" "-max_total_time=$seconds" "${options[@]}" "$found" "$kept" 2>"$build/$reader.log" ||
      { tail -n 60 "$build/$reader.log" && exit 1; }
    grep -o 'Done.*' "$build/$reader.log" | tail -n 1
  fi
done
