/* The plain-C reference of every op: double precision, naive loops, no library code. It decides what is right.
 *
 * Layout: x[n][c][h][w], row-major, the batch OUTERMOST (the engine's is CN16HW16n; comparisons convert).
 * Weights: conv [out][in][r][s], transposed conv [in][out][r][s], dense [out][in].
 *
 * Forward functions overwrite their outputs. Backward functions ADD to every gradient (dx, dw, db, ...): start from
 * zeros. A gradient pointer that is NULL is not computed. Nothing may alias unless a comment says so.
 * Counts are ints: a tensor has fewer than 2^31 elements. Out of memory ends the program with the command's exit code
 * for it, 4: only the command's self-test and the tests link this.
 */
#ifndef FOVEA_REF_REF_H
#define FOVEA_REF_REF_H

#include <stdbool.h>
#include <stdint.h>

/* count zeros; ends the program when out of memory; the caller frees. */
double *ref_alloc(int count);

/* --- convolution -------------------------------------------------------------------------------------------- */

/* y[n][k][oy][ox] = b[k] + sum_{c,i,j} x[n][c][oy stride + i - top][ox stride + j - left] w[k][c][i][j],
 * where x outside the image is 0. */
struct ref_conv2d {
  int n, c, h, w; /* x: n images, c channels, h rows, w columns */
  int k, oh, ow;  /* y: k channels, oh rows, ow columns */
  int r, s;       /* kernel: rows, columns */
  int stride, top, left;
};

/* Keras's 'same': o = ceil(n / stride), total = max((o - 1) stride + r - n, 0), before = total / 2. */
struct ref_conv2d ref_conv2d_same(int n, int c, int h, int w, int k, int r, int stride);

/* b[k] may be NULL. */
void ref_conv2d(const struct ref_conv2d *d, const double *x, const double *w, const double *b, double *y);
void ref_conv2d_backward_data(const struct ref_conv2d *d, const double *dy, const double *w, double *dx);
void ref_conv2d_backward_weight(const struct ref_conv2d *d, const double *x, const double *dy, double *dw, double *db);

/* The exact gradient of the convolution d: here x is [n][k][oh][ow], y is [n][c][h][w] and w is [k][c][r][s].
 * For Keras's Conv2DTranspose from (h, w) to (h stride, w stride), d is
 * ref_conv2d_same(n, channels of y, h stride, w stride, channels of x, r, stride). */
void ref_conv2d_transpose(const struct ref_conv2d *d, const double *x, const double *w, double *y);
void ref_conv2d_transpose_backward_data(const struct ref_conv2d *d, const double *dy, const double *w, double *dx);
void ref_conv2d_transpose_backward_weight(const struct ref_conv2d *d, const double *x, const double *dy, double *dw);

/* --- dense: y[n][out] = x[n][in] w[out][in]^T + b[out]; b and db may be NULL ---------------------------------- */

void ref_dense(int n, int in, int out, const double *x, const double *w, const double *b, double *y);
void ref_dense_backward(int n, int in, int out, const double *x, const double *w, const double *dy, double *dx,
                        double *dw, double *db);

/* --- batch normalization -------------------------------------------------------------------------------------- */

/* x[n][c][hw]. Only the first n_valid images count in the statistics and in the gradients; the rest is padding,
 * which the forward pass normalizes all the same and whose dx stays as it is. The variance is biased. */
struct ref_batchnorm {
  int n, n_valid, c, hw;
  double eps;
};

/* mean[c], var[c]: of this batch. */
void ref_batchnorm_statistics(const struct ref_batchnorm *d, const double *x, double *mean, double *var);
/* y = gamma (x - mean) / sqrt(var + eps) + beta: training with the batch's statistics, inference with the moving. */
void ref_batchnorm(const struct ref_batchnorm *d, const double *x, const double *mean, const double *var,
                   const double *gamma, const double *beta, double *y);
/* moving = momentum moving + (1 - momentum) batch */
void ref_batchnorm_moving(int c, double momentum, const double *batch, double *moving);
/* Training: mean and var are the batch's, and depend on x. */
void ref_batchnorm_backward(const struct ref_batchnorm *d, const double *x, const double *mean, const double *var,
                            const double *gamma, const double *dy, double *dx, double *dgamma, double *dbeta);
/* Inference: mean and var are constants. */
void ref_batchnorm_inference_backward(const struct ref_batchnorm *d, const double *x, const double *mean,
                                      const double *var, const double *gamma, const double *dy, double *dx,
                                      double *dgamma, double *dbeta);

/* --- attention ------------------------------------------------------------------------------------------------ */

