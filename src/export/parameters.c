/* The numbers of the nodes that are exported, and batch normalization folded into them. */
#include <math.h>
#include <stdlib.h>

#include "base/fail.h"
#include "export/network.h"
#include "graph/op.h"
#include "net/network.h"

enum { WEIGHT, BIAS, MEAN, VARIANCE }; /* of a product the first two */

static fovea_status no_memory(void) { return fovea_fail(FOVEA_NO_MEMORY, "onnx: host memory ran out"); }

/* --- reading -------------------------------------------------------------------------------------------------------
 */

static fovea_status read_one(const fovea_parameter_spec *p, fovea_export_source *source, void *of, float **out) {
  const size_t count = fovea_parameter_values(p);
  float *data = *out = malloc(count * sizeof *data), *file = malloc(count * sizeof *file);
  fovea_status status = data && file ? source(of, p, file) : no_memory();
  for (size_t i = 0; i < count && status == FOVEA_OK; i++) {
    data[fovea_parameter_place(p, i)] = file[i];
    if (!isfinite(file[i]))
      status = fovea_fail(FOVEA_INVALID, "onnx: %s is %g at place %zu", p->name, (double)file[i], i);
  }
  free(file);
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
  const size_t units = (size_t)w->dims[output_axis(n)], count = fovea_parameter_values(w);
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

static bool can_fold(const fovea_export *e, fovea_tensor from) {
  return from != e->given && fovea_node_is(&e->graph->nodes[from], FOVEA_IS_PRODUCT) && readers(e, from) == 1 &&
         !fovea_export_is_output(e, from);
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
