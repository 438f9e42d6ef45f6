/* A table of any bytes. Refused or taken, never a crash, a leak or a hang. */
#include "fuzz/readers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz_table(data, size);
  return 0;
}
