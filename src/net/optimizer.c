#include "net/optimizer.h"

#include "plan/record.h"

void fovea_record_adam(fovea_plan *plan, const fovea_resources *resources) {
  size_t count = resources->trainable_count;
  fovea_record *r = fovea_plan_record(plan, "adam.cl", "", "adam");
  fovea_record_buffer(plan, r, "p", fovea_plan_bind(plan, resources->parameters));
  fovea_record_buffer(plan, r, "g", fovea_plan_bind(plan, resources->gradients));
  fovea_record_buffer(plan, r, "m", fovea_plan_bind(plan, resources->first_moments));
  fovea_record_buffer(plan, r, "v", fovea_plan_bind(plan, resources->second_moments));
  fovea_record_buffer(plan, r, "state", fovea_plan_state(plan));
  fovea_record_buffer(plan, r, "trouble", fovea_plan_bind(plan, resources->losses));
  fovea_record_int(r, "count", (int)count);
  fovea_record_flat(r, count / (size_t)fovea_plan_device(plan)->tuning.vector);
  fovea_record_cost(r, 12.0 * (double)count, 28.0 * (double)count);
}
