#include "base/xxh64.h"

#include <string.h>

static const uint64_t P1 = 0x9E3779B185EBCA87u;
static const uint64_t P2 = 0xC2B2AE3D27D4EB4Fu;
static const uint64_t P3 = 0x165667B19E3779F9u;
static const uint64_t P4 = 0x85EBCA77C2B2AE63u;
static const uint64_t P5 = 0x27D4EB2F165667C5u;

static uint64_t rotate(uint64_t x, int n) { return x << n | x >> (64 - n); }

static uint64_t little(const uint8_t *p, int bytes) {
  uint64_t x = 0;
  for (int i = bytes - 1; i >= 0; i--) x = x << 8 | p[i];
  return x;
}

static uint64_t mix(uint64_t lane, uint64_t x) { return rotate(lane + x * P2, 31) * P1; }

static void stripe(uint64_t lane[4], const uint8_t *p) {
  for (int i = 0; i < 4; i++) lane[i] = mix(lane[i], little(p + 8 * i, 8));
}

void fovea_xxh64_begin(fovea_xxh64 *hash, uint64_t seed) {
  *hash = (fovea_xxh64){.lane = {seed + P1 + P2, seed + P2, seed, seed - P1}, .seed = seed};
}

void fovea_xxh64_put(fovea_xxh64 *hash, const void *data, size_t size) {
  if (size == 0) return; /* data may be NULL */
  const uint8_t *p = data;
  size_t waiting = hash->total % 32;
  hash->total += size;
  if (waiting + size < 32) {
    memcpy(hash->waiting + waiting, p, size);
    return;
  }
  if (waiting > 0) {
    size_t fill = 32 - waiting;
    memcpy(hash->waiting + waiting, p, fill);
    stripe(hash->lane, hash->waiting);
    p += fill;
    size -= fill;
  }
  for (; size >= 32; p += 32, size -= 32) stripe(hash->lane, p);
  memcpy(hash->waiting, p, size);
}

uint64_t fovea_xxh64_end(const fovea_xxh64 *hash) {
  const uint64_t *lane = hash->lane;
  uint64_t h = hash->seed + P5;
  if (hash->total >= 32) {
    h = rotate(lane[0], 1) + rotate(lane[1], 7) + rotate(lane[2], 12) + rotate(lane[3], 18);
    for (int i = 0; i < 4; i++) h = (h ^ mix(0, lane[i])) * P1 + P4;
  }
  h += hash->total;
  const uint8_t *p = hash->waiting;
  size_t left = hash->total % 32;
  for (; left >= 8; p += 8, left -= 8) h = rotate(h ^ mix(0, little(p, 8)), 27) * P1 + P4;
  for (; left >= 4; p += 4, left -= 4) h = rotate(h ^ little(p, 4) * P1, 23) * P2 + P3;
  for (; left > 0; p++, left--) h = rotate(h ^ *p * P5, 11) * P1;
  h = (h ^ h >> 33) * P2;
  h = (h ^ h >> 29) * P3;
  return h ^ h >> 32;
}
