/* NVIDIA's PTX as a list of steps, and what runs it: "Parallel Thread Execution ISA" of NVIDIA's documentation, version
 * 7.5, whose sections the files here name.
 *
 * A warp runs by calling one C function an instruction: `run` does it for all threads and returns the next step. There
 * is a function for each instruction that is known, by its whole name with types and modifiers; decode.c finds them. */
#ifndef FOVEA_TESTS_EMULATOR_PTX_PTX_H
#define FOVEA_TESTS_EMULATOR_PTX_PTX_H

#include "common/engine.h"
#include "common/group.h"

enum { LANES = 32, MOST_RESULTS = 4, MOST_SOURCES = 5 };

/* Registers are of two files: narrow ones of 32 bits a thread, which also hold those of 16 bits (the upper ones open)
 * and predicates (~0 or 0), and wide ones of 64. The first narrow ones are the special registers. */
enum {
  TID = 0,
  NTID = 3,
  CTAID = 6,
  NCTAID = 9,
  ENVREG3 = 12, /* the range's offset, by NVIDIA's OpenCL; 6: its dimensions */
  LANEID = 16,
  FIRST_NARROW = 17
};

typedef enum state_space { GENERIC, GLOBAL, SHARED, PRIVATE, CONSTANT, PARAMETER } state_space;

struct warp;

typedef struct step {
  const struct step *(*run)(struct warp *, const struct step *);
  const struct step *target, *join; /* of a branch: its label; where both its ways meet again, NULL for nowhere */
  uint16_t d[MOST_RESULTS], x[MOST_SOURCES];
  int32_t offset;  /* of an address */
  uint32_t number; /* of a barrier; 1 for a branch by a predicate's opposite */
  uint32_t line;
  const char *text;
} step;

/* What an instruction is. `operands` has a letter for each:
 *   R W  result of a narrow, a wide register     r w  source that is one, or a constant
 *   V v  `words` narrow results, sources, in braces where there are several
 *   a    an address: a wide register or a name, and an offset    m  a parameter's
 *   L    a label     k  the number of a barrier */
typedef struct instruction {
  const char *name, *operands;
  const step *(*run)(struct warp *, const step *);
  int words;
} instruction;

/* By its name; NULL when it is not known. */
const instruction *ptx_find(const char *name);
const step *ptx_join(struct warp *, const step *); /* where ways meet */

typedef struct ptx_kernel {
  kernel_head head;
  step *steps;
  size_t count;
  uint32_t narrow, wide;             /* registers, constants behind them included */
  uint32_t first_narrow, first_wide; /* constants */
  uint32_t *narrow_values;
  uint64_t *wide_values;
  const uint8_t *image; /* the module's constants */
  size_t image_bytes;
} ptx_kernel;

/* What one launch has for all groups. */
typedef struct ptx_launch {
  const ptx_kernel *kernel;
  const settings *settings;
  const range *range;
  const uint8_t *values; /* of the parameters */
  uint32_t local_bytes;
  uint64_t number; /* of the launch; never 0 */
} ptx_launch;

bool ptx_run_group(workspace *, const void *launch, const uint32_t group[3]);

#endif
