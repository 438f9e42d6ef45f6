/* From the text of a disassembly to steps. */
#ifndef FOVEA_TESTS_EMULATOR_DECODE_H
#define FOVEA_TESTS_EMULATOR_DECODE_H

#include "machine.h"

/* Appends to kernel->steps those of the lines of `text`, which is kept, up to an empty line. False: `message` names the
 * kernel, the instruction, and what about it is not known. */
bool decode_kernel(const machine *m, kernel_code *kernel, char *text, char *message, size_t size);

#endif
