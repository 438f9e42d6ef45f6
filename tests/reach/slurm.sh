#!/usr/bin/env bash
# slurm.sh COMMAND: the job files of samples/slurm, without Slurm: what they ask of it exists, they are run as it would, and
# what they leave is the sweep of one process.
set -euo pipefail
# shellcheck source=tests/reach/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
jobs=$(realpath -- "$(dirname -- "${BASH_SOURCE[0]}")/../../samples/slurm")

# Of sbatch's options, those that are used; a misspelled one is none of them.
known='job-name|ntasks|cpus-per-task|time|signal|output|array'
for job in "$jobs"/*.sh; do
  bash -n -- "$job" || fail "$job is no script"
  [ "$(sed -n 1p -- "$job")" = '#!/usr/bin/env bash' ] || fail "$job: sbatch asks for a first line that names a shell"
  # sbatch stops looking at the first line that is no comment.
  lines=$(sed -n '/^[^#]/q;/^#SBATCH/p' -- "$job")
  [ "$lines" = "$(grep '^#SBATCH' -- "$job")" ] || fail "$job: sbatch does not come to all of its lines"
  if grep -vE "^#SBATCH --($known)=[^ ]+$" <<<"$lines"; then fail "$job: no option of sbatch, or not as it is written"; fi
done
grep -qx "#SBATCH --array=1-$(sed -nE 's/^shards=([0-9]+).*/\1/p' -- "$jobs/shards.sh")" -- "$jobs/shards.sh" ||
  fail 'shards.sh has another number of shards than --array'

cd -- "$scratch"
make_data data 1
settings 1
FOVEA=$fovea
export FOVEA
"$fovea" sweep --data data "${settings[@]}" --seeds 2 --out one >one.txt 2>&1 || fail 'one process does not end' one.txt
for index in 1 2 3 4 5 6 7 8; do
  SLURM_ARRAY_TASK_ID=$index SLURM_NTASKS=1 "$jobs/shards.sh" data out "${settings[@]}" --seeds 2 >shard.txt 2>&1 ||
    fail "shard $index does not end" shard.txt
done
"$jobs/merge.sh" out >merge.txt 2>&1 || fail 'the shards are not joined' merge.txt
diff <(cut -d , -f 1-10,13 one/results.csv) <(cut -d , -f 1-10,13 out/merged/results.csv) || fail 'other results'
cmp one/regression.json out/merged/regression.json || fail 'another report'

# srun as a word: what it would start, once.
mkdir -- bin
# shellcheck disable=SC2016 # the script's own
printf '#!/bin/sh\nwhile [ "${1#--}" != "$1" ]; do shift; done\nexec "$@"\n' >bin/srun
chmod +x bin/srun
PATH=$PWD/bin:$PATH "$jobs/ranks.sh" data ranked "${settings[@]}" >ranks.txt 2>&1 || fail 'ranks.sh does not run' ranks.txt
[ "$(wc -l <ranked/results.csv)" -eq 5 ] || fail 'ranks.sh left other results' ranks.txt
PATH=$PWD/bin:$PATH "$jobs/train.sh" data trained "${settings[@]:0:8}" >train.txt 2>&1 || fail 'train.sh does not run' train.txt
[ -e trained/checkpoint.safetensors ] || fail 'train.sh left no checkpoint' train.txt
for job in ranks shards merge train; do
  status=0
  "$jobs/$job.sh" >usage.txt 2>&1 || status=$?
  [ "$status" -eq 2 ] || fail "$job.sh without arguments: exit status $status, not 2" usage.txt
  grep -q '^usage: sbatch ' usage.txt || fail "$job.sh does not say what it takes" usage.txt
done
printf 'slurm: as one process\n'
