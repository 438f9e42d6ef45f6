/* A PTX file as kernels that can be run. */
#ifndef FOVEA_TESTS_EMULATOR_PTX_MODULE_H
#define FOVEA_TESTS_EMULATOR_PTX_MODULE_H

#include "head.h"
#include "ptx.h"

enum { MOST_SYMBOLS = 96 };

typedef struct ptx_symbol {
  char name[160];
  state_space in;
  uint64_t value; /* an offset, an address of the host's */
} ptx_symbol;

typedef struct ptx_module {
  char *text; /* the steps' texts are in it */
  ptx_kernel *kernels;
  size_t count;
  uint8_t *image; /* constants */
  size_t image_bytes;
  ptx_symbol symbols[MOST_SYMBOLS];
  int symbol_count;
} ptx_module;

/* Of STEM.ptx. NULL: `message` says why not, with the instruction that is not known. ptx_unload takes NULL. */
ptx_module *ptx_read(char *text, char *message, size_t size); /* of a text that was allocated, and is then its own */
ptx_module *ptx_load(const char *stem, char *message, size_t size);
void ptx_unload(ptx_module *);

/* The steps of a kernel, whose head is read, of the text of its body, which is changed. False: `message` names the
 * kernel, the line, and what about it is not known. */
bool ptx_decode(ptx_module *, ptx_kernel *, char *body, uint32_t first_line, char *message, size_t size);

#endif
