/* One reader's target for libFuzzer: compiled for each with -DREADER=idx and so on. */
#include <string.h>

#include "fuzz/readers.h"

#define TEXT(name) #name
#define TEXT_OF(macro) TEXT(macro)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
#define X(reader, name) \
  if (strcmp(#reader, TEXT_OF(READER)) == 0) fuzz_read(#reader, name, data, size);
  FUZZ_READERS(X)
#undef X
  return 0;
}
