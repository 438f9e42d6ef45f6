/* Processes that a launcher started together, over MPI where it was built in: who and where they are, and messages
 * between them that nobody waits for, so that a rank that is gone holds up no other. For any thread. */
#ifndef FOVEA_TOOLS_REACH_RANKS_H
#define FOVEA_TOOLS_REACH_RANKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fovea/status.h"

typedef struct ranks {
  int index, count;       /* 0 of 1 where nobody launched ranks */
  int local, local_count; /* of those on this host */
} ranks;

enum { RANKS_HOST = 64 };

/* Its name and version, "Open MPI v4.1.4"; NULL: not built in. */
const char *ranks_library(void);

/* Joins the others. FOVEA_INVALID where the environment says that this process is one of several, and it cannot join
 * them: MPI is not built in, or the launcher is of another MPI. `instead`: what else can be done, for the message. */
fovea_status ranks_begin(ranks *r, const char *instead);

/* `whole`: every rank comes here; else it is left without a farewell, since that waits for all. */
void ranks_end(bool whole);

/* The host's name; returns it. */
const char *ranks_host(char host[RANKS_HOST]);

/* A hash of this program's file; 0 where it cannot be read. */
uint64_t ranks_build(void);

/* Copies and sends; what is sent to one that is gone is lost. FOVEA_NO_MEMORY, FOVEA_DEVICE for MPI's own errors. */
fovea_status ranks_send(int to, const void *data, size_t size);

/* Whether a message had come, of `size` bytes as all are: then it is in *data, and from whom. */
bool ranks_receive(int *from, void *data, size_t size);

/* Every rank comes to it in the same order with the same sizes: the bytes[r] of rank r lie in `data` in order of ranks,
 * this one's filled in, and are everybody's when it is over, which frees it. `data` stays until then, and `over` is
 * asked again and again, since that is when MPI works. FOVEA_NO_MEMORY, FOVEA_DEVICE. */
typedef struct ranks_exchange ranks_exchange;
fovea_status ranks_exchange_begin(const ranks *r, void *data, const size_t *bytes, ranks_exchange **x);
bool ranks_exchange_over(ranks_exchange *x);

/* Likewise, but of what each has other bytes for each: those for rank i are the bytes[i] of `give`, in order of ranks.
 * What every rank has for this one comes to `take`, in order of ranks; its own is put there by the caller. */
fovea_status ranks_scatter_begin(const ranks *r, const void *give, void *take, const size_t *bytes, ranks_exchange **x);

/* Instead of ranks_end: when this process ends, or now, it ends all that the launcher has started, with this code: a
 * rank that was stopped, too. */
void ranks_abandon(int code, bool now);

/* The process ends in so many seconds, whatever it waits for: once. */
void ranks_end_within(int seconds, int code);

/* A moment in which nothing is done. */
void ranks_rest(void);

/* stderr goes nowhere until it is ended: the first rank says what all would say. */
int ranks_begin_quiet(void);
void ranks_end_quiet(int quiet);

#endif
