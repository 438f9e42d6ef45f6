#include "data/batches.h"

#include <stdlib.h>

#include "base/fail.h"
#include "data/pack.h"
#include "data/ring.h"

/* A batch that is used, and the others read or being read; what the disk is told of is as far again. One thread reads
 * and verifies some 45,000 images/s of 3 KiB that are in the system's cache. */
enum { SLOTS = 8, READERS = 4 };

struct fovea_batches {
  const fovea_dataset *data;
  const uint32_t *order;
  size_t first, batch, image;
  fovea_places own;
  size_t at;        /* the next batch's first image, of a set in memory */
  fovea_ring *ring; /* of a set in a file */
};

static size_t size_of(const fovea_batches *b, size_t n) {
  const size_t at = b->first + n * b->batch;
  if (at >= b->data->count) return 0;
  return b->data->count - at < b->batch ? b->data->count - at : b->batch;
}

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

/* Those of batch n. */
static fovea_places own_of(const fovea_batches *b, size_t n) {
  const size_t size = size_of(b, n), first = least(b->own.first, size);
  return (fovea_places){first, least(b->own.first + b->own.count, size) - first};
}

static void ahead(const fovea_batches *b, size_t n) {
  const fovea_places p = own_of(b, n);
  if (p.count > 0) fovea_pack_ahead(b->data->file, b->order, b->first + n * b->batch + p.first, p.count);
}

static fovea_status read_batch(void *of, size_t n, uint8_t *slot) {
  const fovea_batches *b = of;
  for (size_t i = 1; n == 0 && i < SLOTS; i++) ahead(b, i);
  ahead(b, n + SLOTS);
  const fovea_places p = own_of(b, n);
  return fovea_pack_read(b->data->file, b->order, b->first + n * b->batch + p.first, p.count,
                         slot + p.first * b->image);
}

static fovea_status start(fovea_batches *b) {
  const size_t left = b->data->count > b->first ? b->data->count - b->first : 0;
  const fovea_ring_job job = {.count = (left + b->batch - 1) / b->batch,
                              .size = b->batch * b->image,
                              .slots = SLOTS,
                              .threads = READERS,
                              .of = b,
                              .fill = read_batch};
  return fovea_ring_create(&job, &b->ring);
}

fovea_status fovea_batches_create(const fovea_dataset *data, const uint32_t *order, size_t first, size_t batch,
                                  fovea_places own, fovea_batches **batches) {
  fovea_batches *b = calloc(1, sizeof *b);
  if (b == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for the batches of an epoch");
  *b = (fovea_batches){.data = data,
                       .order = order,
                       .first = first,
                       .own = own,
                       .batch = batch,
                       .image = (size_t)data->channels * (size_t)data->height * (size_t)data->width,
                       .at = first};
  fovea_status status = data->file != NULL ? start(b) : FOVEA_OK;
  if (status == FOVEA_OK)
    *batches = b;
  else
    free(b);
  return status;
}

void fovea_batches_destroy(fovea_batches *b) {
  if (b == NULL) return;
  fovea_ring_destroy(b->ring);
  free(b);
}

fovea_status fovea_batches_next(fovea_batches *b, const uint8_t **pixels, const uint32_t **index) {
  *index = NULL;
  if (b->ring != NULL) return fovea_ring_next(b->ring, pixels);
  *pixels = b->data->pixels;
  if (b->order != NULL)
    *index = b->order + b->at;
  else
    *pixels += b->at * b->image;
  b->at += b->batch;
  return FOVEA_OK;
}
