#include "net/internal.h"

size_t fovea_device_index(const int shape[3], size_t file) {
  if (shape[0] == 0) return file;
  size_t c = (size_t)shape[0], h = (size_t)shape[1], w = (size_t)shape[2];
  return (file % c * h + file / c / w) * w + file / c % w;
}

size_t fovea_parameter_values(const fovea_parameter_spec *p) {
  size_t count = 1;
  for (int i = 0; i < p->rank; i++) count *= (size_t)p->dims[i];
  return count;
}

size_t fovea_parameter_place(const fovea_parameter_spec *p, size_t file) {
  if (p->rows[0] == 0 && p->columns[0] == 0) return file;
  const size_t columns = fovea_parameter_values(p) / (size_t)p->dims[0];
  return fovea_device_index(p->rows, file / columns) * columns + fovea_device_index(p->columns, file % columns);
}

size_t fovea_device_place(size_t element, size_t pixels, size_t image, size_t batch) {
  return ((element / pixels * (batch / LANES) + image / LANES) * pixels + element % pixels) * LANES + image % LANES;
}
