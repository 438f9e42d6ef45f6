/* Activations and dropout. */
#include <math.h>

#include "ref/ref.h"

/* arXiv:1706.02515 */
static const double SELU_SCALE = 1.0507009873554804934193349852946;
static const double SELU_ALPHA = 1.6732632423543772848170429916717;

static const double LEAKY_SLOPE = 0.3; /* Keras's */

double ref_sigmoid(double x) { return x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x)); }

static double activate(enum ref_activation kind, double x) {
  switch (kind) {
    case REF_RELU:
      return x > 0 ? x : 0;
    case REF_ELU:
      return x > 0 ? x : expm1(x);
    case REF_SELU:
      return SELU_SCALE * (x > 0 ? x : SELU_ALPHA * expm1(x));
    case REF_SIGMOID:
      return ref_sigmoid(x);
    case REF_TANH:
      return tanh(x);
    case REF_LEAKY_RELU:
      return x > 0 ? x : LEAKY_SLOPE * x;
    case REF_LINEAR:
      break;
  }
  return x;
}

static double derivative(enum ref_activation kind, double x) {
  switch (kind) {
    case REF_RELU:
      return x > 0 ? 1 : 0;
    case REF_ELU:
      return x > 0 ? 1 : exp(x);
    case REF_SELU:
      return SELU_SCALE * (x >= 0 ? 1 : SELU_ALPHA * exp(x)); /* at 0 as TensorFlow; PyTorch differs */
    case REF_SIGMOID:
      return ref_sigmoid(x) * ref_sigmoid(-x);
    case REF_TANH:
      return 1 / (cosh(x) * cosh(x));
    case REF_LEAKY_RELU:
      return x > 0 ? 1 : LEAKY_SLOPE;
    case REF_LINEAR:
      break;
  }
  return 1;
}

void ref_activation(enum ref_activation kind, int count, const double *x, double *y) {
  for (int i = 0; i < count; i++) y[i] = activate(kind, x[i]);
}

void ref_activation_backward(enum ref_activation kind, int count, const double *x, const double *dy, double *dx) {
  for (int i = 0; i < count; i++) dx[i] += dy[i] * derivative(kind, x[i]);
}

void ref_dropout(int count, double rate, const uint8_t *keep, const double *x, double *y) {
  for (int i = 0; i < count; i++) y[i] = keep[i] ? x[i] / (1 - rate) : 0;
}

void ref_dropout_backward(int count, double rate, const uint8_t *keep, const double *dy, double *dx) {
  for (int i = 0; i < count; i++) dx[i] += keep[i] ? dy[i] / (1 - rate) : 0;
}
