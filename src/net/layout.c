#include "net/internal.h"

size_t fovea_device_index(const int shape[3], size_t file) {
  if (shape[0] == 0) return file;
  size_t c = (size_t)shape[0], h = (size_t)shape[1], w = (size_t)shape[2];
  return (file % c * h + file / c / w) * w + file / c % w;
}

size_t fovea_device_place(size_t element, size_t pixels, size_t image, size_t batch) {
  return ((element / pixels * (batch / LANES) + image / LANES) * pixels + element % pixels) * LANES + image % LANES;
}
