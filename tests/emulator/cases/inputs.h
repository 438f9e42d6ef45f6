/* Words and floats at which something happens, and what a kernel of (a, b, c, out, n) gives for each three of them. */
#ifndef FOVEA_TESTS_EMULATOR_INPUTS_H
#define FOVEA_TESTS_EMULATOR_INPUTS_H

#include "harness.h"

enum { COUNT = 4096, MOST_WORDS = 40 };

typedef struct item {
  uint32_t a, b, c;
  float x, y, z; /* the same as floats */
  uint32_t out[MOST_WORDS];
  int count;
} item;

float as_float(uint32_t u);
void put(item *t, uint32_t value);
void putf(item *t, float value);

extern uint32_t as[COUNT], bs[COUNT], cs[COUNT], out[MOST_WORDS * COUNT];
void inputs_make(void);

/* Runs a kernel, whose `words` words an item go to `out`; they begin as `before`, or NaN where that is NULL. */
void inputs_run(harness *h, const char *name, uint32_t words, const uint32_t *before);

/* Fails the test where an item's words are others than `expect` gives; any NaN is like any other. */
void inputs_compare(harness *h, const char *name, void (*expect)(item *));

#endif
