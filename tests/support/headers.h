/* The functions that the public headers declare, read from their text. */
#ifndef FOVEA_TESTS_SUPPORT_HEADERS_H
#define FOVEA_TESTS_SUPPORT_HEADERS_H

#include <stdbool.h>
#include <stddef.h>

enum { DECLARED_POINTERS = 8, DECLARED_NAME = 64, MOST_DECLARED = 256 };

typedef struct declared {
  char name[DECLARED_NAME];
  bool speaks; /* returns a status or a tensor, with a message after a failure */
  int pointers;
  char pointer[DECLARED_POINTERS][DECLARED_NAME]; /* their names, arrays' too, in order */
} declared;

/* All of include/fovea, how many. Aborts where a text is not as it expects. */
size_t declared_functions(declared all[MOST_DECLARED]);

#endif
