/* What a disassembly writes for registers and constants. */
#ifndef FOVEA_TESTS_EMULATOR_OPERAND_H
#define FOVEA_TESTS_EMULATOR_OPERAND_H

#include "machine.h"

bool is_number(const char *text);

/* Of letter `letter` of machine.h, in waves of `lanes`. A constant gets a register of the kernel's. False: not known.
 */
bool read_operand(kernel_code *kernel, char letter, uint32_t lanes, const char *text, operand *to);

/* Of offset:N, or of ds_swizzle's offset:swizzle(...); `of`: the instruction. */
bool read_offset(const char *text, const char *of, int32_t *offset);

#endif
