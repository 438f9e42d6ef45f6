#!/usr/bin/env zsh
# completed.zsh FOLDER LINE: what zsh completes LINE to, one a line, by FOLDER/_fovea, as it is installed: an interactive
# zsh on a terminal of its own gets the line and a tab, and says each match that is added (compadd's -A) between two NULs.
zmodload zsh/zpty || exit 77
zpty shell zsh -f -i
zpty -w shell "PROMPT=; unset zle_bracketed_paste; fpath=(${(q)1} \$fpath); autoload -Uz compinit && compinit -u -D"
zpty -w shell '
nul () { print -n -- "\0" }
compprefuncs=(nul) comppostfuncs=(nul exit)
bindkey "^I" complete-word
zstyle ":completion:*" list-grouped false
compadd () {
  if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then builtin compadd "$@"; return $?; fi
  local -a hits
  builtin compadd -A hits "$@"
  (( ! $#hits )) || print -rl -- $hits
  builtin compadd "$@"
}
print re""ady'
zpty -r shell output '*ready*' || exit 1
zpty -w -n shell "$2"$'\t'
zpty -r shell output $'*\0*\0' || exit 1
output=${output#*$'\0'}
print -r -- ${output%$'\0'} | tr -d '\r' | sed '/^$/d' | sort -u
zpty -d shell
