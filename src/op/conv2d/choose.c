/* Which algorithm computes a convolution's passes. Winograd's, which rounds differently, by the shape alone; the
 * blocked one, which does not, on a CPU where a tile of filters and channels fits. */
#include "op/conv2d/conv2d.h"

/* Both gathers take the same arguments: from [c][h][w] to [k][oh][ow]. */
static void record_gather(fovea_plan *plan, const fovea_conv_shape *s, fovea_view x, fovea_view w, bool transposed,
                          fovea_epilogue epilogue, fovea_view y, double flops) {
  if (fovea_plan_device(plan)->tuning.vector > 1 && s->kernel > 1 && s->c >= 4 && s->k >= 4)
    fovea_record_conv2d_blocked(plan, s, x, w, transposed, epilogue, y, flops);
  else
    fovea_record_conv2d_direct(plan, s, x, w, transposed, epilogue, y, flops);
}

void fovea_record_conv2d(fovea_plan *plan, const fovea_conv_shape *s, fovea_view x, fovea_view w,
                         fovea_epilogue epilogue, fovea_view y) {
  if (fovea_winograd_fits(s, false))
    fovea_record_winograd(plan, s, x, w, false, epilogue, y, fovea_conv_flops(plan, s));
  else
    record_gather(plan, s, x, w, false, epilogue, y, fovea_conv_flops(plan, s));
}

void fovea_record_conv2d_backward_data(fovea_plan *plan, const fovea_conv_shape *s, fovea_view dy, fovea_view w,
                                       fovea_epilogue epilogue, fovea_view dx) {
  fovea_conv_shape back = *s;
  back.c = s->k, back.h = s->oh, back.w = s->ow;
  back.k = s->c, back.oh = s->h, back.ow = s->w;
  if (fovea_winograd_fits(&back, true)) {
    if (s->stride == 1) /* an ordinary one, of the filters turned by half a circle */
      back.top = s->kernel - 1 - s->top, back.left = s->kernel - 1 - s->left;
    fovea_record_winograd(plan, &back, dy, w, true, epilogue, dx, fovea_conv_flops(plan, s));
    return;
  }
  record_gather(plan, &back, dy, w, true, epilogue, dx, fovea_conv_flops(plan, s));
}

void fovea_record_conv2d_backward_weight(fovea_plan *plan, const fovea_conv_shape *s, fovea_view x, fovea_view dy,
                                         fovea_view dw) {
  fovea_plan_side_stream(plan, true);
  if (s->stride == 1 && fovea_winograd_fits(s, false))
    fovea_record_winograd_backward_weight(plan, s, x, dy, dw);
  else if (fovea_plan_device(plan)->tuning.vector > 1 && !fovea_conv_is_dense(s) && s->k >= 4 && s->c >= 4)
    fovea_record_blocked_backward_weight(plan, s, x, dy, dw);
  else
    fovea_record_direct_backward_weight(plan, s, x, dy, dw);
  fovea_plan_side_stream(plan, false);
}
