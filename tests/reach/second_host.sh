#!/usr/bin/env bash
# As ssh for two_hosts.sh: HOST COMMAND, by which mpirun starts its daemon on the second host.
shift
exec nsenter --target "$SECOND_HOST" --net --uts -- bash -c "$*"
