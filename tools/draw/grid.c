#include "draw/grid.h"

#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/file.h"
#include "draw/png.h"

enum {
  TARGET_WIDTH = 900,
  PAIR_GAP = 3,  /* between an original and its reconstruction */
  GRID_GAP = 15, /* between pairs, between rows, and around the grid */
  PAPER = 255
};

typedef struct grid {
  int channels, height, width; /* of an image */
  grid_channels shown;
  size_t rows, columns; /* of images */
  bool paired;          /* columns come in pairs, and gaps are drawn */
  bool apart;           /* so are they between all images, and a large one after the first row */
  size_t scale;         /* a value becomes scale x scale pixels */
  size_t pixels_high, pixels_wide;
  uint8_t *pixels; /* pixels_high x pixels_wide x shown.count */
} grid;

static size_t gaps_before_column(const grid *g, size_t column) {
  if (g->apart) return (column + 1) * PAIR_GAP;
  return g->paired ? (column / 2 + 1) * GRID_GAP + (column + 1) / 2 * PAIR_GAP : 0;
}

static size_t gaps_before_row(const grid *g, size_t row) {
  if (g->apart) return (row + 1) * PAIR_GAP + (row > 0 ? GRID_GAP - PAIR_GAP : 0);
  return g->paired ? (row + 1) * GRID_GAP : 0;
}

/* Gaps before the column after the last one are all the gaps there are: columns is even where there are any. */
static fovea_status lay_out(grid *g) {
  /* stb_image_write counts bytes in int; below these bounds no product here overflows size_t. */
  if (g->rows > INT_MAX / (size_t)g->height || g->columns > INT_MAX / (size_t)g->width ||
      g->rows > INT_MAX / GRID_GAP || g->columns > INT_MAX / GRID_GAP)
    return fovea_fail(FOVEA_INVALID, "picture grid: %zu x %zu images of %d x %d are too many for one PNG", g->rows,
                      g->columns, g->height, g->width);
  const size_t gaps_wide = gaps_before_column(g, g->columns);
  const size_t images_wide = g->columns * (size_t)g->width;
  g->scale = gaps_wide < TARGET_WIDTH ? (TARGET_WIDTH - gaps_wide + images_wide / 2) / images_wide : 1;
  if (g->scale == 0) g->scale = 1;
  g->pixels_wide = images_wide * g->scale + gaps_wide;
  g->pixels_high = g->rows * (size_t)g->height * g->scale + gaps_before_row(g, g->rows);
  if (g->pixels_high > (size_t)INT_MAX / (g->pixels_wide * (size_t)g->shown.count + 1))
    return fovea_fail(FOVEA_INVALID, "picture grid: %zu x %zu pixels are too many for one PNG", g->pixels_wide,
                      g->pixels_high);
  return FOVEA_OK;
}

static void fill_square(grid *g, size_t y, size_t x, int channel, uint8_t value) {
  const size_t channels = (size_t)g->shown.count;
  for (size_t i = y; i < y + g->scale; i++)
    for (size_t j = x; j < x + g->scale; j++) g->pixels[(i * g->pixels_wide + j) * channels + (size_t)channel] = value;
}

static fovea_status draw_image(grid *g, size_t row, size_t column, const float *image, const char *what, size_t index) {
  const size_t top = gaps_before_row(g, row) + row * (size_t)g->height * g->scale;
  const size_t left = gaps_before_column(g, column) + column * (size_t)g->width * g->scale;
  for (int c = 0; c < g->channels; c++)
    for (int h = 0; h < g->height; h++)
      for (int w = 0; w < g->width; w++) {
        const float value = *image++;
        if (isnan(value))
          return fovea_fail(FOVEA_MISMATCH, "picture grid: %s %zu is NaN at channel %d, row %d, column %d", what, index,
                            c, h, w);
        for (int k = 0; k < g->shown.count; k++)
          if (g->shown.of[k] == c)
            fill_square(g, top + (size_t)h * g->scale, left + (size_t)w * g->scale, k,
                        (uint8_t)lrintf(255 * fminf(fmaxf(value, 0), 1)));
      }
  return FOVEA_OK;
}

static fovea_status save(const grid *g, const char *path) {
  uint8_t *png = NULL;
  size_t size = 0;
  fovea_status status = png_encode(g->pixels, g->pixels_high, g->pixels_wide, g->shown.count, &png, &size);
  if (status == FOVEA_OK) status = fovea_file_write(path, png, size);
  free(png);
  return status;
}

static fovea_status choose(grid *g, const grid_channels *shown) {
  g->shown = shown != NULL ? *shown : (grid_channels){g->channels >= 3 ? 3 : 1, {0, 1, 2}};
  if (g->shown.count != 1 && g->shown.count != 3)
    return fovea_fail(FOVEA_INVALID, "picture grid: %d channels to show, expected 1 or 3", g->shown.count);
  for (int k = 0; k < g->shown.count; k++)
    if (g->shown.of[k] < 0 || g->shown.of[k] >= g->channels)
      return fovea_fail(FOVEA_INVALID, "picture grid: channel %d of %d is to be shown", g->shown.of[k] + 1,
                        g->channels);
  return FOVEA_OK;
}

