#include "events/crc32c.h"

static const uint32_t polynomial = 0x82f63b78u;

/* Four bits a step, by a table of 16 that is made anew each time: an epoch brings some 300 KB. */
uint32_t crc32c(const void *data, size_t size) {
  uint32_t table[16];
  for (uint32_t i = 0; i < 16; i++) {
    table[i] = i;
    for (int bit = 0; bit < 4; bit++) table[i] = table[i] >> 1 ^ (table[i] & 1 ? polynomial : 0);
  }
  uint32_t crc = 0xffffffffu;
  for (const unsigned char *at = data, *end = at + size; at < end; at++) {
    crc ^= *at;
    crc = crc >> 4 ^ table[crc & 15];
    crc = crc >> 4 ^ table[crc & 15];
  }
  return ~crc;
}

uint32_t crc32c_masked(const void *data, size_t size) {
  const uint32_t crc = crc32c(data, size);
  return (crc >> 15 | crc << 17) + 0xa282ead8u;
}
