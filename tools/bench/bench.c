/* How fast this device is, and how much of that the network gets of it, training and inferring; or with --growth how
 * both grow. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/fail.h"
#include "bench/bench.h"
#include "bench/tune.h"
#include "cli/command.h"
#include "cli/json.h"
#include "cli/progress.h"
#include "cli/signals.h"
#include "runtime/device.h"
#include "train/load.h"

enum { WARM_UP = 3 };
static const double passes_seconds = 60; /* at most, for the timed steps */

static size_t peak_resident(void) {
  struct rusage usage;
  if (getrusage(RUSAGE_SELF, &usage) != 0) return 0;
#ifdef __APPLE__
  return (size_t)usage.ru_maxrss;
#else
  return (size_t)usage.ru_maxrss * 1024;
#endif
}

static fovea_status measure_network(bench_result *r, const fovea_dataset *images) {
  const size_t steps = (size_t)r->settings->steps;
  fovea_vae *vae = NULL;
  r->config = bench_config(r->settings, images->channels, images->height, images->width);
  fovea_status status = fovea_vae_create(r->device, &r->config, true, &vae);
  if (status == FOVEA_OK) progress_say_network(fovea_device_get_info(r->device), vae);
  if (status == FOVEA_OK)
    status = bench_time(r->device, vae, images, true, steps, WARM_UP, passes_seconds, &r->training);
  if (status == FOVEA_OK)
    status = bench_time(r->device, vae, images, false, steps, WARM_UP, passes_seconds, &r->inference);
  if (status == FOVEA_OK) r->resident = peak_resident();
  if (status == FOVEA_OK) status = bench_profile_steps(r->device, vae, images, steps, &r->profile);
  if (status == FOVEA_OK) {
    r->work = fovea_work_of(vae->graph, r->config.batch);
    r->device_memory = fovea_network_memory(vae->network);
    snprintf(r->blas, sizeof r->blas, "%s", fovea_network_blas(vae->network));
  }
  fovea_vae_destroy(vae);
  return status;
}

/* The bandwidth last: its buffers would be the peak of the memory. */
static fovea_status measure(bench_result *r, const fovea_dataset *images) {
  fovea_status status = fovea_device_open_part(r->settings->device, (uint32_t)r->settings->threads, &r->device);
  if (status == FOVEA_OK) fovea_device_tell(r->device, progress_hear, NULL);
  if (status == FOVEA_OK) status = bench_measure_fma(r->device, r->settings->steps, &r->before);
  if (status == FOVEA_OK) status = measure_network(r, images);
  if (status == FOVEA_OK) status = bench_measure_fma(r->device, r->settings->steps, &r->after);
  if (status == FOVEA_OK) status = bench_measure_bandwidth(r->device, r->settings->steps, &r->bandwidth);
  return status;
}

static fovea_status load_images(const bench_settings *s, fovea_dataset *noise, fovea_dataset **loaded) {
  const size_t count = (size_t)s->batch * 8;
  fovea_load_options load;
  fovea_dataset *sets[2] = {NULL, NULL};
  if (s->data == NULL) return bench_noise(count, (int)s->size, (int)s->size, noise);
  fovea_status status = image_options_read(&s->images, s->data, (long long)count, s->seed, &load);
  load.in_file = false;
  if (status == FOVEA_OK) status = load_sets(s->data, (const fovea_load_options *const[]){&load, NULL}, &sets);
  *loaded = sets[0];
  if (status == FOVEA_OK && (*loaded)->count < (size_t)s->batch)
    status = fovea_fail(FOVEA_INVALID, "%s has %zu images, --batch is %lld", s->data, (*loaded)->count, s->batch);
  return status;
}

static fovea_status run_bench(const bench_settings *s) {
  bench_result r = {.settings = s};
  fovea_dataset noise = {0}, *loaded = NULL;
  fovea_status status = load_images(s, &noise, &loaded);
  if (status == FOVEA_OK) status = measure(&r, loaded != NULL ? loaded : &noise);
  if (status == FOVEA_OK && s->json) status = json_result(bench_json(&r));
  if (status == FOVEA_OK && !s->json) bench_print(&r);
  fovea_free(r.profile.rows);
  fovea_device_close(r.device);
  fovea_dataset_destroy(loaded);
  free(noise.pixels);
  return status;
}

/* --- the command ------------------------------------------------------------------------------------------------- */

enum { OPTIONS = 10 };

