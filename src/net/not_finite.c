#include "net/not_finite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "net/internal.h"
#include "plan/inspect.h"
#include "plan/record.h"

enum { TEXT = 320 };

static bool all_finite(const float *x, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (!isfinite(x[i])) return false;
  return true;
}

static const char *op_of(const fovea_graph *graph, const char *parameter) {
  for (int i = 0; i < graph->count; i++)
    for (int j = 0; j < graph->nodes[i].parameter_count; j++)
      if (strcmp(graph->nodes[i].parameters[j].name, parameter) == 0) return graph->nodes[i].op->name;
  return "?";
}

/* --- parameters ----------------------------------------------------------------------------------------------------
 */

/* Whether this one of parameter `index` has a number that is not finite; false, too, where it cannot be read. */
static bool is_bad(fovea_network *net, size_t index, fovea_value which) {
  const fovea_parameter *p = fovea_network_parameter(net, index);
  float *data = malloc(p->count * sizeof *data);
  const bool bad = data && fovea_network_get(net, index, which, data) == FOVEA_OK && !all_finite(data, p->count);
  free(data);
  return bad;
}

fovea_status fovea_report_gradient(fovea_network *net, uint32_t step, const fovea_pass *loss) {
  const fovea_parameter *found = NULL;
  size_t count = 0;
  char of_loss[80] = "";
  if (loss) snprintf(of_loss, sizeof of_loss, "; its loss is (bce %g, kl %g)", (double)loss->bce, (double)loss->kl);
  for (size_t i = 0; i < fovea_network_parameter_count(net); i++) {
    const fovea_parameter *p = fovea_network_parameter(net, i);
    if (!p->trainable || (!is_bad(net, i, FOVEA_SECOND_MOMENT) && !is_bad(net, i, FOVEA_VALUE))) continue;
    found = p, count++; /* the last is the first that the backward pass computes */
  }
  if (!found)
    return fovea_fail(FOVEA_MISMATCH, "training step %u, counted from 0: a gradient, or its square, is not finite%s",
                      step, of_loss);
  return fovea_fail(
      FOVEA_MISMATCH,
      "training step %u, counted from 0: the gradient of %s (%s), or its square, is not finite, the first "
      "in the backward pass of %zu parameters%s",
      step, found->name, op_of(net->graph, found->name), count, of_loss);
}

/* Of the parameters that the pass reads: moving statistics only in an evaluation, where ranks may have their own. */
static bool find_parameter(fovea_network *net, bool training, char text[TEXT]) {
  const size_t count = fovea_network_parameter_count(net);
  uint64_t found = count;
  for (size_t i = 0; i < count && found == count; i++) {
    const fovea_parameter *p = fovea_network_parameter(net, i);
    if ((p->trainable || !training) && is_bad(net, i, FOVEA_VALUE)) found = i;
  }
  if (fovea_ranks_least(net->options.ranks, &found) != FOVEA_OK || found >= count) return false;
  const fovea_parameter *p = fovea_network_parameter(net, (size_t)found);
  snprintf(text, TEXT, "parameter %s (%s) is not finite", p->name, op_of(net->graph, p->name));
  return true;
}

/* --- tensors -------------------------------------------------------------------------------------------------------
 */

/* "encoder.conv_in (conv2d)", "the relu after encoder.conv_in": the nearest name before it. */
static void name_tensor(const fovea_graph *graph, int node, char *text, size_t size) {
  const fovea_node *n = &graph->nodes[node];
  if (*n->name) {
    snprintf(text, size, "%s (%s)", n->name, n->op->name);
    return;
  }
  int from = node;
  while (graph->nodes[from].input_count > 0 && !*graph->nodes[from].name) from = graph->nodes[from].inputs[0];
  snprintf(text, size, "tensor %d (%s%s%s)", node, n->op->name, *graph->nodes[from].name ? " after " : "",
           graph->nodes[from].name);
}

/* Sets *bad to the images of the node's value that are not finite. */
static fovea_status count_bad(const fovea_plan *plan, int node, size_t images, size_t *bad) {
  const fovea_node *n = fovea_plan_node(plan, node);
  const size_t pixels = (size_t)(n->h * n->w), size = (size_t)n->c * pixels, batch = (size_t)fovea_plan_batch(plan);
  fovea_slice slice;
  fovea_status status = fovea_plan_value(plan, node, &slice);
  float *x = malloc(size * batch * sizeof *x);
  if (status == FOVEA_OK && !x) status = fovea_fail(FOVEA_NO_MEMORY, "network: host memory ran out");
  if (status == FOVEA_OK) status = fovea_buffer_read(slice.buffer, 4 * slice.offset, 4 * size * batch, x);
  *bad = 0;
  for (size_t i = 0; i < images && status == FOVEA_OK; i++) {
    size_t e = 0;
    while (e < size && isfinite(x[fovea_device_place(e, pixels, i, batch)])) e++;
    *bad += e < size;
  }
  free(x);
  return status;
}

