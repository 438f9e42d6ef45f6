/* Ranks that are threads of one process: what each gives to a meeting is copied, and taken when all have come. cmocka.h
 * and what it needs come before. */
#ifndef FOVEA_TESTS_SUPPORT_RANKS_H
#define FOVEA_TESTS_SUPPORT_RANKS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fovea/ranks.h"

enum { MOST_RANKS = 5, MOST_MEETINGS = 1 << 12 };

typedef struct gathering {
  int come, gone;
  size_t bytes;
  void *given[MOST_RANKS];
} gathering;

typedef struct room {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  int count, fails_in, fails_at_end; /* the meeting that rank 0 cannot begin or end; -1: none */
  bool lost;                         /* then nobody waits any more */
  gathering meetings[MOST_MEETINGS];
} room;

typedef struct seat {
  room *in;
  int rank, begun, open; /* meetings so far, and those that have not ended */
} seat;

typedef struct request {
  seat *of;
  int meeting;
  uint8_t *data;
} request;

static inline void lose(room *in) {
  in->lost = true;
  pthread_cond_broadcast(&in->changed);
}

static inline fovea_status room_begin(void *user, void *data, const size_t *bytes, void **made) {
  seat *s = user;
  room *in = s->in;
  const int meeting = s->begun;
  pthread_mutex_lock(&in->lock);
  const bool fails = s->rank == 0 && meeting == in->fails_in;
  if (fails) lose(in);
  if (!fails) {
    gathering *g = &in->meetings[meeting];
    size_t before = 0;
    for (int r = 0; r < s->rank; r++) before += bytes[r];
    if (g->come == 0) g->bytes = bytes[s->rank];
    if (meeting >= MOST_MEETINGS || g->bytes != bytes[s->rank]) abort();
    g->given[s->rank] = malloc(g->bytes);
    memcpy(g->given[s->rank], (uint8_t *)data + before, g->bytes);
    memset((uint8_t *)data + before, 0xff, g->bytes); /* NaN, unless room_end fills it in */
    g->come++;
    pthread_cond_broadcast(&in->changed);
  }
  pthread_mutex_unlock(&in->lock);
  if (fails) return FOVEA_DEVICE;
  request *r = malloc(sizeof *r);
  *r = (request){s, meeting, data};
  *made = r;
  s->begun++, s->open++;
  return FOVEA_OK;
}

static inline fovea_status room_end(void *user, void *made) {
  request *r = made;
  seat *s = user;
  room *in = s->in;
  if (r->of != s) abort();
  pthread_mutex_lock(&in->lock);
  gathering *g = &in->meetings[r->meeting];
  if (s->rank == 0 && r->meeting == in->fails_at_end) lose(in);
  while (g->come < in->count && !in->lost) pthread_cond_wait(&in->changed, &in->lock);
  const bool whole = g->come == in->count && !(s->rank == 0 && r->meeting == in->fails_at_end);
  for (int i = 0; i < in->count && whole; i++) memcpy(r->data + (size_t)i * g->bytes, g->given[i], g->bytes);
  g->gone++;
  pthread_mutex_unlock(&in->lock);
  s->open--;
  free(r);
  return whole ? FOVEA_OK : FOVEA_DEVICE;
}

static inline room *new_room(int count) {
  room *in = calloc(1, sizeof *in);
  assert_non_null(in);
  pthread_mutex_init(&in->lock, NULL);
  pthread_cond_init(&in->changed, NULL);
  in->count = count, in->fails_in = in->fails_at_end = -1;
  return in;
}

/* Every meeting that one had, all had. */
static inline void empty_room(room *in) {
  for (int i = 0; i < MOST_MEETINGS; i++) {
    assert_true(in->lost || in->meetings[i].come == 0 || in->meetings[i].gone == in->count);
    for (int r = 0; r < in->count; r++) free(in->meetings[i].given[r]);
  }
  free(in);
}

#endif
