#!/usr/bin/env bash
#SBATCH --job-name=fovea-train
#SBATCH --ntasks=4
#SBATCH --cpus-per-task=8
#SBATCH --time=12:00:00
#SBATCH --signal=TERM@120
#SBATCH --output=%x-%j.log
# One network, of whose batches each rank of the job computes a part:
#
#     sbatch samples/slurm/train.sh images.fovea OUT --batch 256
#
# What it leaves has the bytes of one process, so that --ntasks may be another when it is submitted again, which goes on. A
# packed set (fovea pack) is read once a host. For GPUs add --gpus-per-task=1. Two minutes before the time is over all ranks
# stop at one step, and it is saved; each ends with 143, so that Slurm counts the job as failed: submit it again. Where a
# rank is lost the others end by themselves, with or without srun's --kill-on-bad-exit. It takes a fovea with MPI (fovea
# --version), and Slurm with PMIx. FOVEA names another command than the first on PATH.
set -euo pipefail
[ $# -ge 2 ] || { printf 'usage: sbatch %s DATA OUT [OPTION...]\n' "$0" >&2 && exit 2; }
data=$1 out=$2
shift 2
if [ -n "${SLURM_CPUS_PER_TASK:-}" ]; then export POCL_MAX_PTHREAD_COUNT=$SLURM_CPUS_PER_TASK; fi # of a CPU
exec srun --mpi=pmix "${FOVEA:-fovea}" train --data "$data" --out "$out" --resume "$@"
