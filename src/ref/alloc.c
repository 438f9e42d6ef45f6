#include <stdio.h>
#include <stdlib.h>

#include "ref/canonical_ops.h"
#include "ref/ref.h"

double *ref_alloc(int count) {
  double *p = count < 0 ? NULL : calloc((size_t)count + 1, sizeof *p);
  if (!p) {
    fprintf(stderr, "reference: out of memory for %d doubles\n", count);
    exit(4);
  }
  return p;
}

float *canonical_alloc(size_t count) {
  float *p = calloc(count + 1, sizeof *p);
  if (!p) {
    fprintf(stderr, "reference: out of memory for %zu floats\n", count);
    exit(4);
  }
  return p;
}
