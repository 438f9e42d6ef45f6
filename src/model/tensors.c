#include "model/tensors.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "data/safetensors.h"

static const struct {
  fovea_value which;
  const char *prefix;
} groups[] = {{FOVEA_VALUE, ""}, {FOVEA_FIRST_MOMENT, "optimizer.m."}, {FOVEA_SECOND_MOMENT, "optimizer.v."}};
enum { GROUPS = sizeof groups / sizeof *groups };

/* --- saving ------------------------------------------------------------------------------------------------------ */

void fovea_tensors_end(fovea_tensors *t) {
  for (size_t i = 0; i < t->count && t->data != NULL; i++) free(t->data[i]);
  free(t->data);
  free(t->names);
  free(t->tensors);
}

fovea_status fovea_tensors_begin(fovea_tensors *t, const fovea_network *network, size_t more) {
  const size_t most = GROUPS * fovea_network_parameter_count(network) + more;
  const size_t room = most > 0 ? most : 1;
  *t = (fovea_tensors){.tensors = calloc(room, sizeof *t->tensors),
                       .names = calloc(room, sizeof *t->names),
                       .data = calloc(room, sizeof *t->data)};
  if (t->tensors != NULL && t->names != NULL && t->data != NULL) return FOVEA_OK;
  return fovea_fail(FOVEA_NO_MEMORY, "no memory for %zu tensors", most);
}

static fovea_status check_finite(const char *name, const float *data, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (!isfinite(data[i]))
      return fovea_fail(FOVEA_MISMATCH, "%s is %g at place %zu; nothing was written", name, (double)data[i], i);
  }
  return FOVEA_OK;
}

static fovea_status add_parameter(fovea_tensors *c, fovea_network *network, size_t index, fovea_value which,
                                  const char *prefix) {
  const fovea_parameter *p = fovea_network_parameter(network, index);
  const size_t at = c->count++;
  snprintf(c->names[at], FOVEA_TENSOR_NAME, "%s%s", prefix, p->name);
  fovea_safetensor *t = &c->tensors[at];
  *t = (fovea_safetensor){.name = c->names[at], .dtype = "F32", .rank = p->rank};
  for (int i = 0; i < p->rank; i++) t->dims[i] = (uint64_t)p->dims[i];
  c->data[at] = malloc(p->count * sizeof *c->data[at]);
  t->data = c->data[at];
  if (c->data[at] == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for %s", t->name);
  fovea_status status = fovea_network_get(network, index, which, c->data[at]);
  return status != FOVEA_OK ? status : check_finite(t->name, c->data[at], p->count);
}

fovea_status fovea_tensors_gather(fovea_tensors *t, fovea_network *network, bool moments) {
  fovea_status status = FOVEA_OK;
  for (size_t g = 0; g < (moments ? GROUPS : 1); g++) {
    for (size_t i = 0; i < fovea_network_parameter_count(network) && status == FOVEA_OK; i++) {
      if (groups[g].which == FOVEA_VALUE || fovea_network_parameter(network, i)->trainable)
        status = add_parameter(t, network, i, groups[g].which, groups[g].prefix);
    }
  }
  return status;
}

/* --- loading ----------------------------------------------------------------------------------------------------- */

static void shape_text(char *text, size_t size, int rank, const uint64_t *dims) {
  size_t used = (size_t)snprintf(text, size, "[");
  for (int i = 0; i < rank && used < size; i++)
    used += (size_t)snprintf(text + used, size - used, "%s%" PRIu64, i > 0 ? ", " : "", dims[i]);
  if (used < size) snprintf(text + used, size - used, "]");
}

static bool same_shape(const fovea_safetensor *t, int rank, const int *dims) {
  bool same = t->rank == rank;
  for (int i = 0; i < rank && same; i++) same = t->dims[i] == (uint64_t)dims[i];
  return same;
}

fovea_status fovea_tensors_read(const fovea_safetensors *file, const char *name, int rank, const int *dims, bool exact,
                                float *data) {
  char has[128], wants[128];
  const fovea_safetensor *t;
  uint64_t wide[4] = {0};
  size_t count = 1;
  fovea_status status = fovea_safetensors_find(file, name, &t);
  if (status != FOVEA_OK) return status;
  for (int i = 0; i < rank; i++) wide[i] = (uint64_t)dims[i], count *= (size_t)dims[i];
  if (same_shape(t, rank, dims) && (exact ? strcmp(t->dtype, "F32") == 0 : fovea_safetensors_has_floats(t)))
    return fovea_safetensors_floats(t, count, data);
  shape_text(has, sizeof has, t->rank, t->dims);
  shape_text(wants, sizeof wants, rank, wide);
  return fovea_fail(FOVEA_INVALID, "%s is %s %s, this network has %s %s: it is of another architecture", name, t->dtype,
                    has, exact || !same_shape(t, rank, dims) ? "F32" : "F32, F64, F16 or BF16", wants);
}

static bool is_parameter(fovea_network *network, const char *name) {
  for (size_t i = 0; i < fovea_network_parameter_count(network); i++) {
    if (strcmp(fovea_network_parameter(network, i)->name, name) == 0) return true;
  }
  return false;
}

/* A layer that this network does not have would be lost in silence. */
static fovea_status check_no_more(const fovea_safetensors *file, fovea_network *network) {
  for (size_t i = 0; i < fovea_safetensors_count(file); i++) {
    const char *name = fovea_safetensors_get(file, i)->name;
    if (strncmp(name, "optimizer.", 10) != 0 && strncmp(name, "state.", 6) != 0 && !is_parameter(network, name))
      return fovea_fail(FOVEA_INVALID, "%s is not in this network: it is of another architecture", name);
  }
  return FOVEA_OK;
}

/* Checks (set false) or sets all parameters, and with `all` the moments. `data` holds the largest parameter. */
static fovea_status visit(const fovea_safetensors *file, fovea_network *network, bool all, bool set, float *data) {
  fovea_status status = FOVEA_OK;
  for (size_t g = 0; g < (all ? GROUPS : 1); g++) {
    for (size_t i = 0; i < fovea_network_parameter_count(network) && status == FOVEA_OK; i++) {
      const fovea_parameter *p = fovea_network_parameter(network, i);
      char name[FOVEA_TENSOR_NAME];
      if (groups[g].which != FOVEA_VALUE && !p->trainable) continue;
      snprintf(name, sizeof name, "%s%s", groups[g].prefix, p->name);
      status = fovea_tensors_read(file, name, p->rank, p->dims, all, data);
      if (status == FOVEA_OK && set) status = fovea_network_set(network, i, groups[g].which, data);
    }
  }
  return status;
}

/* Of the largest parameter. */
static size_t most_numbers(const fovea_network *network) {
  size_t most = 1;
  for (size_t i = 0; i < fovea_network_parameter_count(network); i++) {
    const size_t count = fovea_network_parameter(network, i)->count;
    if (count > most) most = count;
  }
  return most;
}

fovea_status fovea_tensors_set(const fovea_safetensors *file, fovea_network *network, bool moments) {
  const size_t most = most_numbers(network);
  float *data = malloc(most * sizeof *data);
  if (data == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for %zu numbers", most);
  fovea_status status = visit(file, network, moments, false, data);
  if (status == FOVEA_OK) status = check_no_more(file, network);
  if (status == FOVEA_OK) status = visit(file, network, moments, true, data);
  free(data);
  return status;
}
