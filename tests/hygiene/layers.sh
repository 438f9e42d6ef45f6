#!/usr/bin/env bash
# Includes point only downward. A folder may include from itself and from the folders named in its line.
set -euo pipefail
# shellcheck source=tests/hygiene/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

# `fovea` is the public API, include/fovea/. The reference stands alone, so that it can disagree with the library.
# src/op sees two headers of src/net, and only those: the types that an op is written against, a node and a plan.
# The benchmark sees one of src/net: what a network costs. A run sees one of src/train: what a checkpoint carries.
declare -A below=(
  [include/fovea]="fovea"
  [src/base]="fovea base"
  [src/core]="fovea base core"
  [src/op]="fovea core op net/graph.h net/plan.h"
  [src/net]="fovea core op net"
  [src/data]="fovea base core data"
  [src/stats]="fovea core stats"
  [src/train]="fovea base core data net train"
  [src/ref]="ref"
  [src/check]="fovea core op net data train ref check"
  [tools]="fovea base core stats check tools net/work.h train/checkpoint.h"
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
    target=${target#src/} target=${target#include/}
    case " $allowed " in
      *" ${target%/*} "* | *" $target "*) ;;
      *) printf '%s: includes "%s"; it may include from: %s\n' "$file" "$name" "$allowed" >>"$findings" ;;
    esac
  done < <(quoted_includes "$file")
done < <(find_files src include tools samples -- '*.c' '*.h')
report layers "$count" "$findings"
