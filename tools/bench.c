/* How fast this device is, and how much of that the training step gets. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "core/clock.h"
#include "core/fail.h"
#include "core/launch.h"
#include "progress.h"
#include "run.h"

/* Of the seed network with all options on, 28x28x1: 50.94 MMAC forward, twice that backward (DESIGN section 1). */
static const double step_flops_an_image = 305e6;

enum { CHAINS = 12, UNROLL = 8 /* as in cl/bench.cl */, REPEATS = 7, WARM_UP = 3 };
static const double launch_seconds = 0.03; /* how long a measured launch should last */

typedef struct ceiling {
  double flops; /* a second */
  int width;    /* the vector that got it */
} ceiling;

typedef struct bench {
  fovea_device *device;
  long long steps, batch;
  ceiling before, after;
  double bandwidth; /* bytes a second */
  double step;      /* seconds, median */
  double flops_an_image;
  size_t memory;
  char blas[32];
  fovea_profile_row *rows;
  size_t row_count;
} bench;

/* --- timing ------------------------------------------------------------------------------------------------------ */

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *values, size_t count) {
  qsort(values, count, sizeof *values, ascending);
  return count % 2 == 1 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static fovea_status time_once(fovea_device *device, fovea_launch *launch, double *seconds) {
  fovea_status status = fovea_device_finish(device);
  const double begun = fovea_seconds();
  if (status == FOVEA_OK) status = fovea_launch_enqueue(launch);
  if (status == FOVEA_OK) status = fovea_device_finish(device);
  *seconds = fovea_seconds() - begun;
  return status;
}

static fovea_status time_median(fovea_device *device, fovea_launch *launch, double *seconds) {
  double times[REPEATS];
  fovea_status status = FOVEA_OK;
  for (int i = 0; i < REPEATS && status == FOVEA_OK; i++) status = time_once(device, launch, &times[i]);
  if (status == FOVEA_OK) *seconds = median(times, REPEATS);
  return status;
}

/* --- ceilings ---------------------------------------------------------------------------------------------------- */

static bool is_cpu(const bench *b) { return fovea_device_get_info(b->device)->type == FOVEA_DEVICE_CPU; }

static size_t fma_items(const bench *b) {
  return (size_t)fovea_device_get_info(b->device)->compute_units * (is_cpu(b) ? 16 : 2048);
}

static fovea_status make_fma(const bench *b, const fovea_buffer *out, int width, int rounds, fovea_launch **launch) {
  char options[32];
  snprintf(options, sizeof options, "-DV=%d", width);
  fovea_launch_create(b->device, "bench.cl", options, "bench_fma", launch);
  fovea_launch_buffer(*launch, "out", out);
  fovea_launch_int(*launch, "rounds", rounds);
  fovea_launch_float(*launch, "m", 0.5f);
  fovea_launch_float(*launch, "c", 1.0f);
  fovea_launch_range(*launch, fma_items(b), 1, 1);
  return fovea_launch_ready(*launch);
}

static fovea_status time_fma(const bench *b, const fovea_buffer *out, int width, int rounds, bool once,
                             double *seconds) {
  fovea_launch *launch = NULL;
  fovea_status status = make_fma(b, out, width, rounds, &launch);
  if (status == FOVEA_OK && once) status = fovea_launch_enqueue(launch); /* the first run may compile */
  if (status == FOVEA_OK)
    status = once ? time_once(b->device, launch, seconds) : time_median(b->device, launch, seconds);
  fovea_launch_destroy(launch);
  return status;
}

static fovea_status measure_fma(const bench *b, ceiling *best) {
  static const int widths[] = {1, 4, 8, 16};
  fovea_buffer *out = NULL;
  *best = (ceiling){0, 0};
  fovea_status status = fovea_buffer_create(b->device, fma_items(b) * 16 * sizeof(float), "bench", &out);
  for (size_t i = 0; i < 4 && status == FOVEA_OK; i++) {
    double seconds = 0;
    int rounds = 200;
    status = time_fma(b, out, widths[i], rounds, true, &seconds);
    const double scale = launch_seconds / (seconds > 1e-6 ? seconds : 1e-6);
    if (scale > 1) rounds = (int)(rounds * (scale < 10000 ? scale : 10000));
    if (status == FOVEA_OK) status = time_fma(b, out, widths[i], rounds, false, &seconds);
    const double flops = (double)fma_items(b) * rounds * UNROLL * CHAINS * widths[i] * 2;
    if (status == FOVEA_OK && flops / seconds > best->flops) *best = (ceiling){flops / seconds, widths[i]};
  }
  fovea_buffer_destroy(out);
  return status;
}

static fovea_status time_triad(const bench *b, fovea_buffer *const buffers[3], size_t floats, double *seconds) {
  const int width = is_cpu(b) ? 16 : 4;
  const size_t vectors = floats / (size_t)width, rounds = is_cpu(b) ? 1024 : 4, items = vectors / rounds;
  char options[32];
  snprintf(options, sizeof options, "-DV=%d", width);
  fovea_launch *launch = NULL;
  fovea_launch_create(b->device, "bench.cl", options, "bench_triad", &launch);
  fovea_launch_buffer(launch, "a", buffers[0]);
  fovea_launch_buffer(launch, "b", buffers[1]);
  fovea_launch_buffer(launch, "c", buffers[2]);
  fovea_launch_float(launch, "s", 3);
  fovea_launch_int(launch, "rounds", (int)rounds);
  fovea_launch_uint(launch, "item_stride", is_cpu(b) ? (uint32_t)rounds : 1);
  fovea_launch_uint(launch, "round_stride", is_cpu(b) ? 1 : (uint32_t)items);
  fovea_launch_range(launch, items, 1, 1);
  fovea_status status = fovea_launch_ready(launch);
  if (status == FOVEA_OK) status = fovea_launch_enqueue(launch);
  if (status == FOVEA_OK) status = time_median(b->device, launch, seconds);
  fovea_launch_destroy(launch);
  return status;
}

static fovea_status measure_bandwidth(bench *b) {
  const fovea_device_info *info = fovea_device_get_info(b->device);
  size_t bytes = (size_t)128 << 20; /* more than caches hold, three times */
  while (bytes > info->max_allocation || 8 * (uint64_t)bytes > info->global_memory) bytes /= 2;
  fovea_buffer *buffers[3] = {NULL, NULL, NULL};
  fovea_status status = FOVEA_OK;
  double seconds = 0;
  for (int i = 0; i < 3 && status == FOVEA_OK; i++)
    status = fovea_buffer_create(b->device, bytes, "bench", &buffers[i]);
  if (status == FOVEA_OK) status = time_triad(b, buffers, bytes / sizeof(float), &seconds);
  if (status == FOVEA_OK) b->bandwidth = 3 * (double)bytes / seconds;
  for (int i = 0; i < 3; i++) fovea_buffer_destroy(buffers[i]);
  return status;
}

/* --- the training step ------------------------------------------------------------------------------------------- */

static fovea_status random_images(size_t count, fovea_dataset *images) {
  *images = (fovea_dataset){.count = count, .channels = 1, .height = 28, .width = 28, .pixels = malloc(count * 784)};
  if (images->pixels == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for %zu images", count);
  uint32_t x = 768; /* xorshift32, Marsaglia 2003 */
  for (size_t i = 0; i < count * 784; i++) {
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    images->pixels[i] = (uint8_t)(x >> 24);
  }
  return FOVEA_OK;
}

static fovea_status step(fovea_vae *vae, const fovea_dataset *images, long long i) {
  const size_t batch = (size_t)vae->config.batch, size = fovea_vae_image_size(vae);
  const size_t n = batch < images->count ? batch : images->count;
  const size_t first = (size_t)i * n % (images->count - n + 1);
  return fovea_network_train_step(vae->network, images->pixels + first * size, NULL, n, 0.001f);
}

static fovea_status measure_steps(bench *b, fovea_vae *vae, const fovea_dataset *images) {
  double *times = malloc((size_t)b->steps * sizeof *times);
  fovea_status status = times != NULL ? FOVEA_OK : fovea_fail(FOVEA_NO_MEMORY, "no memory for %lld times", b->steps);
  for (long long i = 0; i < WARM_UP && status == FOVEA_OK; i++) status = step(vae, images, i);
  if (status == FOVEA_OK) status = fovea_device_finish(b->device);
  progress_begin("training steps", (size_t)b->steps, "steps");
  for (long long i = 0; i < b->steps && status == FOVEA_OK; i++) {
    const double begun = fovea_seconds();
    status = step(vae, images, i);
    if (status == FOVEA_OK) status = fovea_device_finish(b->device);
    times[i] = fovea_seconds() - begun;
    progress_update((size_t)i + 1, NULL);
  }
  progress_end();
  if (status == FOVEA_OK) b->step = median(times, (size_t)b->steps);
  free(times);
  return status;
}

static fovea_status profile_steps(bench *b, fovea_vae *vae, const fovea_dataset *images) {
  fovea_status status = fovea_profile_begin(b->device);
  for (long long i = 0; i < b->steps && status == FOVEA_OK; i++) status = step(vae, images, i);
  return status != FOVEA_OK ? status : fovea_profile_end(b->device, &b->rows, &b->row_count);
}

static fovea_status measure_training(bench *b, const fovea_dataset *images) {
  fovea_vae_config config = fovea_vae_default();
  config.batch = (int)b->batch;
  config.channels = images->channels;
  config.height = images->height;
  config.width = images->width;
  b->flops_an_image = images->channels == 1 && images->height == 28 && images->width == 28 ? step_flops_an_image : 0;
  fovea_vae *vae = NULL;
  fovea_losses losses;
  fovea_status status = fovea_vae_create(b->device, &config, true, &vae);
  if (status == FOVEA_OK) status = measure_steps(b, vae, images);
  if (status == FOVEA_OK) status = profile_steps(b, vae, images);
  if (status == FOVEA_OK) status = fovea_network_losses(vae->network, &losses); /* fast and wrong is no result */
  if (status == FOVEA_OK) {
    b->memory = fovea_network_memory(vae->network);
    snprintf(b->blas, sizeof b->blas, "%s", fovea_network_blas(vae->network));
  }
  fovea_vae_destroy(vae);
  return status;
}

/* --- the result -------------------------------------------------------------------------------------------------- */

static double images_per_s(const bench *b) { return (double)b->batch / b->step; }

/* Of the better of the two ceilings, so that the share is not flattered. */
static double best_ceiling(const bench *b) {
  return b->before.flops > b->after.flops ? b->before.flops : b->after.flops;
}

static double share_of_ceiling(const bench *b) { return images_per_s(b) * b->flops_an_image / best_ceiling(b); }

static void print_table(const bench *b) {
  double total = 0;
  for (size_t i = 0; i < b->row_count; i++) total += b->rows[i].seconds;
  const double steps = (double)b->steps;
  printf("\n%-36s %9s %9s %7s %9s %9s %8s\n", "kernel", "launches", "ms", "share", "GFLOP/s", "GB/s", "ceiling");
  for (size_t i = 0; i < b->row_count; i++) {
    const fovea_profile_row *r = &b->rows[i];
    const double flops = r->seconds > 0 ? r->flops / r->seconds : 0, bytes = r->seconds > 0 ? r->bytes / r->seconds : 0;
    printf("%-36s %9.1f %9.3f %6.1f%% %9.1f %9.2f %7.1f%%\n", r->kernel, (double)r->launches / steps,
           1e3 * r->seconds / steps, 100 * r->seconds / total, flops / 1e9, bytes / 1e9, 100 * flops / best_ceiling(b));
  }
  printf("%-36s %9s %9.3f\n", "all kernels, a step", "", 1e3 * total / steps);
}

static void print_text(const bench *b) {
  const fovea_device_info *info = fovea_device_get_info(b->device);
  printf("device     %s (%s, driver %s)\n", info->name, info->platform, info->driver);
  printf("ceiling    %.1f GFLOP/s of fma before (float%d), %.1f after (float%d)\n", b->before.flops / 1e9,
         b->before.width, b->after.flops / 1e9, b->after.width);
  printf("bandwidth  %.1f GB/s (triad)\n", b->bandwidth / 1e9);
  printf("step       %.2f ms, median of %lld with batch %lld, %.1f MiB, %s products\n", 1e3 * b->step, b->steps,
         b->batch, (double)b->memory / (1024.0 * 1024), b->blas);
  printf("training   %.1f images/s", images_per_s(b));
  if (b->flops_an_image > 0) printf(", %.1f%% of the ceiling", 100 * share_of_ceiling(b));
  printf("\n");
  print_table(b);
}

static fovea_status print_json(const bench *b) {
  const fovea_device_info *info = fovea_device_get_info(b->device);
  json_t *kernels = json_array();
  for (size_t i = 0; i < b->row_count && kernels != NULL; i++) {
    const fovea_profile_row *r = &b->rows[i];
    json_array_append_new(
        kernels, json_pack("{s:s,s:I,s:f,s:f,s:f}", "kernel", r->kernel, "launches", (json_int_t)r->launches, "seconds",
                           r->seconds, "flops", r->flops, "bytes", r->bytes));
  }
  json_t *all =
      json_pack("{s:s,s:s,s:s,s:f,s:i,s:f,s:i,s:f,s:I,s:I,s:f,s:f,s:I,s:s,s:o}", "device", info->name, "platform",
                info->platform, "driver", info->driver, "fma_before", b->before.flops, "width_before", b->before.width,
                "fma_after", b->after.flops, "width_after", b->after.width, "bandwidth", b->bandwidth, "batch",
                (json_int_t)b->batch, "steps", (json_int_t)b->steps, "step_seconds", b->step, "images_per_s",
                images_per_s(b), "memory", (json_int_t)b->memory, "blas", b->blas, "kernels", kernels);
  if (all != NULL && b->flops_an_image > 0)
    json_object_set_new(all, "share_of_ceiling", json_real(share_of_ceiling(b)));
  char *text = all != NULL ? json_dumps(all, JSON_INDENT(2)) : NULL;
  if (text != NULL) puts(text);
  free(text);
  json_decref(all);
  return text != NULL ? FOVEA_OK : fovea_fail(FOVEA_NO_MEMORY, "no memory for the result as JSON");
}

/* --- the command ------------------------------------------------------------------------------------------------- */

static fovea_status measure(bench *b, const char *selector, const fovea_dataset *images) {
  fovea_status status = fovea_device_open(selector, &b->device);
  if (status == FOVEA_OK) status = measure_fma(b, &b->before);
  if (status == FOVEA_OK) status = measure_bandwidth(b);
  if (status == FOVEA_OK) status = measure_training(b, images);
  if (status == FOVEA_OK) status = measure_fma(b, &b->after);
  return status;
}

static fovea_status run_bench(bench *b, const char *selector, const char *data, bool json) {
  fovea_dataset random = {0}, *loaded = NULL;
  const size_t count = (size_t)b->batch * 8;
  fovea_status status =
      data != NULL ? fovea_dataset_load(data, "train", count, &loaded) : random_images(count, &random);
  if (status == FOVEA_OK && loaded != NULL && loaded->count < (size_t)b->batch)
    status = fovea_fail(FOVEA_INVALID, "%s has %zu images, --batch is %lld", data, loaded->count, b->batch);
  if (status == FOVEA_OK) status = measure(b, selector, loaded != NULL ? loaded : &random);
  if (status == FOVEA_OK && json) status = print_json(b);
  if (status == FOVEA_OK && !json) print_text(b);
  free(b->rows);
  fovea_device_close(b->device);
  fovea_dataset_destroy(loaded);
  free(random.pixels);
  return status;
}

static int run(int argc, char **argv) {
  bench b = {.steps = 20, .batch = 64};
  const char *device = NULL, *data = NULL;
  bool json = false, help = false;
  option options[] = {
      {.name = "device",
       .kind = OPTION_STRING,
       .value = &device,
       .argument = "D",
       .help = "index, cpu, gpu, or part of a name; the fastest GPU, else the CPU"},
      {.name = "steps",
       .kind = OPTION_INT,
       .value = &b.steps,
       .min = 1,
       .max = 100000,
       .help = "training steps to time"},
      {.name = "batch", .kind = OPTION_INT, .value = &b.batch, .min = 1, .max = 65536, .help = "images a step"},
      {.name = "data",
       .kind = OPTION_STRING,
       .value = &data,
       .argument = "DIR",
       .help = "images to train on; random ones without it"},
      {.name = "json", .kind = OPTION_FLAG, .value = &json, .help = "print the numbers as JSON"}};
  const size_t n = sizeof options / sizeof *options;
  fovea_status status = options_parse(argc, argv, options, n, NULL, 0, NULL, &help);
  if (status != FOVEA_OK) return command_fail(status);
  if (help) {
    options_print_help("fovea bench [options]",
                       "Measures the device's ceilings, the seed network's training step and each of its kernels.",
                       options, n);
    return FOVEA_OK;
  }
  status = run_bench(&b, device, data, json);
  return status != FOVEA_OK ? command_fail(status) : FOVEA_OK;
}

const command command_bench = {"bench", "measure the device and the training step", run};
