#include "check/error.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

double check_largest(const double *x, size_t count) {
  double most = 0;
  for (size_t i = 0; i < count; i++) {
    if (isnan(x[i])) return INFINITY;
    if (fabs(x[i]) > most) most = fabs(x[i]);
  }
  return most;
}

double check_ulp_of(double b) {
  int exponent;
  frexp(b, &exponent);
  return ldexp(1, (exponent < FLT_MIN_EXP ? FLT_MIN_EXP : exponent) - FLT_MANT_DIG);
}

static size_t size_of(const check_tensor *t) {
  size_t count = 1;
  for (int i = 0; i < t->rank; i++) count *= (size_t)t->dims[i];
  return count;
}

/* "weight[3,0,1,2]" */
static void place(const check_tensor *t, size_t index, char *text, size_t size) {
  int at[4] = {0};
  for (int i = t->rank - 1; i >= 0; i--) {
    at[i] = (int)(index % (size_t)t->dims[i]);
    index /= (size_t)t->dims[i];
  }
  size_t used = (size_t)snprintf(text, size, "%.60s[", t->name);
  for (int i = 0; i < t->rank && used < size; i++)
    used += (size_t)snprintf(text + used, size - used, "%s%d", i ? "," : "", at[i]);
  if (used < size) snprintf(text + used, size - used, "]");
}

void check_compare(check_error *error, const check_tensor *tensor, const float *a, const double *b,
                   check_tolerance tolerance) {
  const size_t count = size_of(tensor);
  const double largest = check_largest(b, count);
  double squares = 0, of_b = 0, most = 0;
  error->count += count;
  for (size_t i = 0; i < count; i++) {
    const double difference = fabs((double)a[i] - b[i]);
    const double allowed = tolerance.rtol * fabs(b[i]) + tolerance.share * largest + tolerance.atol;
    if (!(difference <= allowed) && !error->failed) {
      char where[120];
      place(tensor, i, where, sizeof where);
      error->failed = true;
      snprintf(error->first, sizeof error->first, "%s is %.9g, expected %.9g within %.2g", where, (double)a[i], b[i],
               allowed);
    }
    most = fmax(most, difference);
    squares += difference * difference, of_b += b[i] * b[i];
  }
  error->ulp = fmax(error->ulp, most / check_ulp_of(largest));
  if (of_b > 0) error->relative = fmax(error->relative, sqrt(squares / of_b));
}

void check_compare_bits(check_error *error, const check_tensor *tensor, const float *a, const float *canonical) {
  const size_t count = size_of(tensor);
  for (size_t i = 0; i < count; i++) {
    if (memcmp(&a[i], &canonical[i], sizeof *a) == 0) continue;
    if (error->differ++ > 0 || error->failed) continue;
    char where[120];
    place(tensor, i, where, sizeof where);
    snprintf(error->first, sizeof error->first, "%s is %a, the canonical bits are %a", where, (double)a[i],
             (double)canonical[i]);
  }
}

void check_padding(check_error *error, const check_tensor *tensor, int n, const float *x) {
  check_tensor image = *tensor;
  image.dims[0] = 1;
  const size_t count = size_of(&image);
  size_t i = 0;
  while (i < count && x[i] == 0) i++;
  if (i == count || error->failed) return;
  char where[120];
  place(&image, i, where, sizeof where);
  error->failed = true;
  snprintf(error->first, sizeof error->first, "%s of padding image %d is %.9g, expected 0", where, n, (double)x[i]);
}

void check_merge(check_error *into, const check_error *other) {
  if (other->failed && !into->failed) memcpy(into->first, other->first, sizeof into->first);
  if (other->differ > 0 && into->differ == 0 && !into->failed) memcpy(into->first, other->first, sizeof into->first);
  into->failed |= other->failed;
  into->differ += other->differ;
  into->count += other->count;
  into->ulp = fmax(into->ulp, other->ulp);
  into->relative = fmax(into->relative, other->relative);
}
