/* A code object of AMD's, as clang and lld make it, with what llvm-readelf and llvm-objdump say of it. */
#ifndef FOVEA_TESTS_EMULATOR_CODE_OBJECT_H
#define FOVEA_TESTS_EMULATOR_CODE_OBJECT_H

#include "machine.h"

typedef struct code_object {
  uint8_t *image;
  size_t image_size;
  kernel_code *kernels;
  size_t count;
  char *disassembly; /* the steps' texts */
} code_object;

/* Of STEM.co, STEM.notes and STEM.s. NULL: `message` says why not, with the instruction that is not known. Destroyed by
 * code_object_destroy, which takes NULL. */
code_object *code_object_load(const char *stem, const machine *m, char *message, size_t size);
void code_object_destroy(code_object *object);

#endif
