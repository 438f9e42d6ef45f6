#include "check/step.h"

#include "net/network.h"
#include "plan/inspect.h"

fovea_status check_time_step(fovea_vae *vae, double *seconds) {
  return fovea_plan_run_timed(fovea_network_plan(vae->network, true), seconds);
}
