/* What the device can do: multiply-adds in registers, and a triad through memory (cl/bench.cl). */
#include <stdio.h>

#include "base/clock.h"
#include "bench/bench.h"
#include "runtime/launch.h"

enum { CHAINS = 12, UNROLL = 8 /* as in cl/bench.cl */, MOST_LAUNCHES = 7 };
static const double launch_seconds = 0.03; /* how long a measured launch should last */

static fovea_status time_once(fovea_device *device, fovea_launch *launch, double *seconds) {
  fovea_status status = fovea_device_finish(device);
  const double begun = fovea_seconds();
  if (status == FOVEA_OK) status = fovea_launch_enqueue(launch);
  if (status == FOVEA_OK) status = fovea_device_finish(device);
  *seconds = fovea_seconds() - begun;
  return status;
}

/* Of as many launches as passes are timed. */
static fovea_status time_median(fovea_device *device, fovea_launch *launch, long long steps, double *seconds) {
  double times[MOST_LAUNCHES];
  const int launches = steps < MOST_LAUNCHES ? (int)steps : MOST_LAUNCHES;
  fovea_status status = FOVEA_OK;
  for (int i = 0; i < launches && status == FOVEA_OK; i++) status = time_once(device, launch, &times[i]);
  if (status == FOVEA_OK) *seconds = bench_spread_of(times, (size_t)launches).median;
  return status;
}

static bool is_cpu(fovea_device *device) { return fovea_device_get_info(device)->type == FOVEA_DEVICE_CPU; }

/* --- multiply-adds ------------------------------------------------------------------------------------------------ */

static size_t fma_items(fovea_device *device) {
  return (size_t)fovea_device_get_info(device)->compute_units * (is_cpu(device) ? 16 : 2048);
}

static fovea_status make_fma(fovea_device *device, const fovea_buffer *out, int width, int rounds,
                             fovea_launch **launch) {
  char options[32];
  snprintf(options, sizeof options, "-DV=%d", width);
  fovea_launch_create(device, "bench.cl", options, "bench_fma", launch);
  fovea_launch_buffer(*launch, "out", out);
  fovea_launch_int(*launch, "rounds", rounds);
  fovea_launch_float(*launch, "m", 0.5f);
  fovea_launch_float(*launch, "c", 1.0f);
  fovea_launch_range(*launch, fma_items(device), 1, 1);
  return fovea_launch_ready(*launch);
}

static fovea_status time_fma(fovea_device *device, const fovea_buffer *out, int width, int rounds, long long steps,
                             double *seconds) {
  const bool once = steps == 0;
  fovea_launch *launch = NULL;
  fovea_status status = make_fma(device, out, width, rounds, &launch);
  if (status == FOVEA_OK && once) status = fovea_launch_enqueue(launch); /* the first run may compile */
  if (status == FOVEA_OK)
    status = once ? time_once(device, launch, seconds) : time_median(device, launch, steps, seconds);
  fovea_launch_destroy(launch);
  return status;
}

fovea_status bench_measure_fma(fovea_device *device, long long steps, bench_ceiling *best) {
  static const int widths[] = {1, 4, 8, 16};
  fovea_buffer *out = NULL;
  *best = (bench_ceiling){0, 0};
  fovea_status status = fovea_buffer_create(device, fma_items(device) * 16 * sizeof(float), "bench", &out);
  for (size_t i = 0; i < 4 && status == FOVEA_OK; i++) {
    double seconds = 0;
    int rounds = 200;
    status = time_fma(device, out, widths[i], rounds, 0, &seconds);
    const double scale = launch_seconds / (seconds > 1e-6 ? seconds : 1e-6);
    if (scale > 1) rounds = (int)(rounds * (scale < 10000 ? scale : 10000));
    if (status == FOVEA_OK) status = time_fma(device, out, widths[i], rounds, steps, &seconds);
    const double flops = (double)fma_items(device) * rounds * UNROLL * CHAINS * widths[i] * 2;
    if (status == FOVEA_OK && flops / seconds > best->flops) *best = (bench_ceiling){flops / seconds, widths[i]};
  }
  fovea_buffer_destroy(out);
  return status;
}

/* --- bandwidth ---------------------------------------------------------------------------------------------------- */

static fovea_status time_triad(fovea_device *device, fovea_buffer *const buffers[3], size_t floats, long long steps,
                               double *seconds) {
  const bool cpu = is_cpu(device);
  const int width = cpu ? 16 : 4;
  const size_t vectors = floats / (size_t)width, rounds = cpu ? 1024 : 4, items = vectors / rounds;
  char options[32];
  snprintf(options, sizeof options, "-DV=%d", width);
  fovea_launch *launch = NULL;
  fovea_launch_create(device, "bench.cl", options, "bench_triad", &launch);
  fovea_launch_buffer(launch, "a", buffers[0]);
  fovea_launch_buffer(launch, "b", buffers[1]);
  fovea_launch_buffer(launch, "c", buffers[2]);
  fovea_launch_float(launch, "s", 3);
  fovea_launch_int(launch, "rounds", (int)rounds);
  fovea_launch_uint(launch, "item_stride", cpu ? (uint32_t)rounds : 1);
  fovea_launch_uint(launch, "round_stride", cpu ? 1 : (uint32_t)items);
  fovea_launch_range(launch, items, 1, 1);
  fovea_status status = fovea_launch_ready(launch);
  if (status == FOVEA_OK) status = fovea_launch_enqueue(launch);
  if (status == FOVEA_OK) status = time_median(device, launch, steps, seconds);
  fovea_launch_destroy(launch);
  return status;
}

fovea_status bench_measure_bandwidth(fovea_device *device, long long steps, double *bytes_per_s) {
  const fovea_device_info *info = fovea_device_get_info(device);
  size_t bytes = (size_t)128 << 20; /* more than caches hold, three times */
  while (bytes > info->max_allocation || 8 * (uint64_t)bytes > info->global_memory) bytes /= 2;
  fovea_buffer *buffers[3] = {NULL, NULL, NULL};
  fovea_status status = FOVEA_OK;
  double seconds = 0;
  for (int i = 0; i < 3 && status == FOVEA_OK; i++) status = fovea_buffer_create(device, bytes, "bench", &buffers[i]);
  if (status == FOVEA_OK) status = time_triad(device, buffers, bytes / sizeof(float), steps, &seconds);
  if (status == FOVEA_OK) *bytes_per_s = 3 * (double)bytes / seconds;
  for (int i = 0; i < 3; i++) fovea_buffer_destroy(buffers[i]);
  return status;
}
