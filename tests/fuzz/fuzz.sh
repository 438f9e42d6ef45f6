#!/usr/bin/env bash
# fuzz.sh NAME SECONDS BUILD FOLDER...: builds tests/fuzz/NAME.c with the readers, by clang's libFuzzer with the address
# and undefined-behaviour sanitizers, in BUILD, and lets it run for so long on what the folders hold. What it finds stays
# in BUILD; a file that once failed goes into a folder of these, or into its test. An hour of it:
#   tests/fuzz/fuzz.sh picture 3600 build/fuzz tests/data/kinds tests/data/jpeg tests/data/pngsuite tests/data/webp
set -euo pipefail
name=$1 seconds=$2 build=$3
shift 3
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."
mkdir -p -- "$build/corpus-$name"
if ! echo 'int LLVMFuzzerTestOneInput(const char *d, long n) { return d == 0 && n; }' |
  clang -fsanitize=fuzzer -x c - -o "$build/try" 2>/dev/null; then
  echo 'skipped: not installed: clang with libFuzzer'
  exit 77
fi
packages=(libpng libjpeg jansson libzip zlib lapacke)
webp=()
pkg-config --exists libwebp && packages+=(libwebp) && webp=(-DFOVEA_WEBP)
read -r -a flags <<<"$(pkg-config --cflags "${packages[@]}")"
read -r -a libraries <<<"$(pkg-config --libs "${packages[@]}")"
cc=(clang -g -O1 -std=c11 '-fsanitize=fuzzer,address,undefined' -fno-sanitize-recover=undefined -ffp-contract=off
  -D_POSIX_C_SOURCE=200809L -Iinclude -Isrc -Itests "${webp[@]}")
"${cc[@]}" "${flags[@]}" "tests/fuzz/$name.c" tests/fuzz/read_table.c src/data/*.c src/base/*.c src/stats/*.c -o "$build/$name" "${libraries[@]}" -lm -lpthread
"$build/$name" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=4096 -max_len=65536 -print_final_stats=1 \
  -artifact_prefix="$build/$name-" "$build/corpus-$name" "$@" 2>&1 | tail -n 12
