#!/usr/bin/env bash
#SBATCH --job-name=fovea-shard
#SBATCH --array=1-8
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=8
#SBATCH --time=12:00:00
#SBATCH --signal=B:TERM@120
#SBATCH --output=%x-%A-%a.log
# A sweep as an array of jobs, which need no MPI and share nothing, then the join of them:
#
#     job=$(sbatch --parsable samples/slurm/shards.sh DATA OUT --seeds 3)
#     sbatch --dependency="afterok:$job" samples/slurm/merge.sh OUT
#
# Each shard has a folder in OUT. Two minutes before the time is over it saves; submitted again, all or some of the array go
# on (--array=3,5). FOVEA names another command than the first on PATH.
set -euo pipefail
shards=8 # as --array counts above
[ $# -ge 2 ] || { printf 'usage: sbatch %s DATA OUT [OPTION...]\n' "$0" >&2 && exit 2; }
data=$1 out=$2 index=${SLURM_ARRAY_TASK_ID:?'is set by sbatch'}
shift 2
exec "${FOVEA:-fovea}" sweep --data "$data" --out "$out/shard-$index" --shard "$index/$shards" --resume "$@"
