/* The numbers of the nodes that are exported, and batch normalization folded into them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "export/network.h"
#include "graph/op.h"

enum { WEIGHT, BIAS, MEAN, VARIANCE }; /* of a product the first two */

static fovea_status no_memory(void) { return fovea_fail(FOVEA_NO_MEMORY, "onnx: host memory ran out"); }

static size_t count_of(const fovea_parameter_spec *p) {
  size_t count = 1;
  for (int i = 0; i < p->rank; i++) count *= (size_t)p->dims[i];
  return count;
}

/* --- reading -------------------------------------------------------------------------------------------------------
 */

/* Place (c, h, w) from place (h, w, c) of `inner` numbers each, `outer` times. */
static void put_channels_first(const int shape[3], size_t outer, size_t inner, const float *from, float *to) {
  const size_t c = (size_t)shape[0], pixels = (size_t)shape[1] * (size_t)shape[2];
  for (size_t o = 0; o < outer; o++)
    for (size_t k = 0; k < c; k++)
      for (size_t p = 0; p < pixels; p++)
        memcpy(to + ((o * c + k) * pixels + p) * inner, from + ((o * pixels + p) * c + k) * inner, inner * sizeof *to);
}

/* In place by way of `room`. */
static void reorder(const fovea_parameter_spec *p, float *data, float *room) {
  const size_t count = count_of(p);
  if (p->rows[0]) {
    memcpy(room, data, count * sizeof *data);
    put_channels_first(p->rows, 1, count / (size_t)p->dims[0], room, data);
  }
  if (p->columns[0]) {
    memcpy(room, data, count * sizeof *data);
    put_channels_first(p->columns, (size_t)p->dims[0], 1, room, data);
  }
}

static fovea_status read_one(const fovea_parameter_spec *p, fovea_export_source *source, void *of, float **out) {
  const size_t count = count_of(p);
  float *data = *out = malloc(count * sizeof *data), *room = malloc(count * sizeof *room);
  fovea_status status = data && room ? source(of, p, data) : no_memory();
  for (size_t i = 0; i < count && status == FOVEA_OK; i++)
    if (!isfinite(data[i]))
      status = fovea_fail(FOVEA_INVALID, "onnx: %s is %g at place %zu", p->name, (double)data[i], i);
  if (status == FOVEA_OK) reorder(p, data, room);
  free(room);
  return status;
}

fovea_status fovea_export_read(fovea_export *e, fovea_export_source *source, void *of) {
  fovea_status status = FOVEA_OK;
  for (int i = 0; i < e->graph->count; i++) {
    const fovea_node *n = &e->graph->nodes[i];
    for (int k = 0; k < n->parameter_count && e->nodes[i].needed && i != e->given && status == FOVEA_OK; k++)
      status = read_one(&n->parameters[k], source, of, &e->nodes[i].parameters[k]);
  }
  return status;
}

/* --- folding -------------------------------------------------------------------------------------------------------
 */

/* The axis of the outputs in a product's weight. */
static int output_axis(const fovea_node *n) { return n->op->kind == FOVEA_OP_CONV2D_TRANSPOSE ? 1 : 0; }

/* w' = w s, b' = (b - mean) s + beta with s = gamma / sqrt(variance + epsilon), in double precision. */
static fovea_status fold_into(const fovea_node *n, fovea_export_node *product, const fovea_node *bn,
                              const fovea_export_node *x) {
  const fovea_parameter_spec *w = &n->parameters[WEIGHT];
  const size_t units = (size_t)w->dims[output_axis(n)], count = count_of(w);
  const size_t inner = count / (output_axis(n) ? (size_t)w->dims[0] : 1) / units;
  float *data = product->parameters[WEIGHT], *bias = product->parameters[BIAS];
  if (!bias) bias = product->parameters[BIAS] = calloc(units, sizeof *bias);
  if (!bias) return no_memory();
  for (size_t u = 0; u < units; u++) {
    const double scale =
        (double)x->parameters[WEIGHT][u] / sqrt((double)x->parameters[VARIANCE][u] + (double)bn->epsilon);
    for (size_t i = u * inner; i < count; i += units * inner)
      for (size_t k = 0; k < inner; k++) data[i + k] = (float)((double)data[i + k] * scale);
    bias[u] = (float)(((double)bias[u] - (double)x->parameters[MEAN][u]) * scale + (double)x->parameters[BIAS][u]);
  }
  return FOVEA_OK;
}

static int readers(const fovea_export *e, fovea_tensor tensor) {
  int count = 0;
  for (int i = 0; i < e->graph->count; i++)
    for (int k = 0; k < fovea_export_inputs(&e->graph->nodes[i]) && e->nodes[i].needed && i != e->given; k++)
      count += e->graph->nodes[i].inputs[k] == tensor;
  return count;
}

static bool is_output(const fovea_export *e, fovea_tensor tensor) {
  for (int i = 0; i < e->output_count; i++)
    if (e->outputs[i].tensor == tensor) return true;
  return false;
}

static bool can_fold(const fovea_export *e, fovea_tensor from) {
  return from != e->given && fovea_node_is(&e->graph->nodes[from], FOVEA_IS_PRODUCT) && readers(e, from) == 1 &&
         !is_output(e, from);
}

fovea_status fovea_export_fold(fovea_export *e, bool fold, fovea_onnx_summary *summary) {
  fovea_status status = FOVEA_OK;
  for (int i = 0; i < e->graph->count && status == FOVEA_OK; i++) {
    const fovea_node *n = &e->graph->nodes[i];
    if (!fovea_node_is(n, FOVEA_NORMALIZES) || !e->nodes[i].needed) continue;
    const fovea_tensor from = n->inputs[0];
    e->nodes[i].folded = fold && can_fold(e, from);
    *(e->nodes[i].folded ? &summary->folded : &summary->normalized) += 1;
    if (e->nodes[i].folded) status = fold_into(&e->graph->nodes[from], &e->nodes[from], n, &e->nodes[i]);
  }
  return status;
}
