/* A work-group: its waves run one after the other, each to its end or to a barrier, until all have ended. */
#ifndef FOVEA_TESTS_EMULATOR_COMMON_GROUP_H
#define FOVEA_TESTS_EMULATOR_COMMON_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "settings.h"

/* What each wave begins with. */
typedef struct wave_head {
  enum { RUNNING, WAITING, ENDED, FAULTED } state;
  const char *fault;
  const void *next; /* the step at which it is; behind its barrier where it waits */
  uint64_t count;   /* of executed instructions */
} wave_head;

/* Memory of a thread that runs groups: waves, local memory, private memory; grows as it must. */
typedef struct workspace {
  void *waves;
  wave_head *volatile running; /* one of them */
  uint8_t *local, *scratch;
  size_t wave_bytes, local_bytes, scratch_bytes;
  uint64_t prepared;     /* the launch for which the waves were made ready */
  uint64_t instructions; /* that waves have executed, in all */
  char fault[512];       /* what stopped a group */
} workspace;

typedef struct group_plan {
  const char *kernel;
  const settings *settings;
  uint32_t count; /* of waves, `stride` bytes each */
  size_t stride;
  void (*run)(wave_head *);                               /* up to a barrier, an end, a fault */
  void (*where)(const void *step, char *to, size_t size); /* text and place of a step */
  size_t step_bytes;
} group_plan;

/* Room for the waves and both memories, of which local memory becomes garbage. */
bool group_room(workspace *, const group_plan *, size_t local_bytes, size_t scratch_bytes);

/* False: workspace->fault says why not. */
bool group_run(workspace *, const group_plan *);

#endif
