/* A kernel while it is read: its instructions with the registers of the text, of which there are as many as values. */
#ifndef FOVEA_TESTS_EMULATOR_PTX_DRAFT_H
#define FOVEA_TESTS_EMULATOR_PTX_DRAFT_H

#include "memory.h"
#include "module.h"

typedef struct operand {
  enum { NOTHING, REGISTER, FIXED, VALUE } kind; /* of the text; a special one; a constant, by its number */
  bool wide;
  uint32_t index;
} operand;

typedef struct draft_step {
  step step;
  operand d[MOST_RESULTS], x[MOST_SOURCES];
  const char *label; /* of a branch; of the module's text, `label_length` of it */
  size_t label_length;
  uint32_t target, join; /* instructions; NOWHERE */
  bool conditional, ends, is_join;
} draft_step;

#define NOWHERE (~0u)

typedef struct draft {
  ptx_kernel *kernel;
  const ptx_module *module;
  draft_step *steps, *now; /* the one that is read */
  draft_step behind[MOST_RESULTS];
  int behind_count;
  uint32_t count, room;
  bool *wide; /* of each register */
  uint32_t registers;
  struct register_names {
    char prefix[64];
    uint32_t first, count; /* 0: the prefix is the whole name */
    bool wide;
  } names[64];
  int name_count;
  ptx_symbol symbols[MOST_SYMBOLS]; /* parameters, shared and private arrays */
  int symbol_count;
  struct label {
    const char *name;
    size_t length;
    uint32_t at;
  } * labels;
  uint32_t label_count, label_room;
  uint32_t shared_bytes, private_bytes; /* so far */
  char wrong[200];
} draft;

/* Targets of branches and where their ways meet: the immediate postdominator. False: a label is missing. */
bool draft_find_flow(draft *);

/* Places for registers: one place for many that are not needed at the same time. slots[i] for register i. */
void draft_allocate(draft *, uint16_t *slots);

/* The instructions that may follow the last one of a block. */
int draft_next(const draft *, uint32_t last, uint32_t next[2]);

/* Sets d->wrong; false. */
bool draft_wrong(draft *, const char *what, const char *which);

void draft_add_registers(draft *, uint32_t count, bool wide);
void draft_append(draft *, const draft_step *);

/* Cuts at commas that are not in brackets or braces, and before the text; -1: into more than `most`. */
int draft_cut(char *text, char *pieces[], int most);

/* Of the instruction that is read, by the letters of ptx.h. Changes the pieces. */
bool draft_read_operands(draft *, draft_step *, const instruction *, char *pieces[], int count);

/* Grows an array of `size` bytes an element so that one more has room. */
void *draft_room(void *array, uint32_t count, uint32_t *room, size_t size);

#endif
