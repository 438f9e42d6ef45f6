/* The sum of two tensors: in double, and as cl/residual.cl. */
#include "ref/canonical_node.h"
#include "ref/node.h"

void ref_shape_residual(struct ref_network *net, struct ref_node *node, const char *name) {
  (void)name;
  ref_shape_like(node, ref_input(net, node, 0));
}

void ref_forward_residual(struct ref_network *net, struct ref_node *node, const struct ref_pass *pass) {
  (void)pass;
  const double *a = ref_input(net, node, 0)->value, *b = ref_input(net, node, 1)->value;
  for (int i = 0; i < ref_size(net, node); i++) node->value[i] = a[i] + b[i];
}

void ref_backward_residual(struct ref_network *net, struct ref_node *node) {
  for (int k = 0; k < 2; k++)
    for (int i = 0; i < ref_size(net, node); i++) ref_input(net, node, k)->gradient[i] += node->gradient[i];
}

void canonical_forward_residual(struct canonical_network *net, int node) {
  const float *a = canonical_input_value(net, node, 0), *b = canonical_input_value(net, node, 1);
  float *y = canonical_node_value(net, node);
  for (size_t i = 0; i < canonical_node_size(net, node); i++) y[i] = a[i] + b[i];
}

void canonical_backward_residual(struct canonical_network *net, int node) {
  const float *dy = canonical_node_gradient(net, node);
  for (int k = 0; k < 2; k++) {
    bool accumulate = false;
    float *dx = canonical_input_gradient(net, node, k, &accumulate);
    for (size_t i = 0; dx && i < canonical_node_size(net, node); i++) dx[i] = accumulate ? dx[i] + dy[i] : dy[i];
  }
}
