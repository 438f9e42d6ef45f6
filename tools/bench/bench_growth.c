/* How time and memory grow with the batch, the image, the units and the threads: a table of each, from one run. A step
 * should take time in proportion to its arithmetic, and memory to its activations; each row says how far from that it
 * is, measured from the first row. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "cli/json.h"
#include "cli/progress.h"
#include "runtime/device.h"

enum { MOST_CELLS = 8, TABLES = 4, WARM_UP = 1, MOST_STEPS = 5 };
static const double cell_seconds = 6;

typedef struct cell {
  long long value; /* the batch, pixels a side, factor of the units, or threads */
  long long batch;
  char error[512]; /* why there is none */
  bench_spread step;
  fovea_work work;
  double ceiling, memory, threads;
} cell;

typedef struct table {
  const char *name, *title;
  cell cells[MOST_CELLS];
  size_t count;
} table;

/* --- one cell ----------------------------------------------------------------------------------------------------- */

static fovea_status measure(fovea_device *device, const bench_settings *s, cell *c) {
  const fovea_vae_config config = bench_config(s, 1, (int)s->size, (int)s->size);
  fovea_dataset images = {0};
  fovea_vae *vae = NULL;
  fovea_status status = fovea_vae_create(device, &config, true, &vae);
  if (status == FOVEA_OK) status = bench_noise((size_t)s->batch, (int)s->size, (int)s->size, &images);
  const size_t steps = s->steps < MOST_STEPS ? (size_t)s->steps : MOST_STEPS;
  if (status == FOVEA_OK) status = bench_time(device, vae, &images, true, steps, WARM_UP, cell_seconds, &c->step);
  if (status == FOVEA_OK) {
    c->work = fovea_work_of(vae->graph, config.batch);
    c->memory = (double)fovea_network_memory(vae->network);
  }
  fovea_vae_destroy(vae);
  free(images.pixels);
  return status;
}

/* What does not fit, or does not exist, is said in its row; anything else ends the run. */
static fovea_status fill(fovea_device *device, const bench_settings *s, double ceiling, cell *c) {
  c->ceiling = ceiling, c->batch = s->batch;
  const fovea_status status = measure(device, s, c);
  if (status != FOVEA_NO_MEMORY && status != FOVEA_INVALID) return status;
  snprintf(c->error, sizeof c->error, "%.500s", fovea_error_message());
  return FOVEA_OK;
}

static fovea_status fill_part(const bench_settings *s, cell *c) {
  fovea_device *device = NULL;
  bench_ceiling ceiling;
  const fovea_status opened = fovea_device_open_part(s->device, (uint32_t)c->value, &device);
  if (opened != FOVEA_OK) {
    snprintf(c->error, sizeof c->error, "%.500s", fovea_error_message());
    return FOVEA_OK;
  }
  fovea_device_tell(device, progress_hear, NULL);
  c->threads = (double)c->value;
  fovea_status status = bench_measure_fma(device, s->steps, &ceiling);
  if (status == FOVEA_OK) status = fill(device, s, ceiling.flops, c);
  fovea_device_close(device);
  return status;
}

/* --- the tables --------------------------------------------------------------------------------------------------- */

static fovea_status fill_table(fovea_device *device, const bench_settings *settings, double ceiling, table *t) {
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < t->count && status == FOVEA_OK; i++) {
    cell *c = &t->cells[i];
    bench_settings s = *settings;
    fprintf(stderr, "growth: %s %lld\n", t->name, c->value);
    c->threads = 1;
    if (strcmp(t->name, "batch") == 0) s.batch = c->value;
    if (strcmp(t->name, "pixels") == 0) s.size = c->value;
    for (int u = 0; u < s.units.count && strcmp(t->name, "units") == 0; u++) s.units.values[u] *= (int)c->value;
    status = strcmp(t->name, "threads") == 0 ? fill_part(&s, c) : fill(device, &s, ceiling, c);
  }
  return status;
}

static void choose_cells(table tables[TABLES], long long threads) {
  static const struct {
    const char *name, *title;
    long long values[MOST_CELLS];
  } all[TABLES - 1] = {{"batch", "images a batch", {16, 32, 64, 128, 256, 512, 1024}},
                       {"pixels", "pixels a side", {28, 56, 112}},
                       {"units", "units times", {1, 2, 4}}};
  for (int i = 0; i < TABLES - 1; i++) {
    tables[i] = (table){.name = all[i].name, .title = all[i].title};
    while (all[i].values[tables[i].count] > 0)
      tables[i].cells[tables[i].count].value = all[i].values[tables[i].count], tables[i].count++;
  }
  table *t = &tables[TABLES - 1];
  *t = (table){.name = "threads", .title = "threads"};
  for (long long n = 1; n <= threads && t->count < MOST_CELLS; n *= 2) t->cells[t->count++].value = n;
}

