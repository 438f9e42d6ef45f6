/* A code object's metadata, as llvm-readelf --notes prints it. */
#ifndef FOVEA_TESTS_EMULATOR_NOTES_H
#define FOVEA_TESTS_EMULATOR_NOTES_H

#include "machine.h"

enum { MOST_KERNELS = 64 };

/* Names, arguments and sizes of kernels[0] to [*count - 1], of MOST_KERNELS. False: `message` says what is not known.
 * Changes `text`. */
bool notes_read(char *text, kernel_code *kernels, size_t *count, char *message, size_t size);

#endif
