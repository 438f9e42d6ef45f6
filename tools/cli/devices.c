#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "cli/command.h"
#include "cli/json.h"
#include "cli/options.h"
#include "fovea/device.h"
#include "runtime/autotune.h"

static const char *type_name(fovea_device_type type) {
  switch (type) {
    case FOVEA_DEVICE_CPU:
      return "cpu";
    case FOVEA_DEVICE_GPU:
      return "gpu";
    case FOVEA_DEVICE_ACCELERATOR:
      return "accelerator";
    default:
      return "other";
  }
}

/* --- the table ------------------------------------------------------------------------------------------------ */

enum { COLUMNS = 8, CELL = 64 };
typedef char table_row[COLUMNS][CELL];

static void fill_row(const fovea_device_info *info, table_row row) {
  snprintf(row[0], CELL, "%zu", info->index);
  snprintf(row[1], CELL, "%.60s", info->name);
  snprintf(row[2], CELL, "%.40s", info->vendor);
  snprintf(row[3], CELL, "%s", type_name(info->type));
  snprintf(row[4], CELL, "%.30s", info->driver);
  /* "OpenCL 3.0 PoCL HSTR: ..." is cut after the number. */
  const char *version = strncmp(info->version, "OpenCL ", 7) == 0 ? info->version + 7 : info->version;
  snprintf(row[5], CELL, "%.*s", (int)strcspn(version, " "), version);
  snprintf(row[6], CELL, "%" PRIu32, info->compute_units);
  snprintf(row[7], CELL, "%.1f GiB", (double)info->global_memory / (1024.0 * 1024 * 1024));
}

static fovea_status print_table(const fovea_device_info *devices, size_t count) {
  static const table_row titles = {"index", "name", "vendor", "type", "driver", "OpenCL", "units", "memory"};
  table_row *rows = calloc(count + 1, sizeof *rows);
  if (!rows) return fovea_fail(FOVEA_NO_MEMORY, "out of memory for a table of %zu devices", count);
  size_t width[COLUMNS] = {0};
  memcpy(rows[0], titles, sizeof titles);
  for (size_t i = 0; i < count; i++) fill_row(&devices[i], rows[i + 1]);
  for (size_t i = 0; i <= count; i++) {
    for (int c = 0; c < COLUMNS; c++) {
      size_t n = strlen(rows[i][c]);
      if (n > width[c]) width[c] = n;
    }
  }
  for (size_t i = 0; i <= count; i++) {
    for (int c = 0; c < COLUMNS - 1; c++) printf("%-*s  ", (int)width[c], rows[i][c]);
    printf("%s\n", rows[i][COLUMNS - 1]);
    if (i > 0 && !devices[i - 1].usable) printf("%*s  not usable: %s\n", (int)width[0], "", devices[i - 1].why_not);
    const int tuned = i > 0 ? fovea_autotune_stored(&devices[i - 1]) : 0;
    if (tuned > 0) printf("%*s  tuned for %d shapes (fovea bench --tune)\n", (int)width[0], "", tuned);
  }
  free(rows);
  return FOVEA_OK;
}

/* --- JSON ----------------------------------------------------------------------------------------------------- */

static json_t *device_json(const fovea_device_info *d) {
  /* A text that is not UTF-8 makes no json_string; then its key is left out, not the device. */
  json_t *o = json_pack("{sI ss}", "index", (json_int_t)d->index, "type", type_name(d->type));
  if (!o) return NULL;
  json_object_set_new(o, "name", json_string(d->name));
  json_object_set_new(o, "vendor", json_string(d->vendor));
  json_object_set_new(o, "platform", json_string(d->platform));
  json_object_set_new(o, "driver", json_string(d->driver));
  json_object_set_new(o, "version", json_string(d->version));
  json_object_set_new(o, "compute_units", json_integer(d->compute_units));
  json_object_set_new(o, "clock_mhz", json_integer(d->clock_mhz));
  json_object_set_new(o, "native_float_width", json_integer(d->native_float_width));
  json_object_set_new(o, "global_memory", json_integer((json_int_t)d->global_memory));
  json_object_set_new(o, "max_allocation", json_integer((json_int_t)d->max_allocation));
  json_object_set_new(o, "local_memory", json_integer((json_int_t)d->local_memory));
  json_object_set_new(o, "max_work_group_size", json_integer((json_int_t)d->max_work_group_size));
  json_object_set_new(o, "correctly_rounded_divide_sqrt", json_boolean(d->correctly_rounded_divide_sqrt));
  json_object_set_new(o, "denormals", json_boolean(d->denormals));
  json_object_set_new(o, "fma", json_boolean(d->fma));
  json_object_set_new(o, "unified_memory", json_boolean(d->unified_memory));
  json_object_set_new(o, "tuned_shapes", json_integer(fovea_autotune_stored(d)));
  json_object_set_new(o, "usable", json_boolean(d->usable));
  if (!d->usable) json_object_set_new(o, "why_not", json_string(d->why_not));
  return o;
}

static fovea_status print_json(const fovea_device_info *devices, size_t count) {
  json_t *list = json_array();
  bool good = list != NULL;
  for (size_t i = 0; i < count && good; i++) good = json_array_append_new(list, device_json(&devices[i])) == 0;
  if (good) return json_result(json_pack("{s:o}", "devices", list));
  json_decref(list);
  return fovea_fail(FOVEA_NO_MEMORY, "out of memory for the JSON of %zu devices", count);
}

static int run(int argc, char **argv) {
  bool json = false, done = false;
  option options[] = {json_option(&json)};
  const size_t n = sizeof options / sizeof *options;
  const command_line line = {.usage = "fovea devices [--json]",
                             .summary = "Lists every OpenCL device of every platform, and why one is not usable.",
                             .options = options,
                             .count = n,
                             .by_many = true};
  fovea_status status = command_begin(&line, argc, argv, &done);
  if (status != FOVEA_OK) return command_fail(status);
  if (done) return FOVEA_OK;
  fovea_device_info *devices = NULL;
  size_t count = 0;
  status = fovea_device_list(&devices, &count);
  if (!status) status = json ? print_json(devices, count) : print_table(devices, count);
  fovea_free(devices);
  return status ? command_fail(status) : FOVEA_OK;
}

const command command_devices = {"devices", "list the OpenCL devices", run};
