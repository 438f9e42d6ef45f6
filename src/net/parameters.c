#include <Random123/philox.h>
#include <math.h>
#include <stdlib.h>

#include "base/fail.h"
#include "net/internal.h"
#include "runtime/lock.h"

/* Philox's op numbers of initial weights start here; ops of the graph count from 1. */
static const uint32_t INITIAL_WEIGHTS = 0x40000000u;

fovea_status fovea_list_parameters(fovea_network *net) {
  const fovea_graph *graph = net->graph;
  size_t most = (size_t)graph->count * FOVEA_NODE_PARAMETERS, offset = 0;
  net->parameters = calloc(most, sizeof *net->parameters);
  net->offsets = calloc(most, sizeof *net->offsets);
  if (!net->parameters || !net->offsets) return fovea_fail(FOVEA_NO_MEMORY, "network: host memory ran out");
  for (int pass = 0; pass < 2; pass++) { /* trainable ones first */
    for (int i = 0; i < graph->count; i++)
      for (int j = 0; j < graph->nodes[i].parameter_count; j++) {
        const fovea_parameter_spec *spec = &graph->nodes[i].parameters[j];
        if (spec->trainable != (pass == 0)) continue;
        fovea_placed_parameter *p = &net->parameters[net->parameter_count++];
        p->spec = spec;
        p->offset = net->offsets[i * FOVEA_NODE_PARAMETERS + j] = offset;
        p->shown = (fovea_parameter){.name = spec->name, .rank = spec->rank, .trainable = spec->trainable};
        for (int d = 0; d < spec->rank; d++) p->shown.dims[d] = spec->dims[d];
        p->shown.count = fovea_parameter_values(spec);
        offset += (p->shown.count + LANES - 1) / LANES * LANES;
      }
    if (pass == 0) net->resources.trainable_count = offset;
  }
  net->resources.offsets = net->offsets;
  return fovea_buffer_create(net->device, 4 * (offset ? offset : LANES), "parameters", &net->resources.parameters);
}

size_t fovea_network_parameter_count(const fovea_network *net) { return net ? net->parameter_count : 0; }

const fovea_parameter *fovea_network_parameter(const fovea_network *net, size_t index) {
  return net && index < net->parameter_count ? &net->parameters[index].shown : NULL;
}

static fovea_status find_value(fovea_network *net, size_t index, fovea_value which, fovea_buffer **buffer) {
  if (index >= net->parameter_count)
    return fovea_fail(FOVEA_INVALID, "network: parameter %zu of %zu", index, net->parameter_count);
  if ((int)which < FOVEA_VALUE || (int)which > FOVEA_SECOND_MOMENT)
    return fovea_fail(FOVEA_INVALID, "network: value %d is not one of fovea_value", (int)which);
  const fovea_resources *r = &net->resources;
  fovea_buffer *buffers[] = {r->parameters, r->gradients, r->first_moments, r->second_moments};
  *buffer = buffers[which];
  if (which != FOVEA_VALUE && (!net->parameters[index].shown.trainable || !*buffer))
    return fovea_fail(FOVEA_INVALID, "network: %s has no gradient or moments here", net->parameters[index].shown.name);
  return FOVEA_OK;
}

static fovea_status get_locked(fovea_network *net, size_t index, fovea_value which, float *data) {
  fovea_buffer *buffer = NULL;
  fovea_status status = find_value(net, index, which, &buffer);
  if (status != FOVEA_OK) return status;
  const fovea_placed_parameter *p = &net->parameters[index];
  float *device = malloc(p->shown.count * sizeof *device);
  if (!device) return fovea_fail(FOVEA_NO_MEMORY, "network: host memory ran out");
  status = fovea_buffer_read(buffer, 4 * p->offset, 4 * p->shown.count, device);
  for (size_t i = 0; i < p->shown.count && status == FOVEA_OK; i++) data[i] = device[fovea_parameter_place(p->spec, i)];
  free(device);
  return status;
}

fovea_status fovea_network_get(fovea_network *net, size_t index, fovea_value which, float *data) {
  if (!net || !data) return fovea_fail_null(net ? "data" : "network");
  fovea_device_lock(net->device);
  return fovea_device_unlock(net->device, get_locked(net, index, which, data));
}

static fovea_status set_locked(fovea_network *net, size_t index, fovea_value which, const float *data) {
  fovea_buffer *buffer = NULL;
  fovea_status status = find_value(net, index, which, &buffer);
  if (status != FOVEA_OK) return status;
  const fovea_placed_parameter *p = &net->parameters[index];
  float *device = malloc(p->shown.count * sizeof *device);
  if (!device) return fovea_fail(FOVEA_NO_MEMORY, "network: host memory ran out");
  for (size_t i = 0; i < p->shown.count; i++) device[fovea_parameter_place(p->spec, i)] = data[i];
  status = fovea_buffer_write(buffer, 4 * p->offset, 4 * p->shown.count, device);
  if (which == FOVEA_VALUE) net->changes++;
  free(device);
  return status;
}

fovea_status fovea_network_set(fovea_network *net, size_t index, fovea_value which, const float *data) {
  if (!net || !data) return fovea_fail_null(net ? "data" : "network");
  fovea_device_lock(net->device);
  return fovea_device_unlock(net->device, set_locked(net, index, which, data));
}

/* Value i of parameter `index`, in the file's order: word i % 4 of philox({i / 4, 0, INITIAL_WEIGHTS + index, 0}, seed)
 * as u = (word >> 8) 2^-24, then limit (2 u - 1), limit = sqrt(6 / (fan_in + fan_out)) (Glorot & Bengio 2010). */
fovea_status fovea_initialize_parameter(fovea_network *net, size_t index) {
  const fovea_placed_parameter *p = &net->parameters[index];
  float *data = malloc(p->shown.count * sizeof *data);
  if (!data) return fovea_fail(FOVEA_NO_MEMORY, "network: host memory ran out");
  float limit = sqrtf((float)(6.0 / (p->spec->fan_in + p->spec->fan_out)));
  philox4x32_key_t key = {{(uint32_t)net->options.seed, (uint32_t)(net->options.seed >> 32)}};
  philox4x32_ctr_t words = {{0}};
  for (size_t i = 0; i < p->shown.count; i++) {
    if (p->spec->initial != FOVEA_GLOROT) {
      data[i] = p->spec->initial == FOVEA_ONES ? 1.0f : 0.0f;
      continue;
    }
    if (i % 4 == 0) {
      philox4x32_ctr_t counter = {{(uint32_t)(i / 4), 0, INITIAL_WEIGHTS + (uint32_t)index, 0}};
      words = philox4x32(counter, key);
    }
    data[i] = limit * (2.0f * ((float)(words.v[i % 4] >> 8) * 0x1p-24f) - 1.0f);
  }
  fovea_status status = fovea_network_set(net, index, FOVEA_VALUE, data);
  free(data);
  return status;
}
