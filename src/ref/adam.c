#include <math.h>

#include "ref/ref.h"

void ref_adam(const struct ref_adam *d, int iteration, int count, const double *g, double *m, double *v, double *p) {
  int t = iteration + 1;
  double lr = d->lr / (1 + d->decay * iteration) * sqrt(1 - pow(d->b2, t)) / (1 - pow(d->b1, t));
  for (int i = 0; i < count; i++) {
    m[i] = d->b1 * m[i] + (1 - d->b1) * g[i];
    v[i] = d->b2 * v[i] + (1 - d->b2) * g[i] * g[i];
    p[i] -= lr * m[i] / (sqrt(v[i]) + d->eps);
  }
}
