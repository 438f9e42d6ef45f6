# shellcheck shell=bash
# Completes fovea's command line in bash. What there is to complete is read from the command's own --help.

# _fovea_section NAME: the first words of the lines below "NAME:", up to an empty line. The help comes on stdin.
_fovea_section() {
  sed -nE "/^$1:/I,/^\$/s/^ +([a-z][a-z-]*) .*/\\1/p"
}

# The options of the help on stdin, one a line: its name, and after a space what the help calls its argument.
_fovea_options() {
  sed -nE 's/^ +(-[[:alpha:]], +)?(--[a-z][a-z-]*)([ =]([^ ]+))?(  .*)?$/\2 \4/p'
}

# What the usage line calls the argument that belongs to no option; nothing where there is none.
_fovea_positional() {
  sed -nE '/^usage:/I{
    s/^usage: +[^ ]+ +[^ ]+//I
    s/--[a-z-]+[ =][^ ]+//g
    s/\[[^]]*\]//g
    s/^ *([^ ]+).*/\1/p
  }'
}

# _fovea_values ARGUMENT WORD: what WORD may become where the help asks for ARGUMENT.
_fovea_values() {
  case $1 in
    *'|'*) compgen -W "${1//|/ }" -- "$2" ;;
    DIR | RUN) compgen -o filenames -d -- "$2" ;;
    FILE*)
      compgen -d -- "$2"
      compgen -f -X "!*${1#FILE}" -- "$2"
      ;;
  esac
}

# _fovea COMMAND WORD BEFORE, as bash calls it. "--name=value" comes in three words where = breaks words, else in one,
# and then what it becomes has its name, too.
_fovea() {
  local command=${1/#\~/$HOME} word=$2 before=$3 help name argument options prefix=''
  COMPREPLY=()
  if [ "$COMP_CWORD" -le 1 ]; then
    help=$("$command" --help 2>/dev/null) || return
    mapfile -t COMPREPLY < <(compgen -W "$(_fovea_section subcommands <<<"$help") --help --version" -- "$word")
    return
  fi
  if [ "${COMP_WORDS[COMP_CWORD]}" = = ]; then
    word='' before=${COMP_WORDS[COMP_CWORD - 1]}
  elif [ "$before" = = ]; then
    before=${COMP_WORDS[COMP_CWORD - 2]}
  elif [[ $word == --*=* ]]; then
    before=${word%%=*} prefix=$before= word=${word#*=}
  fi
  help=$("$command" "${COMP_WORDS[1]}" --help 2>/dev/null) || return
  options=$(_fovea_options <<<"$help")
  argument=''
  while read -r name value; do
    [ "$name" != "$before" ] || argument=$value
  done <<<"$options"
  if [ -z "$argument" ] && [ -n "$prefix" ]; then return; fi
  if [ -z "$argument" ] && [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(cut -d ' ' -f 1 <<<"$options")" -- "$word")
    return
  fi
  [ -n "$argument" ] || argument=$(_fovea_positional <<<"$help")
  mapfile -t COMPREPLY < <(_fovea_values "$argument" "$word" | sort -u)
  COMPREPLY=("${COMPREPLY[@]/#/$prefix}")
  case $argument in
    DIR | RUN | FILE*) compopt -o filenames 2>/dev/null ;; # a slash after a folder; quotes where they are needed
  esac
}
complete -F _fovea fovea
