#include "cli/launcher.h"

#include <stddef.h>

#include "base/environment.h"
#include "base/fail.h"
#include "cli/options.h"

/* What launchers say of how many they started, also where MPI is not asked. Slurm sets its variable for each step
 * (srun), not for a batch script. */
long long launcher_count(const char **variable) {
  const struct {
    const char *name, *value;
  } said[] = {{"OMPI_COMM_WORLD_SIZE", fovea_environment("OMPI_COMM_WORLD_SIZE")},
              {"PMI_SIZE", fovea_environment("PMI_SIZE")},
              {"SLURM_STEP_NUM_TASKS", fovea_environment("SLURM_STEP_NUM_TASKS")}};
  long long count = 1;
  for (size_t i = 0; i < sizeof said / sizeof *said; i++)
    if (said[i].value && options_read_int(said[i].value, 2, 1e9, &count)) return *variable = said[i].name, count;
  return 1;
}

fovea_status launcher_fail(const char *why, const char *what, const char *end) {
  const char *variable = NULL;
  const long long count = launcher_count(&variable);
  if (count < 2) return FOVEA_OK;
  return fovea_fail(FOVEA_INVALID, "this process was started as one of %lld (%s), %s%s%s", count, variable, why, what,
                    end);
}

fovea_status launcher_refuse(const char *command) {
  return launcher_fail("which would all do the same: ", command, " is not divided among ranks; start one process");
}
