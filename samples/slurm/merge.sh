#!/usr/bin/env bash
#SBATCH --job-name=fovea-merge
#SBATCH --ntasks=1
#SBATCH --time=00:10:00
#SBATCH --output=%x-%j.log
# Joins what shards.sh trained, and regresses: sbatch samples/slurm/merge.sh OUT. What is missing is named.
set -euo pipefail
[ $# -eq 1 ] || { printf 'usage: sbatch %s OUT\n' "$0" >&2 && exit 2; }
exec "${FOVEA:-fovea}" sweep --merge --out "$1/merged" "$1"/shard-*
