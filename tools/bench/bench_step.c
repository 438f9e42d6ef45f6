/* Training steps and evaluation passes by the clock, and their kernels by the device's. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/fail.h"
#include "bench/bench.h"
#include "cli/progress.h"

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double quantile(const double *sorted, size_t count, double q) {
  const double at = q * (double)(count - 1);
  const size_t below = (size_t)at;
  if (below + 1 >= count) return sorted[count - 1];
  return sorted[below] + (at - (double)below) * (sorted[below + 1] - sorted[below]);
}

bench_spread bench_spread_of(double *values, size_t count) {
  qsort(values, count, sizeof *values, ascending);
  return (bench_spread){values[0], quantile(values, count, 0.25), quantile(values, count, 0.5),
                        quantile(values, count, 0.75), values[count - 1]};
}

fovea_vae_config bench_config(const bench_settings *settings, int channels, int height, int width) {
  fovea_vae_config config = fovea_vae_default();
  config.batch = (int)settings->batch;
  config.channels = channels, config.height = height, config.width = width;
  config.unit_count = settings->units.count;
  for (int i = 0; i < settings->units.count; i++) config.units[i] = settings->units.values[i];
  return config;
}

fovea_status bench_noise(size_t count, int height, int width, fovea_dataset *images) {
  const size_t size = count * (size_t)height * (size_t)width;
  *images = (fovea_dataset){.count = count, .channels = 1, .height = height, .width = width, .pixels = malloc(size)};
  if (images->pixels == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for %zu images", count);
  uint32_t x = 768; /* xorshift32, Marsaglia 2003 */
  for (size_t i = 0; i < size; i++) {
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    images->pixels[i] = (uint8_t)(x >> 24);
  }
  return FOVEA_OK;
}

static fovea_status pass(fovea_vae *vae, const fovea_dataset *images, bool training, size_t i) {
  const size_t batch = (size_t)vae->config.batch, size = fovea_vae_image_size(vae);
  const size_t n = batch < images->count ? batch : images->count;
  const uint8_t *pixels = images->pixels + i * n % (images->count - n + 1) * size;
  return training ? fovea_network_train_step(vae->network, pixels, NULL, n, 0.001f)
                  : fovea_network_evaluate(vae->network, pixels, NULL, n, (uint32_t)i);
}

static fovea_status timed_pass(fovea_device *device, fovea_vae *vae, const fovea_dataset *images, bool training,
                               size_t i, double *seconds) {
  const double begun = fovea_seconds();
  fovea_status status = pass(vae, images, training, i);
  if (status == FOVEA_OK) status = fovea_device_finish(device);
  *seconds = fovea_seconds() - begun;
  return status;
}

fovea_status bench_time(fovea_device *device, fovea_vae *vae, const fovea_dataset *images, bool training, size_t count,
                        size_t warm_up, double limit, bench_spread *spread) {
  double *times = malloc(count * sizeof *times), total = 0;
  fovea_status status = times != NULL ? FOVEA_OK : fovea_fail(FOVEA_NO_MEMORY, "no memory for %zu times", count);
  fovea_losses losses;
  size_t done = 0;
  for (size_t i = 0; i < warm_up && status == FOVEA_OK; i++) status = pass(vae, images, training, i);
  if (status == FOVEA_OK) status = fovea_device_finish(device);
  progress_begin(training ? "training steps" : "evaluation passes", count, "passes");
  while (done < count && (done < 2 || total < limit) && status == FOVEA_OK) {
    status = timed_pass(device, vae, images, training, done, &times[done]);
    total += times[done++];
    progress_update(done, NULL);
  }
  progress_end();
  if (status == FOVEA_OK) *spread = bench_spread_of(times, done);
  free(times);
  return status == FOVEA_OK ? fovea_network_losses(vae->network, &losses) : status; /* fast and wrong is no result */
}

fovea_status bench_profile_steps(fovea_device *device, fovea_vae *vae, const fovea_dataset *images, size_t steps,
                                 bench_profile *profile) {
  fovea_status status = fovea_profile_begin(device);
  const double begun = fovea_seconds();
  for (size_t i = 0; i < steps && status == FOVEA_OK; i++) status = pass(vae, images, true, i);
  if (status == FOVEA_OK) status = fovea_device_finish(device);
  profile->steps = steps;
  profile->step = (fovea_seconds() - begun) / (double)steps;
  return status == FOVEA_OK ? fovea_profile_end(device, &profile->rows, &profile->count) : status;
}
