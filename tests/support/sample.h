/* Samples of long tests: the same each time, so that a failure can be repeated. */
#ifndef FOVEA_TESTS_SUPPORT_SAMPLE_H
#define FOVEA_TESTS_SUPPORT_SAMPLE_H

#include <stddef.h>
#include <stdlib.h>

/* How many cases there are for each one that is run: FOVEA_TEST_EVERY=3 runs the first of every three, without it each
 * one is. */
static inline size_t every(void) {
  const char *given = getenv("FOVEA_TEST_EVERY");
  const long n = given ? strtol(given, NULL, 10) : 1;
  return n > 0 ? (size_t)n : 1;
}

#endif
