/* The canonical reference's ops, one for each kernel or few: between its files. Everything is [c][h][w][n].
 *
 * A gradient that is `accumulate`d is added to what is there, else overwritten. */
#ifndef FOVEA_REF_CANONICAL_OPS_H
#define FOVEA_REF_CANONICAL_OPS_H

#include <stddef.h>

#include "ref/ref.h"

/* count zeros; ends the program when out of memory; the caller frees. */
float *canonical_alloc(size_t count);

struct canonical_shape {
  int n, n_valid; /* padded, real images */
  int c, h, w;
};

/* Padding images become 0 in x, `rows` of n images: vkeep of cl/common/vector.clh. */
void canonical_keep(const struct canonical_shape *s, int rows, float *x);

/* --- canonical_winograd.c ---------------------------------------------------------------------------------------- */

/* y[k][oh][ow][n] (+)= the 3x3 convolution of x[c][h][w][n]; backward_data: of w as the convolution has it whose data
 * gradient this is. Of stride 2 and backward_data it is a transposed convolution, with the convolution's padding. */
struct canonical_winograd {
  int n, c, h, w, k, oh, ow, top, left, stride;
  bool backward_data;
};
bool canonical_winograd_fits(const struct canonical_winograd *d);
void canonical_winograd(const struct canonical_winograd *d, const float *x, const float *w, const float *b,
                        bool accumulate, float *y);
void canonical_winograd_backward_weight(const struct ref_conv2d *d, const float *x, const float *dy, float *dw);

/* --- canonical_conv2d.c; of d, n is the padded batch ------------------------------------------------------------- */

/* y (+)= conv(x, w) + b; b may be NULL. */
void canonical_conv2d(const struct ref_conv2d *d, const float *x, const float *w, const float *b, bool accumulate,
                      float *y);
/* dx (+)= its gradient by x, + b: a transposed convolution's forward pass, too. */
void canonical_conv2d_backward_data(const struct ref_conv2d *d, const float *dy, const float *w, const float *b,
                                    bool accumulate, float *dx);
void canonical_conv2d_backward_weight(const struct ref_conv2d *d, const float *x, const float *dy, float *dw);
/* db[c], the sum of dy[c][h][w][n] */
void canonical_bias_backward(int n, int c, int h, int w, const float *dy, float *db);

/* --- canonical_augment.c ------------------------------------------------------------------------------------------ */

struct canonical_augmentation;
/* x[c][h][w][n] of the bytes [n][c][h][w] of n_valid images. */
void canonical_augment_images(const struct canonical_shape *s, const struct canonical_augmentation *augment,
                              uint64_t seed, const uint8_t *pixels, float *x);

/* --- canonical_pointwise.c --------------------------------------------------------------------------------------- */

struct canonical_pointwise {
  enum ref_activation activation;
  double rate; /* 0: no dropout */
  uint32_t op; /* Philox's */
};

struct canonical_draw {
  uint32_t step;
  uint64_t seed;
};

void canonical_input(const struct canonical_shape *s, const uint8_t *pixels, float *x);
/* y = activation(dropout(x)), 0 in padding images where the activation of 0 is not; y may be x. */
void canonical_activation(const struct canonical_shape *s, const struct canonical_pointwise *p,
                          const struct canonical_draw *draw, const float *x, float *y);
/* dx (+)= its gradient from y; dx may be dy. */
void canonical_activation_backward(const struct canonical_shape *s, const struct canonical_pointwise *p,
                                   const struct canonical_draw *draw, const float *y, const float *dy, bool accumulate,
                                   float *dx);
void canonical_adam_update(int count, float alpha, const float *g, float *m, float *v, float *p);

/* --- canonical_batchnorm.c; stats[4][c]: mean, inv, dbeta / M, dgamma / M ----------------------------------------- */

void canonical_batchnorm_statistics(const struct canonical_shape *s, const float *x, float epsilon, float momentum,
                                    float *stats, float *moving_mean, float *moving_var);
void canonical_batchnorm_moving(int c, float epsilon, const float *moving_mean, const float *moving_var, float *stats);
void canonical_batchnorm(const struct canonical_shape *s, const float *x, const float *stats, const float *gamma,
                         const float *beta, float *y);
/* g: the gradient by the norm's output. */
void canonical_batchnorm_backward_sums(const struct canonical_shape *s, const float *x, const float *g, float *stats,
                                       float *dgamma, float *dbeta);
void canonical_batchnorm_backward(const struct canonical_shape *s, const float *x, const float *g, const float *stats,
                                  const float *gamma, bool accumulate, float *dx);

/* --- canonical_attention.c --------------------------------------------------------------------------------------- */

/* pooled[2][h][w][n] and scale[h][w][n] are kept for backward. */
void canonical_spatial_attention(const struct canonical_shape *s, const float *a, const float *w, const float *b,
                                 float *pooled, float *scale, float *y);
/* da NULL: not wanted. */
void canonical_spatial_attention_backward(const struct canonical_shape *s, const float *a, const float *w,
                                          const float *pooled, const float *scale, const float *dy, float *dw,
                                          float *db, bool accumulate, float *da);

struct canonical_mlp {
  int hidden;
  float *w1, *b1, *w2, *b2;
};
/* q[c][2][n], hidden[hidden][2][n] and scale[c][n] are kept for backward. */
void canonical_channel_attention(const struct canonical_shape *s, const float *a, const struct canonical_mlp *p,
                                 float *q, float *hidden, float *scale, float *y);
/* g: the gradients of p; da NULL: not wanted. */
void canonical_channel_attention_backward(const struct canonical_shape *s, const float *a,
                                          const struct canonical_mlp *p, const float *q, const float *hidden,
                                          const float *scale, const float *dy, const struct canonical_mlp *g,
                                          bool accumulate, float *da);

/* --- canonical_vae.c --------------------------------------------------------------------------------------------- */

/* z = mu + e, e = exp(logvar / 2) eps; returns the divergence's sum over images. */
float canonical_reparameterize(const struct canonical_shape *s, uint32_t op, const struct canonical_draw *draw,
                               const float *mu, const float *logvar, float *e, float *z);
/* dmu and dlogvar may be one. */
void canonical_reparameterize_backward(const struct canonical_shape *s, float weight, const float *mu,
                                       const float *logvar, const float *e, const float *dz, bool accumulate_mu,
                                       float *dmu, bool accumulate_logvar, float *dlogvar);
/* p = sigmoid(x), 0 in padding images, the cross-entropy's gradient dx (NULL: not wanted); returns its sum. */
float canonical_sigmoid_bce(const struct canonical_shape *s, const float *x, const float *t, float *p, float *dx);

#endif
