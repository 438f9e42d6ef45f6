/* Two sets of numbers compared, and how far apart they are. */
#ifndef FOVEA_TOOLS_CHECK_ERROR_H
#define FOVEA_TOOLS_CHECK_ERROR_H

#include "check/check.h"

/* A tensor for messages: its name and its shape. */
typedef struct check_tensor {
  const char *name;
  int rank, dims[4];
} check_tensor;

/* |a - b| <= rtol |b| + share max |b| + atol; a NaN on either side fails. */
typedef struct check_tolerance {
  double rtol, share, atol;
} check_tolerance;

/* The distance of neighbouring floats at b. */
double check_ulp_of(double b);

/* The largest |x|, infinity when one is NaN. */
double check_largest(const double *x, size_t count);

/* Adds the comparison of a, of the device, with b, the double reference's, to the error. */
void check_compare(check_error *error, const check_tensor *tensor, const float *a, const double *b,
                   check_tolerance tolerance);

/* Adds the elements of a whose bits are not those of `canonical`. */
void check_compare_bits(check_error *error, const check_tensor *tensor, const float *a, const float *canonical);

/* Padding images of a tensor: fails unless each of x, the tensor's image `n` of a whole batch, is 0. */
void check_padding(check_error *error, const check_tensor *tensor, int n, const float *x);

/* The larger errors of the two, counts added. */
void check_merge(check_error *into, const check_error *other);

#endif
