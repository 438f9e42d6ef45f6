#!/usr/bin/env bash
# cl_lint.sh [EVERY]: every kernel file compiles alone with clang as OpenCL C 1.2 without a warning: for each vector width,
# with the device's own division and with the corrected one, and with sets of the tiles that src/op/ gives. EVERY 4: a
# quarter of the files, by their checksums.
set -euo pipefail
# shellcheck source=tests/hygiene/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

every=${1-1}

need clang
flags=(-x cl -cl-std=CL1.2 -Xclang -finclude-default-header -fsyntax-only -Icl
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror
  -Wno-sign-conversion    # an index is get_global_id(), a size_t, times sizes that are int
  -Wno-unused-parameter)  # a sum over the lanes of one work-item needs no scratch, other sums do
tiles=("-DR=1 -DS=1 -DSTRIDE=1 -DTK=1 -DTP=1 -DCB=1 -DKG=1 -DCC=1 -DM=2 -DTC=1 -DKB=1 -DT=1 -DTRANSPOSED=0 -DPACKED=0 -DP=4 -DMOST=768 -DACTIVATION=2 -DDROPOUT=1 -DSCALED=1 -DNORMALIZED=1 -DMEASURED=1 -DREST=0 -DSUBS=4 -DTB=1 -DLEVELS=1 -DGROUP=16 -DSK=1 -DSC=1"
  "-DR=3 -DS=3 -DSTRIDE=2 -DTK=5 -DTP=4 -DCB=2 -DKG=5 -DCC=16 -DM=4 -DTC=2 -DKB=5 -DT=14 -DTRANSPOSED=1 -DPACKED=1 -DP=14 -DMOST=768 -DACTIVATION=3 -DDROPOUT=1 -DNORMALIZED=1 -DMERGED=1 -DREST=5 -DSUBS=8 -DTB=4 -DLEVELS=5 -DGROUP=256 -DSK=2 -DSC=2")
winograds=()
for winograd in "-DSTRIDE=1 -DM=4" "-DSTRIDE=2 -DM=2"; do
  winograds+=("$winograd -DTRANSPOSED=0 -DPACKED=0 -DR=3 -DS=3 -DTK=4 -DTP=2 -DCB=2 -DKG=2 -DCC=5 -DTC=3 -DKB=2 -DT=7 -DP=4 -DMOST=768 -DACTIVATION=4 -DDROPOUT=0 -DGROUP=192 -DSK=1 -DSC=3")
done
tiled=("-DM=4 -DSTRIDE=1 -DTRANSPOSED=0 -DTK=5 -DTC=16 -DCB=3" "-DM=2 -DSTRIDE=1 -DTRANSPOSED=0 -DTK=4 -DTC=4 -DCB=8"
  "-DM=2 -DSTRIDE=2 -DTRANSPOSED=0 -DTK=5 -DTC=8 -DCB=5" "-DM=4 -DSTRIDE=2 -DTRANSPOSED=1 -DTK=4 -DTC=16 -DCB=1 -DACTIVATION=3")
divisions=("" "-DFOVEA_CORRECT_DIVISION")

# The compilations, one a line: the options that differ, then the file.
compilations() {
  local file width tile division widths mine
  while IFS= read -r -d '' file; do
    drawn "$file" "$every" || continue
    widths=(1 4 8 16)
    # The canonical tree of a sum has 16 leaves: 16 lanes, or 16 work-items.
    if grep -qE '"common/(reduce|moments|batchnorm_statistics)\.clh"' -- "$file"; then widths=(1 16); fi
    if [[ $file == *backward_weight_few.cl || $file == *backward_weight_blocked.cl ]]; then widths=(4 8 16); fi # a CPU's
    mine=("${tiles[@]}")
    if grep -q winograd <<<"$file" || grep -q 'include.*winograd' -- "$file"; then mine+=("${winograds[@]}"); fi
    # A GPU's alone, and of fewer tiles.
    if [[ $file == *winograd_tiled.cl ]]; then widths=(1) mine=("${tiled[@]}"); fi
    for width in "${widths[@]}"; do
      for tile in "${mine[@]}"; do
        for division in "${divisions[@]}"; do
          printf '%s\n' "-DV=$width -DFOVEA_V=$width $tile $division $file"
        done
      done
    done
  done < <(find_files cl -- '*.cl')
}

# What the driver would start for one file, without the file: it takes several, where clang starts a process for each.
frontend=()
parse() {
  local command
  command=$(clang "${flags[@]}" -### cl/adam.cl 2>&1 | grep -F '"-cc1"')
  eval "frontend=($command)" # quoted by the driver, for a shell
  unset 'frontend[-1]'
}

list=$(mktemp) findings=$(mktemp)
trap 'rm -f -- "$list" "$findings"' EXIT
compilations >"$list"
parse
# Files of the same options in one process.
awk '{ file = $NF; sub(/ *[^ ]*$/, ""); files[$0] = files[$0] " " file } END { for (o in files) print o files[o] }' "$list" |
  xargs -P "$jobs" -L 1 bash -c '"$@" || echo "failed: $*"' lint "${frontend[@]}" >"$findings" 2>&1 || true
report cl_lint "$(wc -l <"$list")" "$findings"
