#!/usr/bin/env bash
# packages.sh BUILD: the Debian packages: their names, what they depend on and hold; unpacked, programs use them.
set -euo pipefail
# shellcheck source=tests/install/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=tests/install/consumers.sh
. "$here/consumers.sh"
build=$(realpath -- "$1")
need cpack dpkg dpkg-deb dpkg-shlibdeps file readelf c++ pkg-config

mkdir -- "$scratch/packages" "$scratch/root"
quietly cpack -G DEB -B "$scratch/packages" --config "$build/CPackConfig.cmake"
cd -- "$scratch/packages"
version=$("$build/fovea" --version | sed -n 1p)
version=${version#fovea }
architecture=$(dpkg --print-architecture)
library=libfovea${version%%.*}

# field PACKAGE NAME PATTERN: the field of its control file has it.
field() {
  local value
  value=$(dpkg-deb --field "$1_${version}_$architecture.deb" "$2")
  grep -qE -- "$3" <<<"$value" || fail "$1: $2 is '$value', without $3"
}

# holds PACKAGE PATTERN...: it has files of these names, and each of its files has one of them.
holds() {
  local package=$1 names pattern every=''
  names=$(dpkg-deb --fsys-tarfile "${package}_${version}_$architecture.deb" | tar -t | grep -v '/$')
  shift
  for pattern in "$@" '/usr/share/doc/[a-z0-9-]*/(copyright|changelog\.gz)'; do
    grep -qE -- "^\.$pattern\$" <<<"$names" || fail "$package has no $pattern"
    every+="|$pattern"
  done
  ! grep -vE -- "^\.(${every#|})\$" <<<"$names" || fail "$package should not have these"
}

for package in "$library" libfovea-dev fovea; do
  field "$package" Version "^$version\$"
  field "$package" Maintainer '^.+ <.+@.+>$'
  field "$package" Description '^Deep-learning training on any OpenCL device, '
  quietly dpkg -x "${package}_${version}_$architecture.deb" "$scratch/root"
done
[ "$(find . -maxdepth 1 -name '*.deb' | wc -l)" -eq 3 ] || fail "there are other packages: $(echo ./*.deb)"

field "$library" Section '^libs$'
field libfovea-dev Section '^libdevel$'
field fovea Section '^science$'
for package in "$library" fovea; do
  field "$package" Depends 'libc6 \(>= .*libjansson4 .*zlib1g'
  field "$package" Recommends '^pocl-opencl-icd \| opencl-icd$'
done
field libfovea-dev Depends "^$library \\(= $version\\), "
# What fovea.pc asks for is in packages that libfovea-dev depends on.
read -ra requires < <(sed -n 's/^Requires.private: //p' "$(folder_of "$scratch/root" fovea.pc)/fovea.pc" | tr -d ,)
for module in "${requires[@]}"; do
  owner=$(dpkg -S "$(pkg-config --variable=pcfiledir "$module")/$module.pc" 2>/dev/null) || continue # not of a package
  field libfovea-dev Depends "(^| )${owner%%:*}(,|\$)"
done
field fovea Depends libcairo2
field fovea Depends libprotobuf-c1
! dpkg-deb --field "${library}_${version}_$architecture.deb" Depends | grep -qE 'cairo|cmocka' ||
  fail "the library depends on what only the command needs"
dpkg-deb --info "${library}_${version}_$architecture.deb" shlibs |
  grep -qxF "libfovea ${version%%.*} $library (>= $version)" || fail "$library has other shlibs"

lib='/usr/lib(/[^/]+)?'
holds "$library" "$lib/libfovea\\.so\\.${version%%.*}" "$lib/libfovea\\.so\\.$version"
holds libfovea-dev '/usr/include/fovea/[a-z]+\.h' "$lib/libfovea\\.(a|so)" "$lib/pkgconfig/fovea\\.pc" \
  "$lib/cmake/fovea/fovea-[a-z-]+\\.cmake" '/usr/share/doc/libfovea-dev/examples/[a-z_]+\.c'
command_files=(/usr/bin/fovea /usr/share/bash-completion/completions/fovea '/usr/share/zsh/(site-functions|vendor-completions)/_fovea'
  /usr/share/fish/vendor_completions.d/fovea.fish '/usr/share/fovea/output\.schema\.json')
[ ! -d "$build/man1" ] || command_files+=('/usr/share/man/man1/fovea(-[a-z]+)?\.1\.gz') # without help2man there are none
holds fovea "${command_files[@]}"

# What lintian calls errors, where it is there.
if command -v lintian >/dev/null; then
  quietly lintian --allow-root --fail-on error ./*.deb
fi

[ "$("$scratch/root/usr/bin/fovea" --version | sed -n 1p)" = "fovea $version" ] || fail "the packaged command has another version"
by_pkg_config "$scratch/root/usr"
printf '%d programs say: %s\n' ${#said[@]} "${said[0]}"
