# shellcheck shell=bash
# Sourced by samples/demo.sh and tests/run.sh: installs what is missing and builds. Sets fovea_root and fovea_build_dir;
# fovea_setup TARGET [OPTION...] does all of it, fovea_setup_tests [OPTION...] for all tests, fovea_setup_long_test_tools
# installs what only the long ones use. Safe to run twice: what is there is left alone.

fovea_root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
fovea_build_dir=$fovea_root/build
fovea_lists_fetched= # once will do

fovea_packages=(
  cmake ninja-build gcc g++ pkg-config
  ocl-icd-opencl-dev opencl-headers pocl-opencl-icd libclblast-dev
  zlib1g-dev libzip-dev libpng-dev libjpeg62-turbo-dev libwebp-dev libstb-dev libjansson-dev liblapacke-dev
  librandom123-dev libxxhash-dev
  protobuf-c-compiler libprotobuf-c-dev libonnx-dev
  libcairo2-dev fonts-dejavu-core
  dataset-fashion-mnist
  libcmocka-dev
)
# Tools that some tests need; without one they are skipped, and say so. The build looks for the first of them, the others
# may come beside it.
fovea_test_build_packages=(help2man libopenmpi-dev openmpi-bin python3 python3-venv python3-pip llvm-15)
fovea_test_packages=(
  clang clang-tidy clang-format cppcheck shellcheck
  oclgrind clang-15 libclc-15 lld-15 llvm-spirv-15 spirv-tools binutils
  man-db dpkg-dev file zsh fish
)
# What tests/all.sh alone installs; chromium and python3-torch are some hundred packages each.
fovea_long_test_packages=(chromium python3-torch valgrind gcovr)

# fovea_quietly LOG TITLE COMMAND...: runs the command with its output in LOG, and a dot every two seconds. The
# output is shown only when the command fails.
fovea_quietly() {
  local log=$1 title=$2 start=$SECONDS status=0 dots
  shift 2
  printf '%s ' "$title" >&2
  # The dots stop with this script, however it ends.
  (while sleep 2 >/dev/null 2>&1 && kill -0 $$ 2>/dev/null; do printf . >&2; done) &
  dots=$!
  "$@" >"$log" 2>&1 </dev/null || status=$?
  kill "$dots" 2>/dev/null || true
  wait "$dots" 2>/dev/null || true
  if [ "$status" -eq 0 ]; then
    printf ' done (%d s)\n' $((SECONDS - start)) >&2
  else
    printf ' failed\n' >&2
    tail -n 60 -- "$log" >&2
    printf '\nsetup: this failed with status %d: %s\n' "$status" "$*" >&2
    [ ! -f "$log" ] || printf 'setup: all of its output is in %s\n' "$log" >&2
  fi
  return "$status"
}

# Those of the packages that are not installed, one a line.
fovea_missing_packages() {
  local package
  for package in "$@"; do
    # shellcheck disable=SC2016 # dpkg-query's own ${...}
    case " $(dpkg-query -W -f '${db:Status-Status} ' "$package" 2>/dev/null)" in # "not-installed" is one, too
      *' installed '*) ;;
      *) printf '%s\n' "$package" ;;
    esac
  done
}

# fovea_install_packages PACKAGE...: those that are missing.
fovea_install_packages() {
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    printf 'setup: there is no apt here, so nothing is installed. Needed are what Debian calls\n' >&2
    printf '  %s\n' "$@" >&2
    return 0 # they may be there under other names; the build says what is not
  fi
  local missing=() as_root=() log status=0
  mapfile -t missing < <(fovea_missing_packages "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
      printf 'setup: packages are missing, and installing them takes root or sudo. As root, run\n' >&2
      printf '  apt-get install --no-install-recommends %s\n' "${missing[*]}" >&2
      return 2
    fi
    as_root=(sudo)
    sudo -v || return # asks for the password here, where it is seen, if it asks at all
  fi
  printf 'Installing Debian packages: %s\n' "${missing[*]}" >&2
  as_root+=(env DEBIAN_FRONTEND=noninteractive apt-get -y -q -o DPkg::Lock::Timeout=300)
  log=$(mktemp)
  # Lists that could not all be fetched may still do: the installation decides.
  [ -n "$fovea_lists_fetched" ] || fovea_quietly "$log" '  fetching the package lists' "${as_root[@]}" update || true
  fovea_lists_fetched=yes
  fovea_quietly "$log" '  installing' "${as_root[@]}" install --no-install-recommends "${missing[@]}" || status=$?
  [ "$status" -ne 0 ] || rm -f -- "$log"
  return "$status"
}

# fovea_configure [OPTION...]: with these options of cmake, in build/.
fovea_configure() {
  local cache=$fovea_build_dir/CMakeCache.txt log=$fovea_build_dir/setup.log
  local configure=(cmake -S "$fovea_root" -B "$fovea_build_dir" -DCMAKE_BUILD_TYPE=Release -DFOVEA_TESTS=ON "$@")
  if [ ! -f "$cache" ]; then
    configure+=(-G Ninja)
  elif ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$fovea_root" "$cache"; then
    configure+=(--fresh -G Ninja) # the folder was moved or copied here with its build
  fi
  mkdir -p -- "$fovea_build_dir" || return
  fovea_quietly "$log" 'Configuring' "${configure[@]}"
}

# fovea_compile TARGET ("all" for everything)
fovea_compile() {
  local jobs
  jobs=$(nproc 2>/dev/null || echo 2)
  fovea_quietly "$fovea_build_dir/setup.log" 'Building' \
    cmake --build "$fovea_build_dir" --parallel "$jobs" --target "$1" || return
}

# fovea_setup TARGET [OPTION...]
fovea_setup() {
  fovea_install_packages "${fovea_packages[@]}" && fovea_configure "${@:2}" && fovea_compile "$1"
}

# These never fail: what is not there is not tested.
fovea_setup_test_tools() {
  fovea_install_packages "${fovea_test_packages[@]}" || printf 'setup: tests that need those will be skipped\n' >&2
}

fovea_setup_long_test_tools() {
  fovea_install_packages "${fovea_long_test_packages[@]}" || printf 'setup: tests that need those will be skipped\n' >&2
}

# The Python packages of the tests, by the interpreter that the build has found; the test that makes them says what is wrong.
fovea_make_test_environment() {
  local python
  python=$(sed -n 's/^_Python3_EXECUTABLE:INTERNAL=//p' "$fovea_build_dir/CMakeCache.txt")
  [ -x "$python" ] || return 0
  "$python" "$fovea_root/tests/support/pypi.py" make suite "$fovea_build_dir/tests/cache/packages" || true
}

# fovea_setup_tests [OPTION...]: all that is built. What is only fetched comes beside the compiler, to which it leaves most
# of the processors; but for sudo, which may ask for a password.
fovea_setup_tests() {
  local beside=() fetched status=0
  fovea_install_packages "${fovea_packages[@]}" "${fovea_test_build_packages[@]}" ||
    fovea_install_packages "${fovea_packages[@]}" || return
  [ "$(id -u)" -eq 0 ] || fovea_setup_test_tools
  fovea_configure "$@" || return
  fetched=$(mktemp)
  fovea_make_test_environment >"$fovea_build_dir/packages.log" 2>&1 </dev/null &
  beside+=($!)
  if [ "$(id -u)" -eq 0 ]; then
    fovea_setup_test_tools >"$fetched" 2>&1 </dev/null &
    beside+=($!)
  fi
  fovea_compile all || status=$?
  wait "${beside[@]}" || true
  cat -- "$fetched" >&2
  rm -f -- "$fetched"
  return "$status"
}
