# shellcheck shell=bash
# Sourced by the scripts here, with the command as their first argument: small images, settings that take a second, and
# results without times.
# shellcheck disable=SC2034 # used by who sources this
fovea=$(realpath -- "$1")
scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT
# settings EPOCHS: in `settings`.
# shellcheck disable=SC2034
settings() { settings=(--arch '4,3,2' --depth 1 --batch 16 --epochs "$1" --factors 'batchnorm,dropout'); }

fail() {
  printf '%s: %s\n' "${0##*/}" "$1" >&2
  shift
  [ $# -eq 0 ] || cat -- "$@" >&2
  exit 1
}

# idx COUNT SIDE FIRST: so many images, below 256, as an IDX file whose bytes are numbers from FIRST on, as text.
idx() {
  # shellcheck disable=SC2059 # the format is the bytes
  printf "\\0\\0\\10\\3\\0\\0\\0\\$(printf %o "$1")\\0\\0\\0\\$(printf %o "$2")\\0\\0\\0\\$(printf %o "$2")"
  seq "$3" 999999 | head -c $(($1 * $2 * $2)) || true
}

# make_data FOLDER FIRST [COUNT [SIDE]]: 48 and 16 images of 8 x 8 pixels, or so many and a third of it.
make_data() {
  mkdir -p -- "$1"
  idx "${3:-48}" "${4:-8}" "$2" >"$1/train-images-idx3-ubyte"
  idx $((${3:-48} / 3)) "${4:-8}" "$2" >"$1/t10k-images-idx3-ubyte"
}

# Skips where there are no ranks. A test may run as root, on fewer cores than ranks, and without a network.
need_mpirun() {
  if ! command -v mpirun >/dev/null || ! "$fovea" --version | grep -qE '^built with:.* MPI(,|$)'; then
    printf 'skipped: not installed: mpirun, or an MPI when fovea was built\n' && exit 77
  fi
  mpirun --version | sed -n 1p | grep -q 'Open MPI' || { printf 'skipped: mpirun is not of Open MPI\n' && exit 77; }
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
  export OMPI_MCA_btl=self,vader OMPI_MCA_plm_rsh_agent=/bin/false OMPI_MCA_hwloc_base_binding_policy=none
}

# process_of RANK PATTERN: the number of that rank, of those whose command line has the pattern.
process_of() {
  local process
  for process in $(pgrep -f -- "$2"); do
    if tr '\0' '\n' <"/proc/$process/environ" | grep -qx "OMPI_COMM_WORLD_RANK=$1"; then printf '%s\n' "$process"; fi
  done 2>/dev/null
}

# sorted_results FOLDER: its lines without seconds and images/s.
sorted_results() { cut -d , -f 1-10,13 -- "$1/results.csv" | LC_ALL=C sort; }

# same_results A B
same_results() {
  diff <(sorted_results "$1") <(sorted_results "$2") >"$scratch/differences" || fail "$2 is not as $1" "$scratch/differences"
}

# wait_for OUT EPOCH: until it has that epoch.
wait_for() {
  local i
  for ((i = 0; i < 6000; i++)); do
    if [ "$(wc -l 2>/dev/null <"$1/metrics.csv")" -gt "$2" ]; then return; fi
    sleep 0.05
  done 2>/dev/null
  fail "$1 does not come to epoch $2" "$1.txt"
}

# refused_beside GOOD SECONDS SENTENCE RANK'S COMMAND: one rank is the command in the array GOOD, and one so; within that
# time both are told.
refused_beside() {
  local -n good=$1
  local seconds=$2 sentence=$3 status=0
  shift 3
  timeout "$seconds" mpirun -n 1 "${good[@]}" --out refused : -n 1 "$@" --out refused >refused.txt 2>&1 || status=$?
  [ "$status" -eq 2 ] || fail "exit status $status, not 2" refused.txt
  grep -q "$sentence" refused.txt || fail "not said: $sentence" refused.txt
  [ ! -e refused ] || fail 'something was made' refused.txt
}
