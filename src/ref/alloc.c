#include <stdio.h>
#include <stdlib.h>

#include "ref/ref.h"

double *ref_alloc(int count) {
  double *p = count < 0 ? NULL : calloc((size_t)count + 1, sizeof *p);
  if (!p) {
    fprintf(stderr, "reference: out of memory for %d doubles\n", count);
    exit(4);
  }
  return p;
}
