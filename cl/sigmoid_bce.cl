/* p = sigmoid(x) and binary cross-entropy against the target t:
 *
 *   q = clip(p, 1e-7, 1 - 1e-7),  loss = -(t ln q + (1 - t) ln(1 - q)),  dx = (p - t) / count, 0 where p was clipped
 *
 * count = images * C * H * W: the loss is a mean over pixels and batch, of which ranks may each have a part. (p - t) is
 * p (1 - p) times the derivative by p, simplified, so it has no division that can overflow.
 *
 * Layout: x, p, t, dx [C][N/16][H][W][16], rows [N/16][C * H][16]: an image's loss of a row. Canonical order: a row
 * (c, h, n), for w; what follows is losses.cl's. Padding images: p, dx and the loss are 0 (vector.clh). dx is not
 * written when `training` is 0.
 *
 * On a CPU a work-item has a row of a block of images; on a GPU a work-group has, its units of 16 lanes a pixel each.
 */
#include "common/math.clh"
#include "common/reduce.clh"

/* What the loss of V images, n0 and on, is made of: tensors, at their channel and those images. */
typedef struct images {
  __global const float *x, *t;
  __global float *p, *dx;
  int n0, n_valid, training;
  vfloat share;
} images;

/* The loss of pixel i; its p and gradient. */
static inline vfloat pixel_loss(images k, int i) {
  const size_t at = (size_t)i * LANES;
  const vfloat one = (vfloat)(1.0f), zero = (vfloat)(0.0f);
  const vfloat low = (vfloat)(1e-7f), high = (vfloat)(1.0f - 1e-7f);
  const vfloat p = vsigmoid(vload(k.x + at)), t = vload(k.t + at);
  vstore(vkeep(p, k.n0, k.n_valid), k.p + at);
  vfloat q = vselect(p, low, vmask(p < low));
  q = vselect(q, high, vmask(q > high));
  const vfloat loss = -fma(t, vlog(q), (one - t) * vlog(one - q));
  if (k.training) {
    const vfloat dx = vselect((p - t) * k.share, zero, vmask(p != q) & vmask(p == p));
    vstore(vkeep(dx, k.n0, k.n_valid), k.dx + at);
  }
  return vkeep(vselect(loss, p, vmask(p != p)), k.n0, k.n_valid); /* a NaN stays one */
}

__kernel void sigmoid_bce(__global const float *restrict x_base, const ulong x_offset,
                          __global const float *restrict t_base, const ulong t_offset,
                          __global const uint *restrict state, __global float *restrict p_base, const ulong p_offset,
                          __global float *restrict dx_base, const ulong dx_offset, __global float *restrict rows_base,
                          const ulong rows_offset, const int n, const int c_count, const int h_count, const int w_count,
                          const int values, const int training) {
#if V == 1
  __local float scratch[MOST_UNITS * LANES];
  const units u = units_of(w_count);
  const int n0 = (int)get_group_id(0) * LANES + u.lane;
#else
  const int n0 = first_image(0);
#endif
  const int h = (int)get_group_id(1), c = (int)get_group_id(2), pixels = h_count * w_count, n_valid = (int)state[1];
  const size_t first = (size_t)c * pixels * n + vplace(0, n0, pixels);
  const images k = {x_base + x_offset + first,
                    t_base + t_offset + first,
                    p_base + p_offset + first,
                    dx_base + dx_offset + first,
                    n0,
                    n_valid,
                    training,
                    (vfloat)(sdiv(1.0f, (float)(int)state[8] * (float)values))};
  __global float *row = rows_base + rows_offset + vplace(c * h_count + h, n0, c_count * h_count);
  vfloat sum = (vfloat)(0.0f);
#if V == 1
  for (int w = 0; w < w_count; w += u.rows) {
    const int count = min(u.rows, w_count - w);
    const bool has = u.block == 0 && u.row < count;
    sum = add_rows(sum, has ? pixel_loss(k, h * w_count + w + u.row) : 0.0f, u, count, scratch);
  }
  if (u.block == 0 && u.row == 0) *row = sum;
#else
  for (int w = 0; w < w_count; w++) sum = vadd_in_order(sum, pixel_loss(k, h * w_count + w));
  vstore(sum, row);
#endif
}
