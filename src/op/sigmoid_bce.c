/* The reconstruction p = sigmoid(x) and its cross-entropy against the images (cl/sigmoid_bce.cl). The gradient by x is
 * made in the forward pass, where p is at hand. */
#include "base/fail.h"
#include "op/conv2d/batch_sum.h"
#include "op/losses.h"

enum { ROWS = 0, LANES = 16 };

fovea_tensor fovea_add_sigmoid_bce(fovea_graph *graph, fovea_tensor x) {
  return fovea_graph_add(graph, &fovea_op_sigmoid_bce, &(fovea_node){.inputs = {x, graph ? graph->input : -1}}, "");
}

static fovea_status infer(const fovea_graph *graph, fovea_node *node) {
  const fovea_node *x = &graph->nodes[node->inputs[0]], *t = &graph->nodes[node->inputs[1]];
  if (x->c != t->c || x->h != t->h || x->w != t->w)
    return fovea_fail(FOVEA_INVALID, "sigmoid_bce: the reconstruction is %dx%dx%d, the images are %dx%dx%d", x->c, x->h,
                      x->w, t->c, t->h, t->w);
  node->c = x->c, node->h = x->h, node->w = x->w;
  return FOVEA_OK;
}

static void forward(fovea_plan *plan, int node) {
  const fovea_node *n = fovea_plan_node(plan, node);
  int rows_count = n->c * n->h, values = n->c * n->h * n->w;
  bool training = fovea_plan_training(plan) && fovea_plan_wants_gradient(plan, node, 0), accumulate = false;
  fovea_view rows = fovea_plan_save_images(plan, node, ROWS, 1, rows_count), p = fovea_plan_output(plan, node);
  fovea_view dx = training ? fovea_plan_input_gradient(plan, node, 0, &accumulate) : p;
  fovea_record *r = fovea_plan_record(plan, "sigmoid_bce.cl", "", "sigmoid_bce");
  fovea_record_view(plan, r, "x", fovea_plan_input(plan, node, 0));
  fovea_record_view(plan, r, "t", fovea_plan_input(plan, node, 1));
  fovea_record_buffer(plan, r, "state", fovea_plan_state(plan));
  fovea_record_view(plan, r, "p", p);
  fovea_record_view(plan, r, "dx", dx);
  fovea_record_view(plan, r, "rows", rows);
  fovea_record_int(r, "n", fovea_plan_batch(plan));
  fovea_record_int(r, "c", n->c);
  fovea_record_int(r, "h", n->h);
  fovea_record_int(r, "w", n->w);
  fovea_record_int(r, "values", values);
  fovea_record_int(r, "training", training);
  fovea_record_row_groups(plan, r, n->w, (size_t)n->h, (size_t)n->c);
  fovea_record_cost(r, 0, 4.0 * (training ? 4 : 3) * values * fovea_plan_batch(plan));
}

/* The rows of a loss, or the images' sums of them, where one work-group would have too many rows. */
static fovea_view summed(fovea_plan *plan, fovea_view rows, int *count) {
  enum { MOST_ROWS = 8 << 10 }; /* 16 of each work-item of a GPU's largest group */
  const int batch = fovea_plan_batch(plan);
  if (fovea_plan_device(plan)->tuning.vector > 1 || (long long)*count * batch <= MOST_ROWS) return rows;
  const fovea_view images = fovea_plan_new_images(plan, 1, 1);
  fovea_record *r = fovea_plan_record(plan, "losses.cl", "", "losses_images");
  fovea_record_view(plan, r, "rows", rows);
  fovea_record_view(plan, r, "images", images);
  fovea_record_int(r, "rows", *count);
  fovea_record_batch_range(plan, r, 1, 1);
  fovea_record_cost(r, 0, 4.0 * (*count + 1) * batch);
  *count = 1;
  return images;
}

/* What both kernels of a device's own losses take. */
static fovea_record *record_rows(fovea_plan *plan, int node, const char *options, const char *kernel) {
  const fovea_node *n = fovea_plan_node(plan, node);
  const int latent = fovea_plan_latent(plan), batch = fovea_plan_batch(plan);
  int rows = n->c * n->h, kl_rows = latent >= 0 ? fovea_plan_node(plan, latent)->c : 0;
  const fovea_view bce = summed(plan, fovea_plan_saved(plan, node, ROWS), &rows);
  const fovea_view kl = latent >= 0 ? summed(plan, fovea_plan_saved(plan, latent, FOVEA_SAMPLE_KL), &kl_rows) : bce;
  fovea_record *r = fovea_plan_record(plan, "losses.cl", options, kernel);
  fovea_record_view(plan, r, "rows", bce);
  fovea_record_view(plan, r, "kl", kl);
  fovea_record_view(plan, r, "blocks", fovea_batch_sum_new(plan, 2, 1));
  fovea_record_int(r, "n", batch);
  fovea_record_int(r, "rows", rows);
  fovea_record_int(r, "kl_rows", kl_rows);
  fovea_record_one_group(plan, r, batch);
  fovea_record_cost(r, 0, 4.0 * (rows + kl_rows) * batch);
  return r;
}

/* What is written of the losses, of `values` an image. */
static void record_log(fovea_plan *plan, fovea_record *r, int values) {
  fovea_record_buffer(plan, r, "state", fovea_plan_state(plan));
  fovea_record_buffer(plan, r, "log", fovea_plan_losses(plan));
  fovea_record_int(r, "values", values);
  fovea_record_int(r, "training", fovea_plan_training(plan));
}

/* The sums of what other ranks have, too. */
static void record_losses_of_all(fovea_plan *plan, fovea_view own, int values) {
  const fovea_view all = fovea_record_meeting(plan, own, LANES);
  fovea_record *r = fovea_plan_record(plan, "losses.cl", "-DRANKS=1", "losses_of_all");
  fovea_record_view(plan, r, "all", all);
  fovea_record_buffer(plan, r, "merges", fovea_plan_merges(plan));
  fovea_record_int(r, "ranks", fovea_plan_ranks(plan));
  record_log(plan, r, values);
  fovea_record_range(r, 1, 1, 1);
}

/* After the whole forward pass, of which the divergence is part. */
static void end_forward(fovea_plan *plan, int node) {
  const fovea_node *n = fovea_plan_node(plan, node);
  const int values = n->c * n->h * n->w;
  if (fovea_plan_ranks(plan) == 1) {
    record_log(plan, record_rows(plan, node, "", "losses_log"), values);
    return;
  }
  const fovea_view own = fovea_plan_new(plan, LANES);
  fovea_record *r = record_rows(plan, node, "-DRANKS=1", "losses_own");
  fovea_record_view(plan, r, "own", own);
  record_losses_of_all(plan, own, values);
}

FOVEA_OP(sigmoid_bce, .inputs = 2, .group = "loss", .infer = infer, .forward = forward, .end_forward = end_forward);
