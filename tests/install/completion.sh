#!/usr/bin/env bash
# completion.sh COMMAND: what bash completes, by the installed function; and the same in zsh and fish, where they are.
set -euo pipefail
# shellcheck source=tests/install/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
command=$1
# shellcheck source=tools/cli/completion.bash
. "$here/../../tools/cli/completion.bash"
complete -p fovea | grep -qF -- '-F _fovea' || fail "nothing completes fovea"

# completed_bash WORD...: what the last word may become, one a line; = stands alone, as in bash.
completed_bash() {
  COMP_WORDS=("$command" "$@")
  COMP_CWORD=$#
  _fovea "$command" "${*: -1}" "${COMP_WORDS[COMP_CWORD - 1]}"
  [ ${#COMPREPLY[@]} -eq 0 ] || printf '%s\n' "${COMPREPLY[@]}" | sort
}

# The same where = breaks no words, as some set COMP_WORDBREAKS.
completed_bash_whole() {
  local line=" $*"
  mapfile -t words < <(printf '%s' "${line// = /=}" | sed 's/ =$/=/; s/^ //' | tr ' ' '\n'; echo)
  completed_bash "${words[@]}" | sed -E 's/^--[a-z-]+=//'
}

# The command line of these words, for the other shells.
line_of() {
  local line="fovea $*"
  printf '%s' "${line// = /=}" | sed 's/ =$/=/'
}

# In an interactive zsh, with quotes taken off.
completed_zsh() {
  PATH=${command%/*}:$PATH timeout 60 zsh -f "$here/completed.zsh" "$scratch/zsh" "$(line_of "$@")" | sed 's/\\//g' | sort
}

# By fish's own complete -C, with --name= in front and slashes behind taken off, and without what the words are for.
completed_fish() {
  PATH=${command%/*}:$PATH HOME=$scratch timeout 60 fish -N -c \
    "source '$here/../../tools/cli/completion.fish'; complete -C \"\$argv[1]\"" -- "$(line_of "$@")" |
    sed -E 's/\t.*//; s/^--[a-z-]+=//; s,/$,,' | sort
}

shells=(bash)
for shell in zsh fish; do
  if command -v "$shell" >/dev/null; then
    shells+=("$shell")
  else
    printf '%s is not installed, and not tried\n' "$shell"
  fi
done
mkdir -- "$scratch/zsh"
cp -- "$here/../../tools/cli/completion.zsh" "$scratch/zsh/_fovea"

# expect 'ONE TWO' WORD...: these and no others, in each shell; an @ is a space in a name.
expect() {
  local wanted=$1 got shell
  shift
  checks=$((checks + 1))
  local all=("${shells[@]}")
  [[ " $* " != *' = '* ]] || all+=(bash_whole)
  for shell in "${all[@]}"; do
    got=$("completed_$shell" "$@" | tr '\n' '|')
    [ "$got" = "$(printf '%s\n' "$wanted" | tr ' @' '\n ' | sed '/^$/d' | sort | tr '\n' '|')" ] ||
      fail "$shell: '$*' is completed to '$got', not to '$wanted'"
  done
}

mkdir -- "$scratch/work"
cd -- "$scratch/work"
mkdir data folder
touch table.csv other.csv picture.png 'two words.csv'
checks=0

expect 'train' tr
expect 'reconstruct regress report' re
expect '--help --version' --
expect '' zzz
expect '--activation --attention --arch' train --a
# Those of the one list, but linear, which is none.
activations=$(sed -nE '/define FOVEA_ACTIVATIONS/,/^$/s/^ *X\(([a-z_]+),.*/\1/p' "$here/../../src/graph/ops.h" | grep -vx linear)
expect "$activations" train --activation ''
expect 'selu sigmoid' train --activation s
expect 'selu sigmoid' train --activation = s
expect "$activations" train --activation =
expect 'on off' train --batchnorm o
expect 'both horizontal none vertical' train --flip =
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
for subcommand in $(completed_bash '' | grep -v '^-'); do
  options=$("$command" "$subcommand" --help | grep -oE '^ +(-[a-z], )?--[a-z-]+' | grep -oE -- '--.*' | sort | tr '\n' ' ')
  expect "${options% }" "$subcommand" --
done
[ "$checks" -gt 24 ] || fail "there were only $checks checks"
printf '%d completions in %s\n' "$checks" "${shells[*]}"
