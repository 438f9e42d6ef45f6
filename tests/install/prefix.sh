#!/usr/bin/env bash
# prefix.sh BUILD: cmake --install into a fresh folder, which is then moved; programs that use it there.
set -euo pipefail
# shellcheck source=tests/install/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=tests/install/consumers.sh
. "$here/consumers.sh"
need ninja c++ pkg-config ldd

quietly cmake --install "$1" --prefix "$scratch/before"
prefix=$scratch/after
mv -- "$scratch/before" "$prefix"
version=$("$prefix/bin/fovea" --version | sed -n 1p)
version=${version#fovea }

by_find_package "$prefix"
by_pkg_config "$prefix"
[ "$(pkg-config --modversion fovea)" = "$version" ] || fail "fovea.pc is of another version than $version"

# What may not be had is refused, and says why.
configure=(cmake -G Ninja -S "$here/program" -DCMAKE_PREFIX_PATH="$prefix")
refused "requested version" "${configure[@]}" -B "$scratch/newer" -DVERSION=99.0 -DCOMPONENTS=shared
refused "fovea_static needs threads and, by pkg-config: OpenCL" \
  env PKG_CONFIG_LIBDIR=/nowhere PKG_CONFIG_PATH= "${configure[@]}" -B "$scratch/alone" -DCOMPONENTS=static
quietly env PKG_CONFIG_LIBDIR=/nowhere PKG_CONFIG_PATH= "${configure[@]}" -B "$scratch/shared" -DCOMPONENTS=shared

rm -f -- "$(folder_of "$prefix" libfovea.so)"/libfovea.so*
by_pkg_config "$prefix" --static

printf '%d programs say: %s\n' ${#said[@]} "${said[0]}"
