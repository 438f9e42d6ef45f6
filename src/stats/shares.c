/* The mean of y in each cell of the factorial, f, is a sum of functions of none, one, two, ... of its factors, each
 * with mean 0 over every factor that it has; they are orthogonal, and so the mean squares of those of one and of two
 * add up, with the rest, to f's variance. */
#include "stats/shares.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"

static const size_t most_cells = (size_t)1 << 20;

typedef struct grid {
  const fovea_design *d;
  const size_t *factors;
  size_t count, cells;
  double *f; /* cells */
} grid;

static size_t levels_of(const grid *g, size_t i) { return g->d->variables[g->factors[i]].level_count; }

/* The level of factor i in a cell; the last factor varies fastest. */
static size_t level_in(const grid *g, size_t cell, size_t i) {
  for (size_t j = g->count; j-- > i + 1;) cell /= levels_of(g, j);
  return cell % levels_of(g, i);
}

/* The means of the cells; false where one is empty. `rows`: cells, zero. */
static bool fill_cells(grid *g, size_t *rows) {
  for (size_t i = 0; i < g->d->n; i++) {
    size_t cell = 0;
    for (size_t j = 0; j < g->count; j++) cell = cell * levels_of(g, j) + g->d->variables[g->factors[j]].at[i];
    rows[cell]++;
    g->f[cell] += (g->d->y[i] - g->f[cell]) / (double)rows[cell];
  }
  for (size_t c = 0; c < g->cells; c++)
    if (rows[c] == 0) return false;
  return true;
}

/* The variance of f that errors of that deviation make. */
static double noise_of(const grid *g, const size_t *rows, double deviation) {
  double mean = 0; /* of the errors' variances in the cells */
  for (size_t c = 0; c < g->cells; c++) mean += deviation * deviation / (double)rows[c] / (double)g->cells;
  return mean * (1 - 1 / (double)g->cells);
}

/* Makes the mean of f 0 and returns its mean square. */
static double centre(grid *g) {
  double mean = 0, square = 0;
  for (size_t c = 0; c < g->cells; c++) mean += g->f[c] / (double)g->cells;
  for (size_t c = 0; c < g->cells; c++) {
    g->f[c] -= mean;
    square += g->f[c] * g->f[c] / (double)g->cells;
  }
  return square;
}

/* The mean square of f's means over all factors but i and j (i == j: but i). `means` has room for both's levels. */
static double mean_square(const grid *g, size_t i, size_t j, double *means) {
  const size_t inner = i == j ? 1 : levels_of(g, j), count = levels_of(g, i) * inner;
  double square = 0;
  for (size_t m = 0; m < count; m++) means[m] = 0;
  for (size_t c = 0; c < g->cells; c++) {
    const size_t at = level_in(g, c, i) * inner + (i == j ? 0 : level_in(g, c, j));
    means[at] += g->f[c] * (double)count / (double)g->cells;
  }
  for (size_t m = 0; m < count; m++) square += means[m] * means[m] / (double)count;
  return square;
}

static fovea_status add_share(fovea_analysis *a, const char *first, const char *second, double share) {
  const size_t size = strlen(first) + (second ? strlen(second) + 1 : 0) + 1;
  fovea_share *s = &a->shares[a->share_count];
  s->name = malloc(size);
  if (!s->name) return fovea_fail(FOVEA_NO_MEMORY, "shares: no memory");
  snprintf(s->name, size, "%s%s%s", first, second ? ":" : "", second ? second : "");
  s->share = share;
  a->share_count++;
  a->share_rest -= share;
  return FOVEA_OK;
}

static fovea_status split(grid *g, double *means, double *alone, double noise, fovea_analysis *a) {
  const double all = centre(g);
  fovea_status status = FOVEA_OK;
  if (!(all > 0)) return FOVEA_OK;
  a->share_rest = 1;
  a->share_noise = noise / all;
  for (size_t i = 0; i < g->count && !status; i++) {
    alone[i] = mean_square(g, i, i, means);
    status = add_share(a, g->d->variables[g->factors[i]].name, NULL, alone[i] / all);
  }
  for (size_t i = 0; i < g->count; i++)
    for (size_t j = i + 1; j < g->count && !status; j++) {
      const double both = fmax(mean_square(g, i, j, means) - alone[i] - alone[j], 0);
      status = add_share(a, g->d->variables[g->factors[i]].name, g->d->variables[g->factors[j]].name, both / all);
    }
  a->share_rest = fmax(a->share_rest, 0);
  return status;
}

static bool has_numbers(const fovea_design *d) {
  for (size_t v = 0; v < d->variable_count; v++)
    if (d->variables[v].degree > 0) return true;
  return false;
}

fovea_status fovea_shares_fill(const fovea_design *d, const size_t *factors, size_t count, double deviation,
                               fovea_analysis *a) {
  grid g = {.d = d, .factors = factors, .count = count, .cells = 1};
  for (size_t i = 0; i < count && g.cells <= most_cells; i++) g.cells *= levels_of(&g, i);
  if (count == 0 || g.cells > most_cells || g.cells > d->n || has_numbers(d)) return FOVEA_OK;
  g.f = calloc(2 * g.cells + count, sizeof *g.f);
  size_t *rows = calloc(g.cells, sizeof *rows);
  a->shares = calloc(count * (count + 1) / 2, sizeof *a->shares);
  fovea_status status = g.f && rows && a->shares ? FOVEA_OK : fovea_fail(FOVEA_NO_MEMORY, "shares: no memory");
  if (!status && fill_cells(&g, rows))
    status = split(&g, g.f + g.cells, g.f + 2 * g.cells, noise_of(&g, rows, deviation), a);
  free(g.f);
  free(rows);
  return status;
}
