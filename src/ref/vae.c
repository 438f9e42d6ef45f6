/* The variational head (arXiv:1312.6114) and the two losses. */
#include <math.h>

#include "ref/ref.h"

static const double CLIP = 1e-7;

void ref_reparameterize(int count, const double *mu, const double *logvar, const double *eps, double *z) {
  for (int i = 0; i < count; i++) z[i] = mu[i] + exp(logvar[i] / 2) * eps[i];
}

void ref_reparameterize_backward(int count, const double *logvar, const double *eps, const double *dz, double *dmu,
                                 double *dlogvar) {
  for (int i = 0; i < count; i++) {
    if (dmu) dmu[i] += dz[i];
    if (dlogvar) dlogvar[i] += dz[i] * eps[i] * exp(logvar[i] / 2) / 2;
  }
}

double ref_kl(int n, int latent, const double *mu, const double *logvar) {
  double sum = 0;
  for (int i = 0; i < n * latent; i++) sum += 1 + logvar[i] - mu[i] * mu[i] - exp(logvar[i]);
  return -sum / 2 / n;
}

void ref_kl_backward(int n, int latent, double scale, const double *mu, const double *logvar, double *dmu,
                     double *dlogvar) {
  for (int i = 0; i < n * latent; i++) {
    if (dmu) dmu[i] += scale * mu[i] / n;
    if (dlogvar) dlogvar[i] += scale * (exp(logvar[i]) - 1) / 2 / n;
  }
}

double ref_bce_sigmoid(int count, const double *x, const double *t) {
  double sum = 0;
  for (int i = 0; i < count; i++) {
    double p = fmin(fmax(ref_sigmoid(x[i]), CLIP), 1 - CLIP);
    sum -= t[i] * log(p) + (1 - t[i]) * log1p(-p);
  }
  return sum / count;
}

void ref_bce_sigmoid_backward(int count, double scale, const double *x, const double *t, double *dx) {
  for (int i = 0; i < count; i++) {
    double p = ref_sigmoid(x[i]);
    if (p >= CLIP && p <= 1 - CLIP) dx[i] += scale * (p - t[i]) / count;
  }
}
