#include "stats/sweep_design.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "graph/ops.h"
#include "stats/column.h"

static fovea_status no_memory(void) { return fovea_fail(FOVEA_NO_MEMORY, "design: no memory"); }

/* The words of a factor and the column of each; a word without one is the baseline of its factor. */
typedef struct level {
  const char *word, *column;
} level;

typedef struct factor {
  const level *levels;
  size_t count;
  bool carries_mean; /* every level has a column, and together they are the constant */
} factor;

static const level batchnorm_levels[] = {{"off", "BatchNorm"}, {"on", "BatchNorm"}};
static const level dropout_levels[] = {{"off", "Dropout"}, {"on", "Dropout"}};
static const level attention_levels[] = {
    {"none", ""}, {"spatial", "SpatialAttention"}, {"channel", "ChannelAttention"}, {"cbam", "CBAM"}};
static const level activation_levels[] = {/* but for the first, linear: a network of nothing else is linear */
#define X(name, NAME, moves_zero, ulp) {#name, "Activation_" #name},
                                          FOVEA_ACTIVATIONS(X)
#undef X
};
enum { ACTIVATION_LEVELS = sizeof activation_levels / sizeof *activation_levels - 1, MOST_LEVELS = ACTIVATION_LEVELS };

const char *const fovea_sweep_factors[FOVEA_SWEEP_FACTORS] = {"batchnorm", "dropout", "attention", "activation"};
static const factor factors[FOVEA_SWEEP_FACTORS] = {{batchnorm_levels, 2, false},
                                                    {dropout_levels, 2, false},
                                                    {attention_levels, 4, false},
                                                    {activation_levels + 1, ACTIVATION_LEVELS, true}};

bool fovea_table_is_sweep(const fovea_table *table) {
  size_t column;
  if (!table || fovea_table_check(table)) return false;
  for (size_t i = 0; i < FOVEA_SWEEP_FACTORS; i++)
    if (!fovea_column_find(table, fovea_sweep_factors[i], &column)) return false;
  return fovea_column_find(table, "test_loss", &column);
}

bool fovea_sweep_measures(const char *name) {
  static const char *const names[] = {"config",     "seed",    "test_loss",    "test_bce", "test_kl",
                                      "parameters", "seconds", "images_per_s", "run"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp(name, names[i]) == 0) return true;
  return false;
}

const fovea_sweep_number fovea_sweep_numbers[FOVEA_SWEEP_NUMBERS] = {
    {"arch", false}, {"depth", false},       {"latent", false},   {"kernel", false},
    {"kl", true},    {"bn-momentum", false}, {"epochs", false},   {"batch", false},
    {"lr", true},    {"min-lr", true},       {"shift", false},    {"fill", false},
    {"flip", false}, {"crop", false},        {"contrast", false}, {"brightness", false}};

bool fovea_sweep_is_factor(const char *name, bool *ratio) {
  if (ratio) *ratio = false;
  for (size_t i = 0; i < FOVEA_SWEEP_FACTORS; i++)
    if (strcmp(name, fovea_sweep_factors[i]) == 0) return true;
  for (size_t i = 0; i < FOVEA_SWEEP_NUMBERS; i++) {
    if (strcmp(name, fovea_sweep_numbers[i].name) != 0) continue;
    if (ratio) *ratio = fovea_sweep_numbers[i].ratio;
    return true;
  }
  return false;
}

static size_t level_of(const fovea_table *t, size_t row, size_t column, const factor *f) {
  size_t at = 0;
  while (at < f->count && strcmp(fovea_cell(t, row, column), f->levels[at].word) != 0) at++;
  return at;
}

/* How often each level occurs. */
static fovea_status count_levels(const fovea_table *t, size_t which, size_t *column, size_t seen[MOST_LEVELS]) {
  const factor *f = &factors[which];
  fovea_column_find(t, fovea_sweep_factors[which], column);
  memset(seen, 0, MOST_LEVELS * sizeof *seen);
  for (size_t i = 0; i < t->rows; i++) {
    const size_t at = level_of(t, i, *column, f);
    if (at == f->count) return fovea_cell_fail(t, i, *column, "is not one of this factor's words");
    seen[at]++;
  }
  return FOVEA_OK;
}

fovea_status fovea_sweep_check(const fovea_table *t) {
  size_t column, seen[MOST_LEVELS];
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < FOVEA_SWEEP_FACTORS && !status; i++) {
    fovea_column_kind kind = FOVEA_COLUMN_WORDS;
    fovea_column_find(t, fovea_sweep_factors[i], &column);
    if (factors[i].levels == dropout_levels) status = fovea_column_kind_of(t, column, &kind);
    if (!status && kind != FOVEA_COLUMN_NUMBERS) status = count_levels(t, i, &column, seen); /* else its rates */
  }
  return status;
}

/* Without x the columns are counted, with it they are made. */
static fovea_status add_column(fovea_design *d, const char *name, const factor *f, size_t word, const fovea_table *t,
                               size_t column, size_t *count) {
  const size_t j = (*count)++;
  if (!d->x) return FOVEA_OK;
  d->names[j] = strdup(name);
  if (!d->names[j]) return no_memory();
  for (size_t i = 0; i < d->n; i++) d->x[i * d->k + j] = f ? level_of(t, i, column, f) == word : 1;
  return FOVEA_OK;
}

static fovea_status add_factor(const fovea_table *t, size_t which, bool constant, fovea_design *d, size_t *count) {
  const factor *f = &factors[which];
  size_t column = 0, seen[MOST_LEVELS], different = 0;
  fovea_status status = count_levels(t, which, &column, seen);
  for (size_t at = 0; at < f->count; at++) different += seen[at] > 0;
  if (status || (different == 1 && (!f->carries_mean || constant))) return status;
  if (different == 1) return add_column(d, "const", NULL, 0, t, column, count);
  bool baseline = !f->carries_mean;
  for (size_t at = 0; at < f->count && !status; at++) {
    if (!seen[at]) continue;
    if (!baseline) status = add_column(d, f->levels[at].column, f, at, t, column, count);
    baseline = false;
  }
  return status;
}

fovea_status fovea_sweep_columns(const fovea_table *t, bool constant, fovea_design *d) {
  size_t column = 0;
  fovea_status status = FOVEA_OK;
  fovea_column_find(t, "activation", &column);
  constant = constant && fovea_column_varies(t, column);
  for (int pass = 0; pass < 2 && !status; pass++) {
    size_t count = 0;
    if (constant) status = add_column(d, "const", NULL, 0, t, 0, &count);
    for (size_t i = 0; i < FOVEA_SWEEP_FACTORS && !status; i++) status = add_factor(t, i, constant, d, &count);
    if (status || pass == 1) return status;
    d->k = count;
    d->names = calloc(count, sizeof *d->names);
    d->x = malloc(d->n * count * sizeof *d->x);
    if (!d->names || !d->x) return no_memory();
  }
  return status;
}
