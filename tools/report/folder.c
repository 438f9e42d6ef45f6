#include "report/folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fail.h"
#include "base/file.h"
#include "data/picture.h"
#include "draw/pictures.h"
#include "report/sprite.h"
#include "train/identity.h"

static const size_t largest_table = (size_t)1 << 26;

bool folder_has(const char *dir, const char *name) {
  char path[RUN_PATH];
  struct stat about;
  return run_path(dir, name, path) == FOVEA_OK && stat(path, &about) == 0;
}

const char *folder_doing(const char *dir, const char *command, char out[FOLDER_DOING]) {
  snprintf(out, FOLDER_DOING, "a process is at work there");
  if (!run_is_locked(dir))
    snprintf(out, FOLDER_DOING, "no process is at work there; go on with fovea %s --resume", command);
  return out;
}

/* --- tables ------------------------------------------------------------------------------------------------------ */

static size_t count_of(const char *text, char c) {
  size_t count = 0;
  for (; *text; text++) count += *text == c;
  return count;
}

static json_t *fields(page *p, char *line) {
  json_t *row = json_array();
  for (char *next; line; line = next) {
    next = strchr(line, ',');
    if (next) *next++ = 0;
    page_add(p, row, page_text(line));
  }
  return row;
}

/* Splits the text, which ends in whole lines but for a torn last one. */
static json_t *table_of(page *p, const char *name, char *text, size_t most) {
  json_t *table = json_object(), *rows = json_array();
  const size_t lines = count_of(text, '\n'), step = lines > most + 1 ? (lines - 1 + most - 1) / most : 1;
  size_t commas = 0, torn = 0, at = 0;
  page_set(p, table, "rows", rows);
  char *line = text;
  for (char *end; (end = strchr(line, '\n')); line = end + 1, at++) {
    *end = 0;
    if (end > line && end[-1] == '\r') end[-1] = 0;
    if (at == 0) {
      commas = count_of(line, ',');
      page_set(p, table, "columns", fields(p, line));
    } else if (count_of(line, ',') != commas) {
      torn += *line != 0;
    } else if ((lines - 1 - at) % step == 0) {
      page_add(p, rows, fields(p, line));
    }
  }
  torn += *line != 0;
  if (torn > 0) page_miss(p, "%s: %zu torn line%s left out", name, torn, torn == 1 ? " is" : "s are");
  if (step > 1) page_miss(p, "%s: of its %zu lines only every %zuth is shown", name, lines - 1, step);
  return table;
}

json_t *folder_table(page *p, const char *dir, const char *name, size_t most) {
  char path[RUN_PATH];
  uint8_t *bytes = NULL;
  size_t size = 0;
  if (!folder_has(dir, name) || run_path(dir, name, path) != FOVEA_OK) return NULL;
  if (fovea_file_read(path, largest_table, &bytes, &size) != FOVEA_OK) {
    page_miss(p, "%s", fovea_error_message());
    return NULL;
  }
  if (strlen((char *)bytes) != size) page_miss(p, "%s: has zero bytes; what follows the first is left out", path);
  json_t *table = table_of(p, path, (char *)bytes, most);
  free(bytes);
  return table;
}

const char *folder_last_epoch(const json_t *losses) {
  const json_t *rows = json_object_get(losses, "rows");
  return json_string_value(json_array_get(json_array_get(rows, json_array_size(rows) - 1), 0));
}

size_t folder_column(const json_t *table, const char *name) {
  json_t *field, *columns = json_object_get(table, "columns");
  size_t i;
  json_array_foreach(columns, i, field) if (strcmp(json_string_value(field), name) == 0) break;
  return i;
}

/* --- the configuration ------------------------------------------------------------------------------------------- */

static json_t *parse(page *p, const char *where, const char *text) {
  json_error_t error;
  json_t *config = text ? json_loads(text, 0, &error) : NULL;
  if (text && !json_is_object(config)) {
    page_miss(p, "%s: cannot be read as JSON%s%s", where, config ? "" : ": ", config ? "" : error.text);
    json_decref(config);
    return NULL;
  }
  return config;
}

json_t *folder_config(page *p, const char *dir, char **text) {
  char path[RUN_PATH];
  *text = NULL;
  if (run_config_read(dir, text) != FOVEA_OK) page_miss(p, "%s", fovea_error_message());
  if (run_path(dir, "config.json", path) != FOVEA_OK) return NULL;
  json_t *config = parse(p, path, *text);
  if (config) return config;
  free(*text);
  *text = NULL;
  if (!folder_has(dir, "checkpoint.safetensors") || run_path(dir, "checkpoint.safetensors", path) != FOVEA_OK)
    return NULL;
  if (run_config_of_checkpoint(path, text, NULL) != FOVEA_OK) {
    page_miss(p, "%s", fovea_error_message());
    return NULL;
  }
  page_miss(p, "%s has no config.json that can be read; the settings are those of its checkpoint", dir);
  return parse(p, path, *text);
}

