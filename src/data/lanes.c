#include "data/lanes.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fail.h"
#include "data/pack_format.h"

enum { SLOT_BYTES = 1 << 20, MOST_THREADS = 64, SLOTS_A_THREAD = 3 };

struct fovea_lanes {
  fovea_source *source;
  const uint32_t *places;
  size_t count, image, record;
  size_t a_slot, slots; /* images in a slot; slots in `room`, slot i at i % slots */
  uint8_t *room;
  size_t *ready; /* of each place in room the slot that is there, plus 1 */
  size_t at;     /* of a source that gives one after the other: the next image */
  uint8_t *other;
  pthread_t thread[MOST_THREADS];
  int threads;
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  size_t begun, taken; /* slots that a thread has begun, and that were given */
  bool stop;
  fovea_status status;
  char message[1024];
};

static size_t size_of(const fovea_lanes *l, size_t slot) {
  const size_t first = slot * l->a_slot;
  if (first >= l->count) return 0;
  return l->count - first < l->a_slot ? l->count - first : l->a_slot;
}

/* The image at `place`, to which a source that gives one after the other goes on. */
static fovea_status fetch(fovea_lanes *l, size_t place, uint8_t *pixels) {
  if (l->source->at != NULL) return l->source->at(l->source->of, place, pixels);
  fovea_status status = FOVEA_OK;
  for (; status == FOVEA_OK && l->at < place; l->at++) status = l->source->next(l->source->of, l->other);
  if (status == FOVEA_OK) status = l->source->next(l->source->of, pixels);
  l->at++;
  return status;
}

static fovea_status fill(fovea_lanes *l, size_t slot) {
  uint8_t *record = l->room + slot % l->slots * l->a_slot * l->record;
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < size_of(l, slot) && status == FOVEA_OK; i++, record += l->record) {
    const size_t n = slot * l->a_slot + i;
    status = fetch(l, l->places[n], record);
    fovea_pack_put(record + l->image, XXH64(record, l->image, n), FOVEA_PACK_HASH);
  }
  return status;
}

static void *work(void *of) {
  fovea_lanes *l = of;
  pthread_mutex_lock(&l->mutex);
  while (!l->stop && size_of(l, l->begun) > 0) {
    if (l->begun >= l->taken + l->slots - 1) {
      pthread_cond_wait(&l->changed, &l->mutex);
      continue;
    }
    const size_t slot = l->begun++;
    pthread_mutex_unlock(&l->mutex);
    const fovea_status status = fill(l, slot);
    pthread_mutex_lock(&l->mutex);
    if (status == FOVEA_OK) l->ready[slot % l->slots] = slot + 1;
    if (status != FOVEA_OK && l->status == FOVEA_OK) {
      l->status = status;
      l->stop = true;
      snprintf(l->message, sizeof l->message, "%s", fovea_error_message());
    }
    pthread_cond_broadcast(&l->changed);
  }
  pthread_mutex_unlock(&l->mutex);
  return NULL;
}

static fovea_status start(fovea_lanes *l, int threads) {
  l->room = malloc(l->slots * l->a_slot * l->record);
  l->ready = calloc(l->slots, sizeof *l->ready);
  l->other = malloc(l->image);
  if (l->room == NULL || l->ready == NULL || l->other == NULL)
    return fovea_fail(FOVEA_NO_MEMORY, "no memory for %zu images of %zu bytes", l->slots * l->a_slot, l->image);
  while (l->threads < threads && pthread_create(&l->thread[l->threads], NULL, work, l) == 0) l->threads++;
  return l->threads > 0 ? FOVEA_OK : fovea_fail(FOVEA_NO_MEMORY, "no thread to read images");
}

fovea_status fovea_lanes_create(fovea_source *source, const uint32_t *places, size_t count, int threads,
                                fovea_lanes **lanes) {
  fovea_lanes *l = calloc(1, sizeof *l);
  if (l == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory to read images");
  if (source->at == NULL || threads < 1) threads = 1;
  if (threads > MOST_THREADS) threads = MOST_THREADS;
  l->source = source;
  l->places = places;
  l->count = count;
  l->image = (size_t)source->channels * (size_t)source->height * (size_t)source->width;
  l->record = l->image + FOVEA_PACK_HASH;
  l->a_slot = l->record < SLOT_BYTES ? SLOT_BYTES / l->record : 1;
  l->slots = (size_t)threads * SLOTS_A_THREAD;
  pthread_mutex_init(&l->mutex, NULL);
  pthread_cond_init(&l->changed, NULL);
  fovea_status status = start(l, threads);
  if (status == FOVEA_OK)
    *lanes = l;
  else
    fovea_lanes_destroy(l);
  return status;
}

void fovea_lanes_destroy(fovea_lanes *l) {
  if (l == NULL) return;
  pthread_mutex_lock(&l->mutex);
  l->stop = true;
  pthread_cond_broadcast(&l->changed);
  pthread_mutex_unlock(&l->mutex);
  for (int i = 0; i < l->threads; i++) pthread_join(l->thread[i], NULL);
  pthread_cond_destroy(&l->changed);
  pthread_mutex_destroy(&l->mutex);
  free(l->room);
  free(l->ready);
  free(l->other);
  free(l);
}

/* What comes after the last image of the set. */
static fovea_status finish(fovea_lanes *l) {
  fovea_status status = FOVEA_OK;
  if (l->source->at != NULL) return FOVEA_OK;
  for (; l->at < l->source->count && status == FOVEA_OK; l->at++) status = l->source->next(l->source->of, l->other);
  return status == FOVEA_OK ? l->source->next(l->source->of, NULL) : status;
}

fovea_status fovea_lanes_next(fovea_lanes *l, const uint8_t **records, size_t *count) {
  fovea_status status = FOVEA_OK;
  pthread_mutex_lock(&l->mutex);
  const size_t slot = l->taken, n = size_of(l, slot);
  if (n > 0) {
    l->taken++; /* the slot before this one is free now */
    pthread_cond_broadcast(&l->changed);
    while (l->ready[slot % l->slots] != slot + 1 && l->status == FOVEA_OK) pthread_cond_wait(&l->changed, &l->mutex);
    if (l->ready[slot % l->slots] != slot + 1) status = fovea_fail(l->status, "%s", l->message);
  }
  pthread_mutex_unlock(&l->mutex);
  *records = l->room + slot % l->slots * l->a_slot * l->record;
  *count = n;
  return n > 0 ? status : finish(l);
}
