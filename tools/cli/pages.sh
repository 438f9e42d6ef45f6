#!/usr/bin/env bash
# pages.sh COMMAND SUMMARY HELP2MAN FOLDER: writes the manual pages of the command and of each of its subcommands, from
# what they say to --help.
set -euo pipefail
command=$(realpath -- "$1") command_summary=$2 help2man=$3 folder=$4
temporary=$(mktemp -d)
trap 'rm -rf -- "$temporary"' EXIT

# What help2man runs: the help, with titles that it knows, and a variable and what it does in one line.
cat >"$temporary/fovea" <<'END'
#!/bin/sh
"$command" $subcommand "$@" |
  sed -E -e 's/^(usage|options|subcommands):/\u&/' -e '/^  [A-Z_0-9]+=[^ ]*$/{N;s/\n +/  /}'
END
chmod +x "$temporary/fovea"
export command subcommand=''
version=$("$command" --version | sed -n 1p)

# page NAME SUMMARY SEE...: the page of what $subcommand is.
page() {
  local name=$1 summary=$2
  shift 2
  printf '[name]\n%s \\- %s\n\n[see also]\n' "$name" "$summary" >"$temporary/more"
  printf '.BR %s (1),\n' "$@" | sed '$s/,$//' >>"$temporary/more"
  "$help2man" --no-info --no-discard-stderr --version-string "$version" --manual Fovea --include "$temporary/more" \
    "$temporary/fovea" | sed "s/^\\.TH FOVEA /.TH ${name^^} /" | gzip -9n >"$folder/$name.1.gz"
}

mkdir -p -- "$folder"
rm -f -- "$folder"/*.1.gz
pages=()
while read -r subcommand summary; do
  page "fovea-$subcommand" "$summary" fovea
  pages+=("fovea-$subcommand")
done < <("$command" --help | sed -nE '/^subcommands:/I,/^$/s/^  +([a-z][a-z-]*) +/\1 /p')
subcommand=''
# The last one, so that its being there says that all are.
page fovea "$command_summary" "${pages[@]}"