/* --- pictures ---------------------------------------------------------------------------------------------------- */

json_t *folder_png(page *p, const char *dir, const char *name, size_t most) {
  static const char head[] = "data:image/png;base64,";
  char path[RUN_PATH];
  fovea_picture_info info;
  uint8_t *bytes = NULL, *pixels = NULL;
  size_t size = 0;
  if (!folder_has(dir, name) || run_path(dir, name, path) != FOVEA_OK) return NULL;
  fovea_status status = fovea_picture_look(path, name, &info);
  if (status == FOVEA_OK) status = fovea_picture_read(path, &info, &pixels, NULL); /* whole? */
  if (status == FOVEA_OK) status = fovea_file_read(path, most, &bytes, &size);
  free(pixels);
  if (status != FOVEA_OK) {
    page_miss(p, "%s", fovea_error_message());
    return NULL;
  }
  char *text = sprite_base64(bytes, size);
  const size_t length = text ? strlen(text) + sizeof head : 0;
  char *url = text ? malloc(length) : NULL;
  if (url) snprintf(url, length, "%s%s", head, text);
  json_t *value = url ? json_string(url) : NULL;
  p->failed = p->failed || !value;
  free(url);
  free(text);
  free(bytes);
  return value;
}

/* Takes a tile of the picture, planes of values, by one pixel of each square. */
static void take(const uint8_t *pixels, size_t width, int channels, const grid_place *at, const int dims[3],
                 float *image) {
  for (int c = 0; c < channels; c++)
    for (int y = 0; y < dims[1]; y++)
      for (int x = 0; x < dims[2]; x++) {
        const size_t row = at->top + (size_t)y * at->scale, column = at->left + (size_t)x * at->scale;
        *image++ = (float)pixels[(row * width + column) * (size_t)channels + (size_t)c] / 255;
      }
}

static json_t *cut(const uint8_t *pixels, const fovea_picture_info *info, const int dims[3], size_t pairs,
                   size_t most) {
  const sprite_source of = {.channels = info->channels, .height = dims[1], .width = dims[2]};
  const size_t height = (size_t)info->height, width = (size_t)info->width;
  grid_place at;
  sprite s = {0};
  while (pairs > 0 && !grid_find(height, width, dims[1], dims[2], PICTURES_PAIRS, 2 * pairs - 1, &at)) pairs--;
  if (pairs == 0 || info->alpha || sprite_begin(&s, &of, 2 * pairs, SPRITE_COLUMNS, most) != FOVEA_OK) return NULL;
  float *image = malloc((size_t)(info->channels * dims[1] * dims[2]) * sizeof *image);
  for (size_t i = 0; i < 2 * pairs && image; i++) {
    grid_find(height, width, dims[1], dims[2], PICTURES_PAIRS, i, &at);
    take(pixels, width, info->channels, &at, dims, image);
    sprite_put(&s, i, image);
  }
  json_t *json = image ? sprite_json(&s) : NULL;
  free(image);
  sprite_end(&s);
  return json;
}

enum { PAIRS_NAME = 64 };

static const char *pairs_name(int epoch, char name[PAIRS_NAME]) {
  snprintf(name, PAIRS_NAME, "reconstructions-epoch%03d.png", epoch);
  return name;
}

bool folder_has_pairs(const char *dir, int epoch) {
  char name[PAIRS_NAME];
  return folder_has(dir, pairs_name(epoch, name));
}

json_t *folder_pairs(const char *dir, int epoch, const int dims[3], size_t pairs, size_t most) {
  char name[PAIRS_NAME], path[RUN_PATH];
  fovea_picture_info info;
  uint8_t *pixels = NULL;
  json_t *json = NULL;
  if (!folder_has(dir, pairs_name(epoch, name)) || run_path(dir, name, path) != FOVEA_OK) return NULL;
  if (fovea_picture_look(path, name, &info) == FOVEA_OK && info.kind == FOVEA_PICTURE_PNG &&
      fovea_picture_read(path, &info, &pixels, NULL) == FOVEA_OK)
    json = cut(pixels, &info, dims, pairs, most);
  free(pixels);
  return json;
}
