/* What every op test has: cmocka, and a loop over a table of cases. */
#ifndef FOVEA_TESTS_OP_TEST_H
#define FOVEA_TESTS_OP_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/chain.h"
#include "support/sample.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* Runs every case and fails with how many comparisons did; CMOCKA_TEST_ABORT, by which cmocka ends a program at its
 * first failure, ends a table at its first failing case. */
#define RUN_TABLE(run, table)                                                                              \
  do {                                                                                                     \
    int failures = 0;                                                                                      \
    const int all = !getenv("CMOCKA_TEST_ABORT");                                                          \
    for (size_t i = 0; i < COUNT(table) && (all || !failures); i += every()) failures += run(&(table)[i]); \
    if (failures) fail_msg("%d comparisons of %zu cases failed", failures, COUNT(table));                  \
  } while (0)

#endif
