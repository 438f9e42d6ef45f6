/* What the ranks of a sweep say to each other. A message is a struct, since all are the same program. */
#ifndef FOVEA_TOOLS_EXPERIMENT_SWEEP_RANKS_H
#define FOVEA_TOOLS_EXPERIMENT_SWEEP_RANKS_H

#include "experiment/sweep.h"

/* Seconds. Each sends a beat so often; one that is silent is asked after: when what it trains is nobody's any more, it
 * is gone, and after so many it is given up. */
#define SWEEP_BEAT 0.5
#define SWEEP_SILENT 3.0
#define SWEEP_GIVE_UP 60.0
#define SWEEP_ALONE 20.0 /* of the first, whose main thread does nothing else */

enum { SWEEP_TEXT = 400 };

typedef enum message_kind {
  HELLO, /* from all; the answer is one of the next two */
  WELCOME,
  REFUSED,
  ASK,  /* from a worker that has nothing to train; the answer is one of the next two */
  WORK, /* place, begun */
  END,
  PUT,  /* from a worker: place, outcome */
  BEAT, /* images under way, and what progress says */
  STOP, /* from the first: what is under way is saved and put */
  BYE,  /* from a rank whose workers are done */
  LEAVE /* from the first, last: begun says whether all ranks are there */
} message_kind;

typedef struct message {
  message_kind kind;
  int worker; /* of the rank, from 1 */
  bool begun;
  size_t place, images, workers; /* workers: that can go on */
  uint64_t build, settings, data;
  char host[RANKS_HOST], text[SWEEP_TEXT]; /* the device, or what progress says */
  sweep_outcome outcome;
} message;

/* A message of this rank. */
message sweep_message(const sweep *s, message_kind kind);

/* Of another rank than the first, which is gone: says so, and sees to it that all ends with this process. */
fovea_status sweep_end_alone(const sweep *s);

/* Of the first rank, and of the others: until nothing is left to do. */
void sweep_lead(sweep *s);
void sweep_follow(sweep *s);

#endif
