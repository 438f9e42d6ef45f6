/* What launchers of several processes, as mpirun and srun, say of how many they started. */
#ifndef FOVEA_TOOLS_CLI_LAUNCHER_H
#define FOVEA_TOOLS_CLI_LAUNCHER_H

#include "fovea/status.h"

/* Also where MPI is not asked; 1 where none says it, else *variable is the name of the environment's that does. */
long long launcher_count(const char **variable);

/* FOVEA_INVALID where there are several; the sentence about them ends with the three parts. */
fovea_status launcher_fail(const char *why, const char *what, const char *end);

/* The same for a command of which each would do the same, and write the same files. */
fovea_status launcher_refuse(const char *command);

#endif
