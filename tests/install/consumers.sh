# shellcheck shell=bash
# Sourced after common.sh by tests that have an installed Fovea somewhere: programs in C and C++ are built with it, and
# run. They set `version`, which is asked for.
# shellcheck disable=SC2154
warnings=(-Wall -Wextra -Werror)
said=()

# runs PROGRAM [ENVIRONMENT...]: what it says must be what those before said, whose library is the same.
runs() {
  said+=("$(env "${@:2}" "$1")")
  [ "${said[-1]}" = "${said[0]}" ] || fail "$1 says ${said[-1]}, one before it ${said[0]}"
}

# folder_of PREFIX FILE: where it is, as pkg-config and CMake would look for it.
folder_of() {
  local found
  found=$(find "$1" -name "$2" -printf '%h\n')
  [ -n "$found" ] || fail "there is no $2 in $1"
  printf '%s\n' "$found"
}

# by_find_package PREFIX: both libraries.
by_find_package() {
  local build=$scratch/find_package program
  rm -rf -- "$build"
  quietly cmake -G Ninja -S "$here/program" -B "$build" -DCMAKE_PREFIX_PATH="$1" -DVERSION="$version" \
    -DCOMPONENTS="shared;static"
  quietly cmake --build "$build"
  for program in c cpp; do
    uses "$(folder_of "$1" libfovea.so)/libfovea.so" "$build/${program}_shared"
    stands_alone "$build/${program}_static"
    runs "$build/${program}_shared"
    runs "$build/${program}_static"
  done
}

# by_pkg_config PREFIX [--static]: with it the prefix must have the static library alone.
by_pkg_config() {
  local prefix=$1 flags program libraries
  shift
  libraries=$(folder_of "$prefix" libfovea.a)
  PKG_CONFIG_PATH=$(folder_of "$prefix" fovea.pc)
  export PKG_CONFIG_PATH
  read -ra flags < <(pkg-config "$@" --cflags --libs fovea)
  quietly cc -std=c11 "${warnings[@]}" "$here/program/program.c" -o "$scratch/c_program" "${flags[@]}"
  quietly c++ -std=c++11 "${warnings[@]}" "$here/program/program.cpp" -o "$scratch/cpp_program" "${flags[@]}"
  for program in "$scratch/c_program" "$scratch/cpp_program"; do
    if [ "$*" = --static ]; then
      stands_alone "$program"
      runs "$program"
    else
      LD_LIBRARY_PATH=$libraries uses "$libraries/libfovea.so" "$program"
      runs "$program" LD_LIBRARY_PATH="$libraries"
    fi
  done
}
