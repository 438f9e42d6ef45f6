#include "draw/grid.h"

#include <math.h>
#include <png.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/file.h"

enum {
  TARGET_WIDTH = 900,
  PAIR_GAP = 3,  /* between an original and its reconstruction */
  GRID_GAP = 15, /* between pairs, between rows, and around the grid */
  PAPER = 255,
  LARGEST_SIDE = 1000000 /* what libpng writes, and reads, unless it is told otherwise */
};

typedef struct grid {
  int channels, height, width; /* of an image */
  int shown;                   /* of the channels, the first: 1 or 3 */
  size_t rows, columns;        /* of images */
  bool paired;                 /* columns come in pairs, and gaps are drawn */
  size_t scale;                /* a value becomes scale x scale pixels */
  size_t pixels_high, pixels_wide;
  uint8_t *pixels; /* pixels_high x pixels_wide x shown */
} grid;

static size_t gaps_before_column(const grid *g, size_t column) {
  return g->paired ? (column / 2 + 1) * GRID_GAP + (column + 1) / 2 * PAIR_GAP : 0;
}

static size_t gaps_before_row(const grid *g, size_t row) { return g->paired ? (row + 1) * GRID_GAP : 0; }

/* Gaps before the column after the last one are all the gaps there are: columns is even where there are any. */
static fovea_status lay_out(grid *g) {
  if (g->rows > LARGEST_SIDE || g->columns > LARGEST_SIDE || g->height > LARGEST_SIDE || g->width > LARGEST_SIDE)
    return fovea_fail(FOVEA_INVALID, "picture grid: %zu x %zu images of %d x %d are too many for one PNG", g->rows,
                      g->columns, g->height, g->width);
  const size_t gaps_wide = gaps_before_column(g, g->columns);
  const size_t images_wide = g->columns * (size_t)g->width;
  g->scale = gaps_wide < TARGET_WIDTH ? (TARGET_WIDTH - gaps_wide + images_wide / 2) / images_wide : 1;
  if (g->scale == 0) g->scale = 1;
  g->pixels_wide = images_wide * g->scale + gaps_wide;
  g->pixels_high = g->rows * (size_t)g->height * g->scale + gaps_before_row(g, g->rows);
  if (g->pixels_wide > LARGEST_SIDE || g->pixels_high > LARGEST_SIDE ||
      g->pixels_high > INT32_MAX / (g->pixels_wide * (size_t)g->shown))
    return fovea_fail(FOVEA_INVALID, "picture grid: %zu x %zu pixels are too many for one PNG", g->pixels_wide,
                      g->pixels_high);
  return FOVEA_OK;
}

static void fill_square(grid *g, size_t y, size_t x, int channel, uint8_t value) {
  const size_t channels = (size_t)g->shown;
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
        if (c >= g->shown) continue;
        fill_square(g, top + (size_t)h * g->scale, left + (size_t)w * g->scale, c,
                    (uint8_t)lrintf(255 * fminf(fmaxf(value, 0), 1)));
      }
  return FOVEA_OK;
}

static fovea_status save(const grid *g, const char *path) {
  png_image image = {.version = PNG_IMAGE_VERSION,
                     .width = (png_uint_32)g->pixels_wide,
                     .height = (png_uint_32)g->pixels_high,
                     .format = g->shown == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY};
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  uint8_t *png = malloc(size);
  if (png == NULL) return fovea_fail(FOVEA_NO_MEMORY, "picture grid: no memory for a PNG of up to %zu bytes", size);
  fovea_status status = png_image_write_to_memory(&image, png, &size, 0, g->pixels, 0, NULL)
                            ? fovea_file_write(path, png, size)
                            : fovea_fail(FOVEA_NO_MEMORY, "picture grid: %zu x %zu pixels as a PNG: %s", g->pixels_wide,
                                         g->pixels_high, image.message);
  free(png);
  return status;
}

static fovea_status start(grid *g) {
  if (g->channels < 1)
    return fovea_fail(FOVEA_INVALID, "picture grid: images have %d channels, expected at least 1", g->channels);
  g->shown = g->channels >= 3 ? 3 : 1;
  if (g->height < 1 || g->width < 1 || g->rows < 1 || g->columns < 1)
    return fovea_fail(FOVEA_INVALID, "picture grid: %zu x %zu images of %d x %d pixels, expected at least one of each",
                      g->rows, g->columns, g->height, g->width);
  const fovea_status status = lay_out(g);
  if (status != FOVEA_OK) return status;
  const size_t bytes = g->pixels_high * g->pixels_wide * (size_t)g->shown;
  g->pixels = malloc(bytes);
  if (g->pixels == NULL) return fovea_fail(FOVEA_NO_MEMORY, "picture grid: no memory for %zu bytes", bytes);
  memset(g->pixels, PAPER, bytes);
  return FOVEA_OK;
}

fovea_status grid_pairs(const char *path, const float *originals, const float *reconstructions, size_t count,
                        int channels, int height, int width, int pairs_a_row) {
  if (pairs_a_row < 1)
    return fovea_fail(FOVEA_INVALID, "picture grid: %d pairs a row, expected at least one", pairs_a_row);
  const size_t pairs = (size_t)pairs_a_row < count ? (size_t)pairs_a_row : count;
  grid g = {.channels = channels, .height = height, .width = width, .columns = 2 * pairs, .paired = true};
  g.rows = count == 0 ? 0 : (count - 1) / pairs + 1;
  fovea_status status = start(&g);
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

fovea_status grid_tiles(const char *path, const float *images, size_t rows, size_t columns, int channels, int height,
                        int width) {
  grid g = {.channels = channels, .height = height, .width = width, .rows = rows, .columns = columns};
  fovea_status status = start(&g);
  for (size_t i = 0; status == FOVEA_OK && i < rows * columns; i++) {
    const size_t offset = i * (size_t)channels * (size_t)height * (size_t)width;
    status = draw_image(&g, i / columns, i % columns, images + offset, "image", i);
  }
  if (status == FOVEA_OK) status = save(&g, path);
  free(g.pixels);
  return status;
}
