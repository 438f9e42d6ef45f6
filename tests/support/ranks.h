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
  bool scatters;
  size_t bytes[MOST_RANKS];
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
  int empty;             /* shares of a scattering */
  size_t sent;           /* bytes to others */
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

static inline size_t bytes_before(const size_t *bytes, int rank) {
  size_t sum = 0;
  for (int r = 0; r < rank; r++) sum += bytes[r];
  return sum;
}

/* `size` bytes, of a meeting in which all have the same sizes. */
static inline void give_all(seat *s, const void *given, size_t size, const size_t *bytes, bool scatters) {
  room *in = s->in;
  gathering *g = &in->meetings[s->begun];
  const size_t list = (size_t)in->count * sizeof *bytes;
  if (s->begun >= MOST_MEETINGS) abort();
  if (g->come == 0) memcpy(g->bytes, bytes, list), g->scatters = scatters;
  if (g->scatters != scatters || memcmp(g->bytes, bytes, list) != 0) abort();
  g->given[s->rank] = malloc(size + 1);
  memcpy(g->given[s->rank], given, size);
  g->come++;
  pthread_cond_broadcast(&in->changed);
}

static inline fovea_status begin_in_room(seat *s, const void *given, size_t size, void *data, const size_t *bytes,
                                         bool scatters, void **made) {
  room *in = s->in;
  pthread_mutex_lock(&in->lock);
  const bool fails = s->rank == 0 && s->begun == in->fails_in;
  if (fails)
    lose(in);
  else
    give_all(s, given, size, bytes, scatters);
  pthread_mutex_unlock(&in->lock);
  if (fails) return FOVEA_DEVICE;
  request *r = malloc(sizeof *r);
  *r = (request){s, s->begun, data};
  *made = r;
  s->begun++, s->open++;
  return FOVEA_OK;
}

static inline fovea_status room_begin(void *user, void *data, const size_t *bytes, void **made) {
  seat *s = user;
  uint8_t *own = (uint8_t *)data + bytes_before(bytes, s->rank);
  const fovea_status status = begin_in_room(s, own, bytes[s->rank], data, bytes, false, made);
  memset(own, 0xff, bytes[s->rank]); /* NaN, unless room_end fills it in */
  s->sent += (size_t)(s->in->count - 1) * bytes[s->rank];
  return status;
}

/* Its own share, which it has put there itself, is not filled in. */
static inline fovea_status room_scatter(void *user, const void *give, void *take, const size_t *bytes, void **made) {
  seat *s = user;
  const size_t total = bytes_before(bytes, s->in->count);
  for (int r = 0; r < s->in->count; r++)
    if (r != s->rank) memset((uint8_t *)take + (size_t)r * bytes[s->rank], 0xff, bytes[s->rank]);
  s->empty += bytes[s->rank] == 0;
  s->sent += total - bytes[s->rank];
  return begin_in_room(s, give, total, take, bytes, true, made);
}

static inline void take_all(const seat *s, const gathering *g, uint8_t *data) {
  const size_t before = bytes_before(g->bytes, s->rank), own = g->bytes[s->rank];
  for (int r = 0; r < s->in->count; r++)
    if (!g->scatters)
      memcpy(data + bytes_before(g->bytes, r), g->given[r], g->bytes[r]);
    else if (r != s->rank)
      memcpy(data + (size_t)r * own, (const uint8_t *)g->given[r] + before, own);
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
  if (whole) take_all(s, g, r->data);
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