/* All ranks go on, or none: *count becomes the sum of theirs, FOVEA_MISMATCH where one has failed. */
static fovea_status agree(const fovea_network *net, fovea_status status, size_t *count) {
  const uint64_t failed = (uint64_t)1 << 48; /* more than any count of images */
  uint64_t sum = status == FOVEA_OK ? *count : failed;
  const fovea_status met = fovea_ranks_sum(net->options.ranks, &sum);
  *count = (size_t)sum;
  return status != FOVEA_OK ? status : met != FOVEA_OK ? met : sum < failed ? FOVEA_OK : FOVEA_MISMATCH;
}

/* Runs the forward pass node by node up to the first value that is not finite, on any rank; *found -1: none. */
static fovea_status run_forward(const fovea_network *net, fovea_plan *plan, size_t images, int *found, size_t *bad) {
  fovea_status status = FOVEA_OK;
  *found = -1;
  for (int i = 0; i < net->graph->count && status == FOVEA_OK && *found < 0; i++) {
    int launches;
    double flops, bytes;
    if (fovea_plan_source(plan, i) != i) continue;
    status = fovea_plan_run_node(plan, i, false, &launches, &flops, &bytes);
    if (status == FOVEA_OK) status = count_bad(plan, i, images, bad);
    status = agree(net, status, bad);
    if (status == FOVEA_OK && *bad > 0) *found = i;
  }
  return status;
}

/* Runs the pass again in memory of its own, and restores the moving statistics that training updates. */
static fovea_status repeat(fovea_network *net, const fovea_resources *resources, const fovea_pass *pass, int *found,
                           size_t *bad) {
  const fovea_plan *own = pass->training ? net->training : net->evaluation;
  fovea_resources r = *resources;
  fovea_plan *plan = NULL;
  const size_t size = r.parameters->size;
  void *parameters = malloc(size);
  r.inspect = true;
  fovea_status status = parameters ? fovea_buffer_read(r.parameters, 0, size, parameters)
                                   : fovea_fail(FOVEA_NO_MEMORY, "network: host memory ran out");
  if (status == FOVEA_OK)
    status = fovea_plan_create(fovea_plan_device(own), net->graph, fovea_plan_batch(own), pass->training, &r, &plan);
  if (status == FOVEA_OK) status = fovea_plan_make(plan);
  size_t none = 0;
  status = agree(net, status, &none);
  if (status == FOVEA_OK) {
    const int rank = net->cut ? net->options.ranks->rank : 0;
    status = run_forward(net, plan, fovea_cut_part(net->cut, rank, pass->images).count, found, bad);
    const fovea_status restored = fovea_buffer_write(r.parameters, 0, size, parameters);
    if (status == FOVEA_OK) status = restored;
  }
  fovea_plan_destroy(plan);
  free(parameters);
  return status;
}

/* A search that fails, for want of memory perhaps, only leaves the text empty. */
static void find_tensor(fovea_network *net, const fovea_resources *resources, const fovea_pass *pass, bool exact,
                        char text[TEXT]) {
  const char *how = exact ? "" : ", on the images of a later pass";
  char name[FOVEA_NAME_SIZE + 64];
  int found;
  size_t bad;
  *text = '\0';
  if (repeat(net, resources, pass, &found, &bad) != FOVEA_OK) return;
  if (found < 0) {
    snprintf(text, TEXT, "%s", exact ? "every parameter and tensor is finite, so it is the loss that overflows" : "");
    return;
  }
  name_tensor(net->graph, found, name, sizeof name);
  snprintf(text, TEXT, "the first tensor that is not is the output of %s, in %zu of %zu images%s", name, bad,
           pass->images, how);
}

fovea_status fovea_report_loss(fovea_network *net, const fovea_resources *resources, const fovea_pass *pass,
                               const fovea_pass *before, bool exact) {
  char why[TEXT], was[80] = "";
  if (!find_parameter(net, pass->training, why)) find_tensor(net, resources, pass, exact, why);
  if (before)
    snprintf(was, sizeof was, "; the step before it had bce %g, kl %g", (double)before->bce, (double)before->kl);
  return fovea_fail(FOVEA_MISMATCH, "%s %u, counted from 0: the loss is not finite (bce %g, kl %g)%s%s%s",
                    pass->training ? "training step" : "evaluation of batch", pass->step, (double)pass->bce,
                    (double)pass->kl, *why ? ": " : "", why, was);
}

fovea_status fovea_forget_trouble(fovea_network *net) {
  static const uint32_t none[FOVEA_TROUBLE_WORDS] = {FOVEA_NO_TROUBLE, FOVEA_NO_TROUBLE, FOVEA_NO_TROUBLE};
  return fovea_buffer_write(net->resources.losses, 0, sizeof none, none);
}
