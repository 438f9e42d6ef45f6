/* A kernel's machine code as a list of steps, and what runs it.
 *
 * A wave runs by calling one C function an instruction: `run` does it for all lanes and returns the next step. There is
 * a function for each mnemonic that is known (scalar.c, vector.c, compare.c, memory.c, control.c), compiled once for
 * waves of 32 lanes and once for 64; decode.c finds them by the disassembly's text. */
#ifndef FOVEA_TESTS_EMULATOR_MACHINE_H
#define FOVEA_TESTS_EMULATOR_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/engine.h"
#include "common/group.h"

enum {
  /* Scalar registers by their number; then those that only the emulator has: what is written to the register `null`,
   * two where a scalar's constants begin, and the kernel's constants, so that every operand is a register. */
  VCC = 106,
  M0 = 125,
  EXEC = 126,
  SINK = 128,
  FIRST_CONSTANT = 130,
  MOST_SCALARS = 2048,
  /* Vector registers, accumulation registers, and one that keeps what the second half of a dual instruction reads. */
  FIRST_ACCUMULATOR = 256,
  KEPT = 512,
  MOST_VECTORS = 513
};

/* Of an operand: read as -x, |x|, -|x|; as one of its bytes or halves, by the number of the first bit, with
 * its sign extended or not. */
enum { NEGATED = 1, ABSOLUTE = 2, A_BYTE = 4, A_HALF = 8, FROM_BIT_8 = 16, FROM_BIT_16 = 32, SIGNED_PART = 64 };

typedef struct operand {
  uint16_t index; /* of the first register */
  uint8_t scalar; /* else a vector register */
  uint8_t change; /* of these */
} operand;

struct wave;

typedef struct step {
  const struct step *(*run)(struct wave *, const struct step *);
  const struct step *target; /* of a branch */
  operand d[2], x[4];        /* results and sources, in the order of the text */
  int32_t offset[2];         /* of an address; of the two of a ds_load_2addr */
  uint32_t immediate;        /* 16 bits, or the selection of halves of a packed instruction */
  uint32_t address;
  const char *text; /* as llvm-objdump prints it */
} step;

/* What a mnemonic is. `operands` has a letter for each that is written behind it:
 *   D E  vector result of 32, 64 bits    a A  source of 32, 64 bits, vector or scalar
 *   S T  scalar result of 32, 64 bits    s t  scalar source of 32, 64 bits
 *   P    source of two packed numbers of 32 bits; of a constant the lower one has it, and the upper is 0
 *   M m  result, source with a bit a lane: 32 or 64 bits as the wave has lanes; m may be left out and is then vcc
 *   F    vector registers of a load      f    vector registers of a store, any number of them
 *   v    an address: a vector register or two, or off     p  its base: scalar registers, or off
 *   G    scalar registers of a load      k    16 bits     b  the distance of a branch
 *   q    s[0:3], by which gfx90a finds private memory; it is no source
 *   i    gpr_idx(SRC0) or gpr_idx(DST), which the decoder reads
 *   X    exec, which is not written out  ?    anything; without effect where `run` is NULL */
typedef struct instruction {
  const char *name, *operands;
  const step *(*run)(struct wave *, const step *);
} instruction;

typedef struct kernel_code {
  kernel_head head;
  step *steps; /* `count` of them */
  size_t count;
  uint32_t *constants; /* the kernel's, for the scalars from FIRST_CONSTANT on */
  uint32_t constant_count;
  uint32_t hidden_offset;                      /* of the hidden arguments; ~0: there are none */
  uint32_t vectors;                            /* registers of a lane */
  uint32_t resources1, resources2, properties; /* of the kernel's descriptor */
  uint64_t entry;                              /* address in the code object */
  const uint8_t *image;                        /* where that is loaded */
} kernel_code;

/* What one launch has for all groups. */
typedef struct launch {
  const kernel_code *kernel;
  const struct settings *settings;
  uint32_t scalars[128]; /* as a wave finds them, but for the group's number */
  uint32_t user_scalars; /* where that comes */
  uint32_t local[3];     /* size of a group */
  uint32_t local_bytes;  /* with the dynamic ones */
} launch;

typedef struct machine {
  uint32_t lanes;
  const instruction *(*find)(const char *mnemonic); /* without _e32, _e64; NULL when it is not known */
  const step *(*exec_changed)(struct wave *, const step *);
  /* Makes `first` do the work of both, where they are a pair for which there is such a function. */
  void (*fuse)(step *first, const step *second);
  /* One work-group, until all its waves have ended. False: workspace->fault says why not. */
  bool (*run_group)(workspace *, const launch *, const uint32_t group[3]);
} machine;

extern const machine machine_32, machine_64;

#endif