static size_t make_options(bench_settings *s, option table[OPTIONS + IMAGE_OPTIONS]) {
  const option all[OPTIONS] = {
      {.name = "device",
       .kind = OPTION_STRING,
       .value = &s->device,
       .argument = "D",
       .help = "index, cpu, gpu, or part of a name; the fastest GPU, else the CPU"},
      {.name = "threads",
       .kind = OPTION_INT,
       .value = &s->threads,
       .max = 65536,
       .help = "compute units to use, as a part of the device; 0: all"},
      {.name = "steps", .kind = OPTION_INT, .value = &s->steps, .min = 1, .max = 100000, .help = "passes to time"},
      {.name = "batch", .kind = OPTION_INT, .value = &s->batch, .min = 1, .max = 65536, .help = "images a step"},
      {.name = "units", .kind = OPTION_INTS, .value = &s->units, .min = 1, .max = 16384, .help = "of the network"},
      {.name = "data",
       .kind = OPTION_STRING,
       .value = &s->data,
       .argument = "DIR",
       .help = "images to train on, read as the options below say; random ones without it"},
      {.name = "seed",
       .kind = OPTION_INT,
       .value = &s->seed,
       .max = 9007199254740992.0,
       .help = "of the split of a set that has none, as train's"},
      {.name = "growth",
       .kind = OPTION_FLAG,
       .value = &s->growth,
       .help = "tables of batches, sizes, units and threads instead"},
      {.name = "tune",
       .kind = OPTION_FLAG,
       .value = &s->tune,
       .help = "instead find the fastest tiles for --batch and --size and keep them; some 5 minutes"},
      json_option(&s->json)};
  memcpy(table, all, sizeof all);
  const size_t n = OPTIONS + image_options_table(&s->images, table + OPTIONS);
  for (size_t i = OPTIONS; i < n; i++)
    if (strcmp(table[i].name, "size") == 0)
      table[i].help = "pixels a side of random images, 28 without it; of --data as train's, 64 or 48x64";
  return n;
}

/* Random images are square, and how images are read is nothing to them. */
static fovea_status check_noise(bench_settings *s, const option *options, size_t count) {
  enum { MOST_SIDE = 4096 };
  if (s->data != NULL) return FOVEA_OK;
  for (size_t i = OPTIONS; i < count; i++)
    if (options[i].given && strcmp(options[i].name, "size") != 0)
      return fovea_fail(FOVEA_INVALID, "--%s says how --data is read, and there is none", options[i].name);
  if (s->images.now.size[0] == '\0' || options_read_int(s->images.now.size, 1, MOST_SIDE, &s->size)) return FOVEA_OK;
  return fovea_fail(FOVEA_INVALID, "--size %s: expected a whole number from 1 to %d, the side of random images",
                    s->images.now.size, MOST_SIDE);
}

static int run(int argc, char **argv) {
  const fovea_vae_config seed = fovea_vae_default();
  bench_settings s = {.steps = 20,
                      .batch = seed.batch,
                      .size = seed.width,
                      .seed = (long long)seed.seed,
                      .units.count = seed.unit_count};
  for (int i = 0; i < seed.unit_count; i++) s.units.values[i] = seed.units[i];
  option options[OPTIONS + IMAGE_OPTIONS];
  const size_t n = make_options(&s, options);
  bool done = false;
  const command_line line = {
      .usage = "fovea bench [options]",
      .summary = "Measures the device's ceilings, the network's training step and inference, and each kernel.",
      .options = options,
      .count = n};
  fovea_status status = command_begin(&line, argc, argv, &done);
  if (status != FOVEA_OK) return command_fail(status);
  if (done) return FOVEA_OK;
  if (status == FOVEA_OK && s.growth && s.data != NULL)
    status = fovea_fail(FOVEA_INVALID, "--growth makes images of several sizes, --data %s cannot be used", s.data);
  if (status == FOVEA_OK && s.tune && (s.growth || s.data != NULL || s.threads != 0))
    status = fovea_fail(FOVEA_INVALID, "--tune goes with --device, --batch, --size and --json alone");
  if (status == FOVEA_OK) status = check_noise(&s, options, n);
  if (status == FOVEA_OK)
    status = s.tune     ? tune_run(s.device, (int)s.batch, (int)s.size, s.json)
             : s.growth ? bench_growth(&s)
                        : run_bench(&s);
  if (status != FOVEA_OK) return command_fail(status);
  return signals_received() != 0 ? signals_exit_code() : FOVEA_OK;
}

const command command_bench = {"bench", "measure the device, training, inference and each kernel", run};
