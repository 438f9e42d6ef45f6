#include "train/init.h"

#include <stdio.h>
#include <string.h>

#include "fovea/safetensors.h"

void init_say_types(const char *path) {
  fovea_safetensors *file = NULL;
  size_t doubles = 0, halves = 0;
  if (fovea_safetensors_open(path, &file) != FOVEA_OK) return; /* it was read a moment ago */
  for (size_t i = 0; i < fovea_safetensors_count(file); i++) {
    const fovea_safetensor *t = fovea_safetensors_get(file, i);
    if (strncmp(t->name, "optimizer.", 10) == 0 || strncmp(t->name, "state.", 6) == 0) continue;
    doubles += strcmp(t->dtype, "F64") == 0;
    halves += strcmp(t->dtype, "F16") == 0 || strcmp(t->dtype, "BF16") == 0;
  }
  fovea_safetensors_close(file);
  if (doubles > 0) fprintf(stderr, "fovea: --init %s: %zu tensors of F64 are rounded to F32\n", path, doubles);
  if (halves > 0) fprintf(stderr, "fovea: --init %s: %zu tensors of 16 bits are taken as F32\n", path, halves);
}