/* Over what linear growth from the first row would give; 0 where that could not be run. */
static double time_ratio(const table *t, const cell *c) {
  const cell *first = &t->cells[0];
  if (first->error[0]) return 0;
  return c->step.median / first->step.median * first->work.step_flops / c->work.step_flops * c->threads /
         first->threads;
}

static double memory_ratio(const table *t, const cell *c) {
  const cell *first = &t->cells[0];
  return first->error[0] ? 0 : c->memory / first->memory * first->work.activations / c->work.activations;
}

static void print_growth(const table *t) {
  printf("\n%-14s %9s %19s %9s %8s %8s %9s %7s %7s\n", t->title, "ms/step", "quartiles", "images/s", "GFLOP/s",
         "ceiling", "MiB", "time", "memory");
  for (size_t i = 0; i < t->count; i++) {
    const cell *c = &t->cells[i];
    if (c->error[0]) {
      printf("%-14lld skipped: %s\n", c->value, c->error);
      continue;
    }
    const double flops = c->work.step_flops / c->step.median;
    printf("%-14lld %9.1f %9.1f-%9.1f %9.1f %8.1f %7.1f%% %9.1f %6.2fx %6.2fx\n", c->value, 1e3 * c->step.median,
           1e3 * c->step.lower, 1e3 * c->step.upper, (double)c->batch / c->step.median, flops / 1e9,
           100 * flops / c->ceiling, c->memory / 1048576.0, time_ratio(t, c), memory_ratio(t, c));
  }
}

static json_t *table_json(const table *t) {
  json_t *list = json_array();
  for (size_t i = 0; i < t->count; i++) {
    const cell *c = &t->cells[i];
    json_array_append_new(
        list, c->error[0]
                  ? json_pack("{s:I,s:s}", "value", (json_int_t)c->value, "error", c->error)
                  : json_pack("{s:I,s:o,s:f,s:f,s:f,s:f,s:f,s:f}", "value", (json_int_t)c->value, "seconds",
                              bench_json_spread(&c->step), "images_per_s", (double)c->batch / c->step.median, "flops",
                              c->work.step_flops, "share_of_ceiling", c->work.step_flops / c->step.median / c->ceiling,
                              "memory", c->memory, "time_ratio", time_ratio(t, c), "memory_ratio", memory_ratio(t, c)));
  }
  return list;
}

static fovea_status put(fovea_device *device, const bench_settings *s, const table tables[TABLES],
                        const bench_ceiling *before, const bench_ceiling *after) {
  const fovea_device_info *info = fovea_device_get_info(device);
  if (s->json) {
    json_t *growth = json_object();
    for (int i = 0; i < TABLES; i++) json_object_set_new(growth, tables[i].name, table_json(&tables[i]));
    return json_result(json_pack("{s:s,s:s,s:s,s:i,s:f,s:i,s:f,s:i,s:o}", "device", info->name, "platform",
                                 info->platform, "driver", info->driver, "compute_units", (int)info->compute_units,
                                 "fma_before", before->flops, "width_before", before->width, "fma_after", after->flops,
                                 "width_after", after->width, "growth", growth));
  }
  bench_print_device(info);
  printf("ceiling    %.1f GFLOP/s of fma before, %.1f after\n", before->flops / 1e9, after->flops / 1e9);
  for (int i = 0; i < TABLES; i++) print_growth(&tables[i]);
  printf(
      "\ntime, memory: over linear growth, with the arithmetic (and a share of it to each thread) and with the "
      "activations, from the first row.\n");
  return FOVEA_OK;
}

static void take_ceiling(table tables[TABLES], double flops) {
  for (int i = 0; i < TABLES - 1; i++)
    for (size_t j = 0; j < tables[i].count; j++)
      if (tables[i].cells[j].ceiling < flops) tables[i].cells[j].ceiling = flops;
}

fovea_status bench_growth(const bench_settings *s) {
  table tables[TABLES];
  bench_ceiling before = {0}, after = {0};
  fovea_device *device = NULL;
  fovea_status status = fovea_device_open_part(s->device, (uint32_t)s->threads, &device);
  if (status == FOVEA_OK) fovea_device_tell(device, progress_hear, NULL);
  if (status == FOVEA_OK) choose_cells(tables, s->threads > 0 ? 0 : fovea_device_get_info(device)->compute_units);
  if (status == FOVEA_OK) status = bench_measure_fma(device, s->steps, &before);
  for (int i = 0; i < TABLES && status == FOVEA_OK; i++) status = fill_table(device, s, before.flops, &tables[i]);
  if (status == FOVEA_OK) status = bench_measure_fma(device, s->steps, &after);
  if (status == FOVEA_OK) take_ceiling(tables, after.flops);
  if (status == FOVEA_OK) status = put(device, s, tables, &before, &after);
  fovea_device_close(device);
  return status;
}
