#!/usr/bin/env bash
# completion.sh COMMAND: what bash completes, by the installed function.
set -euo pipefail
# shellcheck source=tests/install/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
command=$1
# shellcheck source=tools/cli/completion.bash
. "$here/../../tools/cli/completion.bash"
complete -p fovea | grep -qF -- '-F _fovea' || fail "nothing completes fovea"

# completed WORD...: what the last word may become, one a line; = stands alone, as in bash.
completed() {
  COMP_WORDS=("$command" "$@")
  COMP_CWORD=$#
  _fovea "$command" "${*: -1}" "${COMP_WORDS[COMP_CWORD - 1]}"
  [ ${#COMPREPLY[@]} -eq 0 ] || printf '%s\n' "${COMPREPLY[@]}" | sort
}

# expect 'ONE TWO' WORD...: these and no others; an @ is a space in a name.
expect() {
  local wanted=$1 got
  shift
  got=$(completed "$@" | tr '\n' '|')
  checks=$((checks + 1))
  [ "$got" = "$(printf '%s\n' "$wanted" | tr ' @' '\n ' | sed '/^$/d' | sort | tr '\n' '|')" ] ||
    fail "'$*' is completed to '$got', not to '$wanted'"
}

mkdir -- "$scratch/work"
cd -- "$scratch/work"
mkdir data folder
touch table.csv other.csv picture.png 'two words.csv'
checks=0

expect 'train' tr
expect 'reconstruct regress report' re
expect '--help --version' --
expect '' nothing
expect '--activation --attention --arch' train --a
# Those of the one list, but linear, which is none.
activations=$(sed -nE '/define FOVEA_ACTIVATIONS/,/^$/s/^ *X\(([a-z_]+),.*/\1/p' "$here/../../src/graph/ops.h" | grep -vx linear)
expect "$activations" train --activation ''
expect 'selu sigmoid' train --activation s
expect 'selu sigmoid' train --activation = s
expect "$activations" train --activation =
expect 'on off' train --batchnorm o
expect 'mean sample' reconstruct --latent ''
expect 'data folder' train --data ''
expect 'data' train --depth 3 --data = d
expect 'data folder picture.png' reconstruct --out ''
expect 'data folder other.csv table.csv two@words.csv' regress ''
expect 'two@words.csv' regress tw
expect '' train --epochs ''
expect '' train ''
expect '' devices ''

# Every option that a subcommand's help lists.
for subcommand in $(completed '' | grep -v '^-'); do
  options=$("$command" "$subcommand" --help | grep -oE '^ +(-[a-z], )?--[a-z-]+' | grep -oE -- '--.*' | sort | tr '\n' ' ')
  expect "${options% }" "$subcommand" --
done
[ "$checks" -gt 24 ] || fail "there were only $checks checks"
printf '%d completions\n' "$checks"
