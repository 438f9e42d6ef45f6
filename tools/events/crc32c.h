/* CRC-32C (Castagnoli): reflected polynomial 0x82f63b78, RFC 3720 appendix B.4. */
#ifndef FOVEA_TOOLS_EVENTS_CRC32C_H
#define FOVEA_TOOLS_EVENTS_CRC32C_H

#include <stddef.h>
#include <stdint.h>

uint32_t crc32c(const void *data, size_t size);

/* As TFRecord files have it, rotated right by 15 bits plus 0xa282ead8, so that a CRC of data with CRCs in them is one,
 * too (TensorFlow, lib/hash/crc32c.h). */
uint32_t crc32c_masked(const void *data, size_t size);

#endif
