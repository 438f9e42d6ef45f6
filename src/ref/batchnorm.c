/* Batch normalization (arXiv:1502.03167) with Keras's biased variance. */
#include <math.h>

#include "ref/ref.h"

void ref_batchnorm_statistics(const struct ref_batchnorm *d, const double *x, double *mean, double *var) {
  double count = (double)d->n_valid * d->hw;
  for (int c = 0; c < d->c; c++) {
    double sum = 0;
    double squares = 0;
    for (int n = 0; n < d->n_valid; n++)
      for (int i = 0; i < d->hw; i++) sum += x[(n * d->c + c) * d->hw + i];
    mean[c] = sum / count;
    for (int n = 0; n < d->n_valid; n++)
      for (int i = 0; i < d->hw; i++) squares += pow(x[(n * d->c + c) * d->hw + i] - mean[c], 2);
    var[c] = squares / count;
  }
}

void ref_batchnorm(const struct ref_batchnorm *d, const double *x, const double *mean, const double *var,
                   const double *gamma, const double *beta, double *y) {
  for (int i = 0; i < d->n * d->c * d->hw; i++) {
    int c = i / d->hw % d->c;
    y[i] = gamma[c] * (x[i] - mean[c]) / sqrt(var[c] + d->eps) + beta[c];
  }
}

void ref_batchnorm_moving(int c, double momentum, const double *batch, double *moving) {
  for (int i = 0; i < c; i++) moving[i] = momentum * moving[i] + (1 - momentum) * batch[i];
}

/* Over the valid images of channel c: sums dy and dy xhat, xhat = (x - mean) / sqrt(var + eps). */
static void sums(const struct ref_batchnorm *d, int c, const double *x, double mean, double inv, const double *dy,
                 double *sum_dy, double *sum_dy_xhat) {
  *sum_dy = *sum_dy_xhat = 0;
  for (int n = 0; n < d->n_valid; n++) {
    for (int i = (n * d->c + c) * d->hw; i < (n * d->c + c + 1) * d->hw; i++) {
      *sum_dy += dy[i];
      *sum_dy_xhat += dy[i] * (x[i] - mean) * inv;
    }
  }
}

/* dx = gamma inv (dy - mean(dy) - xhat mean(dy xhat)); with constant statistics the two means are absent. */
static void backward(const struct ref_batchnorm *d, bool constant, const double *x, const double *mean,
                     const double *var, const double *gamma, const double *dy, double *dx, double *dgamma,
                     double *dbeta) {
  double count = (double)d->n_valid * d->hw;
  for (int c = 0; c < d->c; c++) {
    double inv = 1 / sqrt(var[c] + d->eps);
    double sum_dy;
    double sum_dy_xhat;
    sums(d, c, x, mean[c], inv, dy, &sum_dy, &sum_dy_xhat);
    if (dgamma) dgamma[c] += sum_dy_xhat;
    if (dbeta) dbeta[c] += sum_dy;
    double mean_dy = constant ? 0 : sum_dy / count;
    double mean_dy_xhat = constant ? 0 : sum_dy_xhat / count;
    for (int n = 0; dx && n < d->n_valid; n++)
      for (int i = (n * d->c + c) * d->hw; i < (n * d->c + c + 1) * d->hw; i++)
        dx[i] += gamma[c] * inv * (dy[i] - mean_dy - (x[i] - mean[c]) * inv * mean_dy_xhat);
  }
}

void ref_batchnorm_backward(const struct ref_batchnorm *d, const double *x, const double *mean, const double *var,
                            const double *gamma, const double *dy, double *dx, double *dgamma, double *dbeta) {
  backward(d, false, x, mean, var, gamma, dy, dx, dgamma, dbeta);
}

void ref_batchnorm_inference_backward(const struct ref_batchnorm *d, const double *x, const double *mean,
                                      const double *var, const double *gamma, const double *dy, double *dx,
                                      double *dgamma, double *dbeta) {
  backward(d, true, x, mean, var, gamma, dy, dx, dgamma, dbeta);
}
