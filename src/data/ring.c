#include "data/ring.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fail.h"

enum { MOST_THREADS = 64 };

struct fovea_ring {
  fovea_ring_job job;
  uint8_t *room; /* piece n is in slot n % slots */
  size_t *ready; /* of each slot the piece that is there, plus 1 */
  pthread_t thread[MOST_THREADS];
  int threads;
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  size_t begun, taken; /* pieces that a thread has begun, and that were given */
  bool stop;
  size_t failed; /* the first piece, in their order, that could not be made; SIZE_MAX */
  fovea_status status;
  char message[1024]; /* its */
};

static uint8_t *slot_of(const fovea_ring *r, size_t n) { return r->room + n % r->job.slots * r->job.size; }

static void *work(void *of) {
  fovea_ring *r = of;
  pthread_mutex_lock(&r->mutex);
  while (!r->stop && r->failed == SIZE_MAX && r->begun < r->job.count) {
    if (r->begun >= r->taken + r->job.slots - 1) {
      pthread_cond_wait(&r->changed, &r->mutex);
      continue;
    }
    const size_t n = r->begun++;
    pthread_mutex_unlock(&r->mutex);
    const fovea_status status = r->job.fill(r->job.of, n, slot_of(r, n));
    pthread_mutex_lock(&r->mutex);
    if (status == FOVEA_OK) r->ready[n % r->job.slots] = n + 1;
    if (status != FOVEA_OK && n < r->failed) { /* those before it have all been begun, and may fail yet */
      r->failed = n;
      r->status = status;
      snprintf(r->message, sizeof r->message, "%s", fovea_error_message());
    }
    pthread_cond_broadcast(&r->changed);
  }
  pthread_mutex_unlock(&r->mutex);
  return NULL;
}

static fovea_status start(fovea_ring *r) {
  r->room = malloc(r->job.slots * r->job.size);
  r->ready = calloc(r->job.slots, sizeof *r->ready);
  if (r->room == NULL || r->ready == NULL)
    return fovea_fail(FOVEA_NO_MEMORY, "no memory to read images ahead, %zu times %zu bytes", r->job.slots,
                      r->job.size);
  while (r->threads < r->job.threads && r->threads < MOST_THREADS &&
         pthread_create(&r->thread[r->threads], NULL, work, r) == 0)
    r->threads++;
  return r->threads > 0 ? FOVEA_OK : fovea_fail(FOVEA_NO_MEMORY, "no thread to read images");
}

fovea_status fovea_ring_create(const fovea_ring_job *job, fovea_ring **ring) {
  fovea_ring *r = calloc(1, sizeof *r);
  if (r == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory to read images");
  r->job = *job;
  r->failed = SIZE_MAX;
  pthread_mutex_init(&r->mutex, NULL);
  pthread_cond_init(&r->changed, NULL);
  fovea_status status = start(r);
  if (status == FOVEA_OK)
    *ring = r;
  else
    fovea_ring_destroy(r);
  return status;
}

void fovea_ring_destroy(fovea_ring *r) {
  if (r == NULL) return;
  pthread_mutex_lock(&r->mutex);
  r->stop = true;
  pthread_cond_broadcast(&r->changed);
  pthread_mutex_unlock(&r->mutex);
  for (int i = 0; i < r->threads; i++) pthread_join(r->thread[i], NULL);
  pthread_cond_destroy(&r->changed);
  pthread_mutex_destroy(&r->mutex);
  free(r->room);
  free(r->ready);
  free(r);
}

fovea_status fovea_ring_next(fovea_ring *r, const uint8_t **piece) {
  fovea_status status = FOVEA_OK;
  pthread_mutex_lock(&r->mutex);
  const size_t n = r->taken++, slot = n % r->job.slots; /* the slot before this one is free now */
  pthread_cond_broadcast(&r->changed);
  while (r->ready[slot] != n + 1 && r->failed > n) pthread_cond_wait(&r->changed, &r->mutex);
  if (r->ready[slot] != n + 1) status = fovea_fail(r->status, "%s", r->message);
  pthread_mutex_unlock(&r->mutex);
  *piece = slot_of(r, n);
  return status;
}
