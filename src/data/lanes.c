#include "data/lanes.h"

#include <stdlib.h>

#include "base/fail.h"
#include "data/pack_format.h"
#include "data/ring.h"

enum { SLOT_BYTES = 1 << 20, MOST_THREADS = 64, SLOTS_A_THREAD = 3 };

struct fovea_lanes {
  fovea_source *source;
  const uint32_t *places;
  size_t count, image, record;
  size_t a_slot; /* images */
  size_t taken;  /* slots that were given */
  size_t at;     /* of a source that gives one after the other: the next image */
  uint8_t *other;
  fovea_ring *ring;
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

static fovea_status fill(void *of, size_t slot, uint8_t *record) {
  fovea_lanes *l = of;
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < size_of(l, slot) && status == FOVEA_OK; i++, record += l->record) {
    const size_t n = slot * l->a_slot + i;
    status = fetch(l, l->places[n], record);
    fovea_pack_put(record + l->image, XXH64(record, l->image, n), FOVEA_PACK_HASH);
  }
  return status;
}

static fovea_status start(fovea_lanes *l, int threads) {
  const fovea_ring_job job = {.count = (l->count + l->a_slot - 1) / l->a_slot,
                              .size = l->a_slot * l->record,
                              .slots = (size_t)threads * SLOTS_A_THREAD,
                              .threads = threads,
                              .of = l,
                              .fill = fill};
  l->other = malloc(l->image);
  if (l->other == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for an image of %zu bytes", l->image);
  return fovea_ring_create(&job, &l->ring);
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
  fovea_status status = start(l, threads);
  if (status == FOVEA_OK)
    *lanes = l;
  else
    fovea_lanes_destroy(l);
  return status;
}

void fovea_lanes_destroy(fovea_lanes *l) {
  if (l == NULL) return;
  fovea_ring_destroy(l->ring);
  free(l->other);
  free(l);
}

/* What comes after the last image of the set. */
static fovea_status finish(fovea_lanes *l) {
  fovea_status status = FOVEA_OK;
  if (l->source->at != NULL) return l->source->end != NULL ? l->source->end(l->source->of) : FOVEA_OK;
  for (; l->at < l->source->count && status == FOVEA_OK; l->at++) status = l->source->next(l->source->of, l->other);
  return status == FOVEA_OK ? l->source->next(l->source->of, NULL) : status;
}

fovea_status fovea_lanes_next(fovea_lanes *l, const uint8_t **records, size_t *count) {
  *count = size_of(l, l->taken);
  if (*count == 0) return finish(l);
  l->taken++;
  return fovea_ring_next(l->ring, records);
}
