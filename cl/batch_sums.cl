/* The final sums of weight and bias gradients over the batch, of many layers in one launch (multi_tensor.clh):
 *
 *   to[i] = the batch tree of reduce.clh over `parts` sums at from[i * a], from[i * a + b], from[i * a + 2 * b], ...
 *
 * each of a part of the batch that is a subtree. Values: 0, a, b, parts. One work-item per number of a gradient.
 *
 * On a CPU also of winograd_backward_weight_blocked.cl, whose sums lie as its work-items made them, V pairs of a
 * channel and a filter a work-item. */
#include "common/multi_tensor.clh"
#include "common/reduce.clh"

#if V > 1
enum { TREE, WINOGRAD };

/* The same tree of V neighbouring sums. */
static inline vfloat batch_tree_of_vectors(__global const float *blocks, size_t stride, int count) {
  vfloat sums[BATCH_TREE_LEVELS], sum = (vfloat)(0.0f);
  for (int block = 0; block < count; block++) {
    vfloat carry = vload(blocks + block * stride);
    int i = 0;
    for (; block >> i & 1; i++) carry = sums[i] + carry;
    sums[i] = carry;
  }
  for (int i = 0, first = 1; count >> i; i++) {
    if (!(count >> i & 1)) continue;
    sum = first ? sums[i] : sums[i] + sum;
    first = 0;
  }
  return sum;
}

/* dw of V pairs of a work-item of winograd_backward_weight_blocked.cl, whose arguments and tiles TK and TC these are.
 */
static inline void sum_pairs(part p) {
  const int c_count = p.values[1], k_count = p.values[2], cb = p.values[3], kb = p.values[4], pairs = p.values[5];
  const int c_items = p.values[7], k_items = p.values[8], sets = p.values[9], tk = p.values[10], tc = p.values[11];
  const int item = p.item / (pairs / V), first = p.item % (pairs / V) * V;
  const size_t size = (size_t)p.values[6] * 9 * pairs, stride = size * c_items * k_items;
  float sums[9][V];
  for (int tap = 0; tap < 9; tap++) {
    const vfloat sum = batch_tree_of_vectors(p.from + item * size + tap * pairs + first, stride, sets);
    FOVEA_PASTE(vstore, V)(sum, 0, sums[tap]);
  }
  const int c0 = item % c_items * cb * tc, k0 = item / c_items * kb * tk;
  int tile = first / (tk * tc), in_k = first / tc % tk, in_c = first % tc;
  for (int i = 0; i < V; i++) {
    const int k = k0 + tile % kb * tk + in_k, c = c0 + tile / kb * tc + in_c;
    __global float *dw = p.to + ((size_t)k * c_count + c) * 9;
    for (int tap = 0; tap < 9 && tile < cb * kb && k < k_count && c < c_count; tap++) dw[tap] = sums[tap][i];
    if (++in_c < tc) continue;
    in_c = 0;
    if (++in_k < tk) continue;
    in_k = 0, tile++;
  }
}
#endif

__kernel void batch_sums(MULTI_TENSOR_ARGUMENTS) {
  const part p = part_of(table, share, from_base, to_base, (int)get_global_id(0));
  if (p.item >= p.count) return;
#if V > 1
  if (p.values[0] == WINOGRAD) {
    sum_pairs(p);
    return;
  }
#endif
  p.to[p.item] = batch_tree(p.from + (size_t)p.item * p.values[1], (size_t)p.values[2], p.values[3]);
}
