#!/usr/bin/env bash
# Includes point only downward. A folder may include from itself and from the folders named in its line.
set -euo pipefail
# shellcheck source=tests/hygiene/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

# `fovea` is the public API, include/fovea/. The reference stands alone, so that it can disagree with the library: of that it
# has the names of the ops alone, macros. symbols.py holds the objects to the same lines.
declare -A below=(
  [include/fovea]="fovea"
  [src/base]="fovea base"
  [src/runtime]="fovea base runtime"
  [src/graph]="fovea base graph"
  [src/plan]="fovea base runtime graph plan"
  [src/op]="fovea base runtime graph op op/conv2d plan/record.h"
  [src/op/conv2d]="fovea base runtime graph op/conv2d plan/record.h"
  [src/net]="fovea base runtime graph plan net"
  [src/data]="fovea base data"
  [src/stats]="fovea base stats graph/ops.h"
  [src/model]="fovea base data graph op/list.h net model"
  [src/export]="fovea base graph net model export"
  [src/export/absent]="fovea base export"
  [src/ref]="ref graph/ops.h"
  [tools]="fovea base cli"
  [tools/cli]="fovea base runtime cli"
  [tools/events]="fovea base events"
  [tools/train]="fovea base cli draw events reach train graph/ops.h model/checkpoint.h data/folders.h data/load.h data/pack.h data/pack_format.h"
  [tools/export]="fovea base cli train export/onnx.h model/vae.h"
  [tools/pack]="fovea base cli train data/pack.h"
  [tools/draw]="fovea base cli draw train"
  [tools/experiment]="fovea base cli draw events train reach experiment stats/notes.h stats/sweep_design.h stats/text.h graph/ops.h"
  [tools/reach]="fovea base runtime cli reach"
  [tools/report]="fovea base cli draw train experiment report data/picture.h graph/graph.h graph/op.h model/vae.h stats/text.h"
  [tools/bench]="fovea base runtime graph/work.h op/list.h cli train bench check/step.h"
  [tools/check]="fovea base runtime graph op/list.h plan/inspect.h net data model cli ref check"
  [samples]="fovea"
)

# quoted_includes FILE: the names in its `#include "..."`, or of the public API in `#include <fovea/...>`.
quoted_includes() {
  sed -nE 's/^[[:space:]]*#[[:space:]]*include[[:space:]]+("|<(fovea\/))([^">]+).*/\2\3/p' -- "$1"
}

# path_of FOLDER NAME: the file that `#include "NAME"` in FOLDER means, relative to the top; empty if it is no file of ours.
path_of() {
  local candidate
  for candidate in "$1/$2" "src/$2" "include/$2" "tools/$2"; do
    if [ -f "$candidate" ]; then
      printf '%s\n' "$candidate"
      return
    fi
  done
}

findings=$(mktemp)
trap 'rm -f -- "$findings"' EXIT
count=0
while IFS= read -r -d '' file; do
  folder=${file%/*}
  allowed=${below[$folder]-}
  [ -n "$allowed" ] || printf '%s: the folder %s has no line in layers.sh\n' "$file" "$folder" >>"$findings"
  count=$((count + 1))
  while IFS= read -r name; do
    target=$(path_of "$folder" "$name")
    if [ -z "$target" ]; then
      printf '%s: "%s" is no file of this project\n' "$file" "$name" >>"$findings"
      continue
    fi
    target=${target#src/} target=${target#include/} target=${target#tools/}
    case " $allowed " in
      *" ${target%/*} "* | *" $target "*) ;;
      *) printf '%s: includes "%s"; it may include from: %s\n' "$file" "$name" "$allowed" >>"$findings" ;;
    esac
  done < <(quoted_includes "$file")
done < <(find_files src include tools samples -- '*.c' '*.h')

# What git tracks at the top, dotfiles aside; of an unpacked archive nothing is known to be tracked.
while IFS= read -r name; do
  case $name in
    .* | CMakeLists.txt | LICENSE | README.md | cl | include | samples | src | tests | tools) ;;
    *) printf '%s: at the top level, where it has no place\n' "$name" >>"$findings" ;;
  esac
done < <(git ls-files 2>/dev/null | cut -d/ -f1 | sort -u)
report layers "$count" "$findings"