/* y = x a, a[n][h][w] = sigmoid(conv5x5(concat(max_c x, mean_c x)) + b), w[1][2][5][5], b[1].
 * a is also an output (NULL: not wanted). The gradient of a maximum is split evenly among ties. */
void ref_spatial_attention(int n, int c, int h, int w, const double *x, const double *weight, const double *b,
                           double *y, double *a);
void ref_spatial_attention_backward(int n, int c, int h, int w, const double *x, const double *weight, const double *b,
                                    const double *dy, double *dx, double *dweight, double *db);

/* CBAM (arXiv:1807.06521, equation 2): y = x a, a[n][c] = sigmoid(mlp(mean_hw x) + mlp(max_hw x)),
 * mlp(v) = w2[c][hidden] relu(w1[hidden][c] v + b1[hidden]) + b2[c]. Ties as above. */
struct ref_channel_attention {
  int n, c, hw, hidden;
};
struct ref_mlp {
  double *w1, *b1, *w2, *b2;
};
void ref_channel_attention(const struct ref_channel_attention *d, const double *x, const struct ref_mlp *p, double *y,
                           double *a);
/* g: the gradients of p, or NULL. */
void ref_channel_attention_backward(const struct ref_channel_attention *d, const double *x, const struct ref_mlp *p,
                                    const double *dy, double *dx, const struct ref_mlp *g);

/* --- pointwise ------------------------------------------------------------------------------------------------ */

enum ref_activation { REF_LINEAR, REF_RELU, REF_ELU, REF_SELU, REF_SIGMOID };

double ref_sigmoid(double x);
/* y may be x. ELU's alpha is 1. */
void ref_activation(enum ref_activation kind, int count, const double *x, double *y);
/* x is the forward pass's input. ReLU's gradient at 0 is 0. */
void ref_activation_backward(enum ref_activation kind, int count, const double *x, const double *dy, double *dx);

/* y = keep x / (1 - rate); y may be x. */
void ref_dropout(int count, double rate, const uint8_t *keep, const double *x, double *y);
void ref_dropout_backward(int count, double rate, const uint8_t *keep, const double *dy, double *dx);

/* --- the variational head and the losses ---------------------------------------------------------------------- */

/* z = mu + exp(logvar / 2) eps */
void ref_reparameterize(int count, const double *mu, const double *logvar, const double *eps, double *z);
void ref_reparameterize_backward(int count, const double *logvar, const double *eps, const double *dz, double *dmu,
                                 double *dlogvar);

/* Mean over n images of -1/2 sum over latent of (1 + logvar - mu^2 - exp(logvar)). Unweighted.
 * With a padded batch pass the number of valid images: they are the first. */
double ref_kl(int n, int latent, const double *mu, const double *logvar);
/* scale: the loss's gradient to the value above (the KL weight). */
void ref_kl_backward(int n, int latent, double scale, const double *mu, const double *logvar, double *dmu,
                     double *dlogvar);

/* Mean over count of -(t ln p + (1 - t) ln(1 - p)), p = sigmoid(x) clipped to [1e-7, 1 - 1e-7], t the target.
 * The gradient is to x, (p - t) / count, and 0 where p was clipped. */
double ref_bce_sigmoid(int count, const double *x, const double *t);
void ref_bce_sigmoid_backward(int count, double scale, const double *x, const double *t, double *dx);

/* --- Adam, Keras's form ---------------------------------------------------------------------------------------- */

/* t = iteration + 1, lr_t = lr / (1 + decay iteration) sqrt(1 - b2^t) / (1 - b1^t),
 * m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g^2, p -= lr_t m / (sqrt(v) + eps). The first iteration is 0. */
struct ref_adam {
  double lr, decay, b1, b2, eps;
};
void ref_adam(const struct ref_adam *d, int iteration, int count, const double *g, double *m, double *v, double *p);

/* --- random numbers: Philox4x32-10, Salmon et al., SC11 -------------------------------------------------------- */

void ref_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);
/* rate in [0, 1), rounded to nearest: an element is kept if its word >= the threshold. */
uint32_t ref_dropout_threshold(double rate);
/* keep[n][c][hw] = philox({n, c ceil(HW / 4) + hw / 4, op, step}, seed)[hw mod 4] >= threshold */
void ref_dropout_mask(int n, int c, int hw, double rate, uint32_t op, uint32_t step, uint64_t seed, uint8_t *keep);
/* eps[n][j] = sqrt(-2 ln u1) cos(2 pi u2), p = philox({n, j, op, step}, seed),
 * u1 = ((p[0] >> 9) + 1/2) 2^-23, u2 = (p[1] >> 9) 2^-23 */
void ref_normal(int n, int latent, uint32_t op, uint32_t step, uint64_t seed, double *eps);

#endif
