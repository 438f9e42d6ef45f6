#compdef fovea
# Completes fovea's command line in zsh. What there is to complete is read from the command's own --help.

# _fovea_values ARGUMENT: what may stand where the help asks for ARGUMENT.
_fovea_values() {
  case $1 in
    *'|'*) compadd -- ${(s:|:)1} ;;
    DIR | RUN) _files -/ ;;
    FILE*) if [[ -n ${1#FILE} ]]; then _files -g "*${1#FILE}"; else _files; fi ;;
    *) _message "$1" ;;
  esac
}

_fovea() {
  local help line name argument positional
  local -a subcommands options
  local command=${words[1]/#\~/$HOME}
  if (( CURRENT == 2 )); then
    help=$($command --help 2>/dev/null) || return
    for line in ${(f)"$(print -r -- $help | sed -nE '/^subcommands:/I,/^$/s/^  +([a-z][a-z-]*)  +(.*)$/\1:\2/p')"}; do
      subcommands+=($line)
    done
    _describe -t commands subcommand subcommands
    [[ $PREFIX != -* ]] || compadd -- --help --version
    return
  fi
  help=$($command ${words[2]} --help 2>/dev/null) || return
  # "--name=value" is one word here.
  local given=${words[CURRENT - 1]}
  if [[ $PREFIX == --*=* ]]; then
    given=${PREFIX%%=*}
    compset -P '*='
  fi
  for line in ${(f)"$(print -r -- $help | sed -nE 's/^ +(-[[:alpha:]], +)?(--[a-z][a-z-]*)([ =]([^ ]+))?(  .*)?$/\2 \4/p')"}; do
    name=${line%% *} argument=${line#* }
    options+=($name)
    if [[ $name == $given && -n $argument ]]; then
      _fovea_values $argument
      return
    fi
  done
  if [[ $PREFIX == -* ]]; then
    compadd -- $options
    return
  fi
  positional=$(print -r -- $help | sed -nE '/^usage:/I{
    s/^usage: +[^ ]+ +[^ ]+//I
    s/--[a-z-]+[ =][^ ]+//g
    s/\[[^]]*\]//g
    s/^ *([^ ]+).*/\1/p
  }')
  [[ -z $positional ]] || _fovea_values $positional
}

# Autoloaded as a function it is called; read by source it is made known.
if [[ ${funcstack[1]-} == _fovea ]]; then _fovea "$@"; else compdef _fovea fovea; fi
