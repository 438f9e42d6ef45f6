/* One fault after the other in the same piece of work, and what must hold after each. */
#ifndef FOVEA_TESTS_CAMPAIGN_H
#define FOVEA_TESTS_CAMPAIGN_H

#include <stdbool.h>

#include "faults/faults.h"

typedef struct campaign {
  const char *name;
  /* The work. Returns a status, which is also the command's exit code, and says in *message why. */
  int (*work)(const char **message);
  /* Puts everything back to where `work` begins. */
  void (*reset)(void);
  /* Looks at what the work left behind, given what it returned; NULL, or what is wrong. */
  const char *(*judge)(int status);
  int most;          /* faults in memory or a function of files that is called more often than that: a sample then */
  int most_opencl;   /* the same, of OpenCL */
  int most_for_ever; /* the same, for faults that stay */
  int events;        /* a device that stays open keeps up to that many, of its last asynchronous writes */
  bool partial;      /* the work may do what it can, say in a sentence what it could not, and succeed */
} campaign;

/* Counts the calls of a run without faults, then fails them one after the other. Prints a line a function, and one for
 * every fault that did not end as it must: with success and the same result as without it (where the code can do
 * without the call), or with the status that the error means and one sentence; nothing left held; `judge` content.
 * Returns how many did not. */
int campaign_run(const campaign *c);

#endif