static fovea_status start(grid *g, const grid_channels *shown) {
  if (g->channels < 1)
    return fovea_fail(FOVEA_INVALID, "picture grid: images have %d channels, expected at least 1", g->channels);
  if (g->height < 1 || g->width < 1 || g->rows < 1 || g->columns < 1)
    return fovea_fail(FOVEA_INVALID, "picture grid: %zu x %zu images of %d x %d pixels, expected at least one of each",
                      g->rows, g->columns, g->height, g->width);
  fovea_status status = choose(g, shown);
  if (status == FOVEA_OK) status = lay_out(g);
  if (status != FOVEA_OK) return status;
  const size_t bytes = g->pixels_high * g->pixels_wide * (size_t)g->shown.count;
  g->pixels = malloc(bytes);
  if (g->pixels == NULL) return fovea_fail(FOVEA_NO_MEMORY, "picture grid: no memory for %zu bytes", bytes);
  memset(g->pixels, PAPER, bytes);
  return FOVEA_OK;
}

fovea_status grid_pairs(const char *path, const float *originals, const float *reconstructions, size_t count,
                        int channels, int height, int width, int pairs_a_row, const grid_channels *shown) {
  if (pairs_a_row < 1)
    return fovea_fail(FOVEA_INVALID, "picture grid: %d pairs a row, expected at least one", pairs_a_row);
  const size_t pairs = (size_t)pairs_a_row < count ? (size_t)pairs_a_row : count;
  grid g = {.channels = channels, .height = height, .width = width, .columns = 2 * pairs, .paired = true};
  g.rows = count == 0 ? 0 : (count - 1) / pairs + 1;
  fovea_status status = start(&g, shown);
  for (size_t i = 0; status == FOVEA_OK && i < count; i++) {
    const size_t offset = i * (size_t)channels * (size_t)height * (size_t)width;
    status = draw_image(&g, i / pairs, i % pairs * 2, originals + offset, "original", i);
    if (status == FOVEA_OK)
      status = draw_image(&g, i / pairs, i % pairs * 2 + 1, reconstructions + offset, "reconstruction", i);
  }
  if (status == FOVEA_OK) status = save(&g, path);
  free(g.pixels);
  return status;
}

static fovea_status draw_all(grid *g, const char *path, const float *images, const grid_channels *shown) {
  fovea_status status = start(g, shown);
  for (size_t i = 0; status == FOVEA_OK && i < g->rows * g->columns; i++) {
    const size_t offset = i * (size_t)g->channels * (size_t)g->height * (size_t)g->width;
    status = draw_image(g, i / g->columns, i % g->columns, images + offset, "image", i);
  }
  if (status == FOVEA_OK) status = save(g, path);
  free(g->pixels);
  return status;
}

fovea_status grid_variants(const char *path, const float *images, size_t rows, size_t columns, int channels, int height,
                           int width, const grid_channels *shown) {
  grid g = {.channels = channels, .height = height, .width = width, .rows = rows, .columns = columns, .apart = true};
  return draw_all(&g, path, images, shown);
}

bool grid_find(size_t picture_height, size_t picture_width, int height, int width, int pairs_a_row, size_t index,
               grid_place *place) {
  const size_t row = index / (size_t)(2 * pairs_a_row), column = index % (size_t)(2 * pairs_a_row);
  grid g = {.channels = 1, .height = height, .width = width, .rows = row + 1, .paired = true, .shown = {1, {0}}};
  for (int pairs = pairs_a_row; pairs > 0; pairs--) { /* a picture of fewer has one row */
    g.columns = 2 * (size_t)pairs;
    if (lay_out(&g) != FOVEA_OK || g.pixels_wide != picture_width || picture_height < GRID_GAP) continue;
    const size_t row_height = (size_t)height * g.scale + GRID_GAP, rows = (picture_height - GRID_GAP) / row_height;
    if (rows * row_height + GRID_GAP != picture_height || (pairs < pairs_a_row && rows > 1)) continue;
    if (column >= g.columns || row >= rows) return false;
    *place = (grid_place){.top = gaps_before_row(&g, row) + row * (size_t)height * g.scale,
                          .left = gaps_before_column(&g, column) + column * (size_t)width * g.scale,
                          .scale = g.scale};
    return true;
  }
  return false;
}

fovea_status grid_tiles(const char *path, const float *images, size_t rows, size_t columns, int channels, int height,
                        int width, const grid_channels *shown) {
  grid g = {.channels = channels, .height = height, .width = width, .rows = rows, .columns = columns};
  return draw_all(&g, path, images, shown);
}
