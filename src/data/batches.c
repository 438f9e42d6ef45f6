#include "data/batches.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "data/pack.h"

/* A batch that is used, and up to so many read; what the disk is told of is twice as far. */
enum { SLOTS = 4 };

struct fovea_batches {
  const fovea_dataset *data;
  const uint32_t *order;
  size_t first, batch, image;
  size_t taken; /* batches given */
  /* of a set in a file */
  pthread_t reader;
  bool running;
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  size_t read; /* batches read; slot i % SLOTS has batch i */
  bool stop;
  fovea_status status; /* of the reader's failure, at batch `read` */
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

static void *read_batches(void *of) {
  fovea_batches *b = of;
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < SLOTS; i++) ahead(b, i);
  for (size_t n = 0; status == FOVEA_OK && size_of(b, n) > 0; n++) {
    pthread_mutex_lock(&b->mutex);
    while (!b->stop && n >= b->taken + SLOTS - 1) pthread_cond_wait(&b->changed, &b->mutex);
    const bool stop = b->stop;
    pthread_mutex_unlock(&b->mutex);
    if (stop) break;
    ahead(b, n + SLOTS);
    status = fovea_pack_read(b->data->file, b->order, b->first + n * b->batch, size_of(b, n),
                             b->slots + n % SLOTS * b->batch * b->image);
    pthread_mutex_lock(&b->mutex);
    if (status == FOVEA_OK) {
      b->read = n + 1;
    } else {
      b->status = status;
      snprintf(b->message, sizeof b->message, "%s", fovea_error_message());
    }
    pthread_cond_broadcast(&b->changed);
    pthread_mutex_unlock(&b->mutex);
  }
  return NULL;
}

static fovea_status start(fovea_batches *b) {
  b->slots = malloc(SLOTS * b->batch * b->image);
  if (b->slots == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for %d batches of %zu images", SLOTS, b->batch);
  if (pthread_create(&b->reader, NULL, read_batches, b) != 0)
    return fovea_fail(FOVEA_NO_MEMORY, "no thread to read images");
  b->running = true;
  return FOVEA_OK;
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
  if (b->running) {
    pthread_mutex_lock(&b->mutex);
    b->stop = true;
    pthread_cond_broadcast(&b->changed);
    pthread_mutex_unlock(&b->mutex);
    pthread_join(b->reader, NULL);
  }
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
  while (b->read <= n && b->status == FOVEA_OK) pthread_cond_wait(&b->changed, &b->mutex);
  if (b->read <= n) status = fovea_fail(b->status, "%s", b->message);
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
