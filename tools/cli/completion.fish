# Completes fovea's command line in fish. What there is to complete is read from the command's own --help.

# The subcommands, each with what it does.
function __fovea_subcommands
    fovea --help 2>/dev/null | sed -nE '/^subcommands:/I,/^$/s/^  +([a-z][a-z-]*)  +(.*)$/\1\t\2/p'
end

# The help of the subcommand that is there.
function __fovea_help
    set -l words (commandline -opc)
    test (count $words) -ge 2; and fovea $words[2] --help 2>/dev/null
end

# The options, each with what the help says of it.
function __fovea_options
    __fovea_help | sed -nE 's/^ +(-[[:alpha:]], +)?(--[a-z][a-z-]*)([ =][^ ]+)?(  +(.*))?$/\2\t\5/p'
end

# What may stand where the help asks for $argv[1]; $argv[2] is what is typed, $argv[3] what stands before it.
function __fovea_values
    switch $argv[1]
        case '*|*'
            string split '|' -- $argv[1] | string replace -r '^' -- "$argv[3]"
        case DIR RUN
            __fish_complete_directories "$argv[2]" '' | string replace -r '^' -- "$argv[3]"
        case 'FILE*'
            set -l suffix (string replace FILE '' -- $argv[1])
            if test -n "$suffix"
                __fish_complete_suffix "$argv[2]" $suffix | string match -r '^.*(?:/|'(string escape --style=regex -- $suffix)')(?:\t.*)?$' | string replace -r '^' -- "$argv[3]"
            else
                __fish_complete_path "$argv[2]" | string replace -r '^' -- "$argv[3]"
            end
    end
end

# What the help calls the argument of option $argv[1].
function __fovea_argument
    __fovea_help | sed -nE 's/^ +(-[[:alpha:]], +)?(--[a-z][a-z-]*)[ =]([^ ]+)(  .*)?$/\2 \3/p' | string replace -f -r "^$argv[1] " ''
end

# What the usage line calls the argument that belongs to no option.
function __fovea_positional
    __fovea_help | sed -nE '/^usage:/I{
      s/^usage: +[^ ]+ +[^ ]+//I
      s/--[a-z-]+[ =][^ ]+//g
      s/\[[^]]*\]//g
      s/^ *([^ ]+).*/\1/p
    }'
end

function __fovea_complete
    set -l words (commandline -opc)
    set -l word (commandline -ct)
    if test (count $words) -le 1
        __fovea_subcommands
        string match -q -- '-*' $word; and printf '%s\n' --help --version
        return
    end
    set -l argument
    if string match -q -- '--*=*' $word
        set argument (__fovea_argument (string replace -r '=.*' '' -- $word))
        __fovea_values "$argument" (string replace -r '^[^=]*=' '' -- $word) (string replace -r '=.*' '=' -- $word)
        return
    end
    set argument (__fovea_argument $words[-1])
    if test -n "$argument"
        __fovea_values "$argument" $word ''
    else if string match -q -- '-*' $word
        __fovea_options
    else
        __fovea_values (__fovea_positional) $word ''
    end
end

complete -c fovea -f -a '(__fovea_complete)'
