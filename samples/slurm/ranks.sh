#!/usr/bin/env bash
#SBATCH --job-name=fovea-sweep
#SBATCH --ntasks=8
#SBATCH --cpus-per-task=8
#SBATCH --time=12:00:00
#SBATCH --signal=TERM@120
#SBATCH --output=%x-%j.log
# A sweep over the ranks of one job:
#
#     sbatch samples/slurm/ranks.sh DATA OUT --factors 'latent=2|8,lr=0.001|0.005' --seeds 3
#
# OUT is on a file system that all hosts see. For GPUs add --gpus-per-task=1. Two minutes before the time is over each rank
# saves; submitted again, the job goes on. It takes a fovea with MPI (fovea --version), and Slurm with PMIx. FOVEA names
# another command than the first on PATH.
set -euo pipefail
[ $# -ge 2 ] || { printf 'usage: sbatch %s DATA OUT [OPTION...]\n' "$0" >&2 && exit 2; }
data=$1 out=$2
shift 2
# A rank that dies does not end the others: they take what it had.
exec srun --mpi=pmix --kill-on-bad-exit=0 "${FOVEA:-fovea}" sweep --data "$data" --out "$out" --resume "$@"
