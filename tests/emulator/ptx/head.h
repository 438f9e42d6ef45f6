/* What a PTX file says of its kernels before their code. */
#ifndef FOVEA_TESTS_EMULATOR_PTX_HEAD_H
#define FOVEA_TESTS_EMULATOR_PTX_HEAD_H

#include "common/engine.h"

enum { MOST_KERNELS = 64 };

/* The bytes of STEM.ENDING with a 0 behind them, to be freed; NULL: it cannot be read. */
char *ptx_read_file(const char *stem, const char *ending);

/* Of heads[i] name, arguments and sizes, and where in the text the body begins and ends. False: `message` says why not.
 */
typedef struct ptx_body {
  const char *begin, *end;
} ptx_body;
bool ptx_read_heads(const char *text, kernel_head *heads, ptx_body *bodies, size_t *count, char *message, size_t size);

/* ".align A .b8 NAME[BYTES]" at the beginning of `text`, which may end with an initial value. False: it is none. */
typedef struct ptx_array {
  char name[128];
  uint32_t align, bytes;
} ptx_array;
bool ptx_read_array(const char *text, ptx_array *array);

#endif
