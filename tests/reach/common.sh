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

# make_data FOLDER FIRST: 48 and 16 images of 8 x 8 pixels, whose bytes are numbers from FIRST on, as text.
make_data() {
  mkdir -p -- "$1"
  { printf '\0\0\10\3\0\0\0\60\0\0\0\10\0\0\0\10' && seq "$2" 9999 | head -c 3072; } >"$1/train-images-idx3-ubyte" || true
  { printf '\0\0\10\3\0\0\0\20\0\0\0\10\0\0\0\10' && seq "$2" 9999 | head -c 1024; } >"$1/t10k-images-idx3-ubyte" || true
}

# sorted_results FOLDER: its lines without seconds and images/s.
sorted_results() { cut -d , -f 1-10,13 -- "$1/results.csv" | LC_ALL=C sort; }

# same_results A B
same_results() {
  diff <(sorted_results "$1") <(sorted_results "$2") >"$scratch/differences" || fail "$2 is not as $1" "$scratch/differences"
}
