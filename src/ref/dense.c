#include "ref/ref.h"

void ref_dense(int n, int in, int out, const double *x, const double *w, const double *b, double *y) {
  for (int i = 0; i < n; i++) {
    for (int o = 0; o < out; o++) {
      double sum = b ? b[o] : 0;
      for (int j = 0; j < in; j++) sum += x[i * in + j] * w[o * in + j];
      y[i * out + o] = sum;
    }
  }
}

void ref_dense_backward(int n, int in, int out, const double *x, const double *w, const double *dy, double *dx,
                        double *dw, double *db) {
  for (int i = 0; i < n; i++) {
    for (int o = 0; o < out; o++) {
      double g = dy[i * out + o];
      if (db) db[o] += g;
      for (int j = 0; j < in; j++) {
        if (dx) dx[i * in + j] += g * w[o * in + j];
        if (dw) dw[o * in + j] += g * x[i * in + j];
      }
    }
  }
}
