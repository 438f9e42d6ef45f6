#!/usr/bin/env bash
# pages.sh COMMAND FOLDER: the manual pages: one of the command and of each subcommand, with every option and every
# subcommand of its --help, and without a warning of man's.
set -euo pipefail
# shellcheck source=tests/install/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
command=$1 folder=$2
need man groff lexgrog zcat
if [ ! -d "$folder" ]; then
  printf 'skipped: there are no pages, since help2man was not installed when they would have been made\n'
  exit 77
fi
export LC_ALL=C.UTF-8 MANWIDTH=100 MAN_KEEP_FORMATTING=

# page NAME HELP: what is in the help is in the page.
page() {
  local name=$1 help=$2 file=$folder/$1.1.gz said word
  [ -f "$file" ] || fail "there is no page $name"
  said=$( (man --warnings --local-file "$file" >"$scratch/page" && zcat -- "$file" | groff -man -ww -Tutf8 >/dev/null) 2>&1)
  [ -z "$said" ] || fail "$name: $said"
  lexgrog -- "$file" | grep -qF "\"$name - " || fail "$name: man's index does not find its name and summary"
  while read -r word; do
    grep -qE -- "^ +(-[[:alpha:]], )?${word}([ =,]|\$)" "$scratch/page" || fail "$name: the page has no $word"
    words=$((words + 1))
  done < <(sed -nE 's/^ +(-[[:alpha:]], +)?(--[a-z][a-z-]*|[a-z]+ |[A-Z_]+=).*/\2/p' <<<"$help" | tr -d ' =')
}

words=0
help=$("$command" --help)
page fovea "$help"
subcommands=$(sed -nE '/^subcommands:/I,/^$/s/^ +([a-z]+) .*/\1/p' <<<"$help")
for subcommand in $subcommands; do
  page "fovea-$subcommand" "$("$command" "$subcommand" --help)"
done
[ "$(find "$folder" -type f | wc -l)" -eq $(($(wc -w <<<"$subcommands") + 1)) ] || fail "there are other pages, too"
[ "$words" -gt 60 ] || fail "only $words options, subcommands and variables were found"
printf '%d options, subcommands and variables in the pages\n' "$words"
