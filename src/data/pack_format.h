/* What the writer and the reader of packed sets share; the format is in pack.h. */
#ifndef FOVEA_DATA_PACK_FORMAT_H
#define FOVEA_DATA_PACK_FORMAT_H

#include "base/hash.h"
#include "fovea/data.h"

#define FOVEA_PACK_MAGIC "FOVEASET"

enum {
  FOVEA_PACK_VERSION = 1,
  FOVEA_PACK_FIXED = 24,
  FOVEA_PACK_HASH = 8,
  FOVEA_PACK_TRAILER = 16,
  FOVEA_PACK_TEXT = 1 << 24
};

static inline void fovea_pack_put(uint8_t *to, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; i++) to[i] = (uint8_t)(value >> 8 * i);
}

static inline uint64_t fovea_pack_get(const uint8_t *from, int bytes) {
  uint64_t value = 0;
  for (int i = 0; i < bytes; i++) value |= (uint64_t)from[i] << 8 * i;
  return value;
}

/* The hash of a split, in the order of what is put to it: this, the pixels, the labels. */
static inline void fovea_pack_hash_begin(XXH64_state_t *hash, size_t count, int channels, int height, int width) {
  const uint64_t numbers[] = {count, (uint64_t)channels, (uint64_t)height, (uint64_t)width};
  XXH64_reset(hash, 0);
  for (int i = 0; i < 4; i++) {
    uint8_t bytes[8];
    fovea_pack_put(bytes, numbers[i], 8);
    XXH64_update(hash, bytes, sizeof bytes);
  }
}

static inline void fovea_pack_hash_labels(XXH64_state_t *hash, const uint16_t *labels, size_t count) {
  bool wide = false;
  for (size_t i = 0; i < count; i++) wide = wide || labels[i] > UINT8_MAX;
  for (size_t i = 0; i < count; i++) {
    uint8_t bytes[2];
    fovea_pack_put(bytes, labels[i], 2);
    XXH64_update(hash, bytes, wide ? 2 : 1);
  }
}

#endif
