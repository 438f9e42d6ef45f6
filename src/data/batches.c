#include "data/batches.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "data/pack.h"

/* A batch that is used, and the others read or being read; what the disk is told of is as far again. One thread reads
 * and verifies some 45,000 images/s of 3 KiB that are in the system's cache. */
enum { SLOTS = 8, READERS = 4 };

struct fovea_batches {
  const fovea_dataset *data;
  const uint32_t *order;
  size_t first, batch, image;
  size_t taken; /* batches given */
  /* of a set in a file */
  pthread_t reader[READERS];
  int readers;
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  size_t begun;        /* batches that a reader has begun */
  size_t ready[SLOTS]; /* of slot i % SLOTS the batch i that is there, plus 1 */
  bool stop;
  fovea_status status; /* of the first failure */
  char message[1024];
  uint8_t *slots;
};

static size_t size_of(const fovea_batches *b, size_t n) {
  const size_t at = b->first + n * b->batch;
  if (at >= b->data->count) return 0;
  return b->data->count - at < b->batch ? b->data->count - at : b->batch;
}

static void ahead(const fovea_batches *b, size_t n) {
  if (size_of(b, n) > 0) fovea_pack_ahead(b->data->file, b->order, b->first + n * b->batch, size_of(b, n));
}

/* Batch n to its slot; the mutex is not held. */
static fovea_status read_batch(const fovea_batches *b, size_t n) {
  for (size_t i = 1; n == 0 && i < SLOTS; i++) ahead(b, i);
  ahead(b, n + SLOTS);
  return fovea_pack_read(b->data->file, b->order, b->first + n * b->batch, size_of(b, n),
                         b->slots + n % SLOTS * b->batch * b->image);
}

static void *read_batches(void *of) {
  fovea_batches *b = of;
  pthread_mutex_lock(&b->mutex);
  while (!b->stop && b->status == FOVEA_OK && size_of(b, b->begun) > 0) {
    if (b->begun >= b->taken + SLOTS - 1) {
      pthread_cond_wait(&b->changed, &b->mutex);
      continue;
    }
    const size_t n = b->begun++;
    pthread_mutex_unlock(&b->mutex);
    const fovea_status status = read_batch(b, n);
    pthread_mutex_lock(&b->mutex);
    if (status == FOVEA_OK) b->ready[n % SLOTS] = n + 1;
    if (status != FOVEA_OK && b->status == FOVEA_OK) {
      b->status = status;
      snprintf(b->message, sizeof b->message, "%s", fovea_error_message());
    }
    pthread_cond_broadcast(&b->changed);
  }
  pthread_mutex_unlock(&b->mutex);
  return NULL;
}

static fovea_status start(fovea_batches *b) {
  b->slots = malloc(SLOTS * b->batch * b->image);
  if (b->slots == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for %d batches of %zu images", SLOTS, b->batch);
  while (b->readers < READERS && pthread_create(&b->reader[b->readers], NULL, read_batches, b) == 0) b->readers++;
  return b->readers > 0 ? FOVEA_OK : fovea_fail(FOVEA_NO_MEMORY, "no thread to read images");
}

fovea_status fovea_batches_create(const fovea_dataset *data, const uint32_t *order, size_t first, size_t batch,
                                  fovea_batches **batches) {
  fovea_batches *b = calloc(1, sizeof *b);
  if (b == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for the batches of an epoch");
  b->data = data;
  b->order = order;
  b->first = first;
  b->batch = batch;
  b->image = (size_t)data->channels * (size_t)data->height * (size_t)data->width;
  pthread_mutex_init(&b->mutex, NULL);
  pthread_cond_init(&b->changed, NULL);
  fovea_status status = data->file != NULL ? start(b) : FOVEA_OK;
  if (status == FOVEA_OK)
    *batches = b;
  else
    fovea_batches_destroy(b);
  return status;
}

void fovea_batches_destroy(fovea_batches *b) {
  if (b == NULL) return;
  pthread_mutex_lock(&b->mutex);
  b->stop = true;
  pthread_cond_broadcast(&b->changed);
  pthread_mutex_unlock(&b->mutex);
  for (int i = 0; i < b->readers; i++) pthread_join(b->reader[i], NULL);
  pthread_cond_destroy(&b->changed);
  pthread_mutex_destroy(&b->mutex);
  free(b->slots);
  free(b);
}

static fovea_status wait_for(fovea_batches *b, size_t n) {
  fovea_status status = FOVEA_OK;
  pthread_mutex_lock(&b->mutex);
  b->taken = n + 1; /* slot n - 1 is free now */
  pthread_cond_broadcast(&b->changed);
  while (b->ready[n % SLOTS] != n + 1 && b->status == FOVEA_OK) pthread_cond_wait(&b->changed, &b->mutex);
  if (b->ready[n % SLOTS] != n + 1) status = fovea_fail(b->status, "%s", b->message);
  pthread_mutex_unlock(&b->mutex);
  return status;
}

fovea_status fovea_batches_next(fovea_batches *b, const uint8_t **pixels, const uint32_t **index) {
  const size_t n = b->taken, at = b->first + n * b->batch;
  if (b->data->file == NULL) {
    b->taken++;
    *index = b->order != NULL ? b->order + at : NULL;
    *pixels = b->data->pixels + (b->order != NULL ? 0 : at * b->image);
    return FOVEA_OK;
  }
  *index = NULL;
  *pixels = b->slots + n % SLOTS * b->batch * b->image;
  return wait_for(b, n);
}
