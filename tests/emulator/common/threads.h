/* A launch's work-groups on a few threads, one launch after the other. */
#ifndef FOVEA_TESTS_EMULATOR_COMMON_THREADS_H
#define FOVEA_TESTS_EMULATOR_COMMON_THREADS_H

#include "group.h"

typedef bool group_function(workspace *, const void *launch, const uint32_t group[3]);

/* All work-groups of a range, by `run_group`, on as many threads as the settings say. False: stderr has said what
 * stopped one. `instructions` gets how many waves executed. */
bool threads_run(group_function *run_group, const void *launch, const uint32_t groups[3], uint64_t *instructions);

#endif
