#include "experiment/fit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "draw/plots.h"
#include "stats/notes.h"

fovea_status fit_plot(const char *path, const fovea_ols *ols) {
  plot_coefficient *rows = malloc(ols->k * sizeof *rows);
  if (!rows) return fovea_fail(FOVEA_NO_MEMORY, "no memory for a plot of %zu coefficients", ols->k);
  for (size_t i = 0; i < ols->k; i++)
    rows[i] = (plot_coefficient){.name = ols->names[i],
                                 .value = ols->coefficients[i],
                                 .low = ols->low[i],
                                 .high = ols->high[i],
                                 .p = ols->p_values[i]};
  char title[200];
  snprintf(title, sizeof title, "%.150s: coefficients and 95%% intervals", ols->response);
  fovea_status status = plot_coefficients(path, title, rows, ols->k);
  free(rows);
  return status;
}

/* What the summary has as a note, for whoever reads no summary. */
static void tell_aliases(remarks *said, const fovea_ols *ols) {
  char text[FOVEA_ALIASES_SIZE];
  if (ols->alias_count == 0) return;
  fovea_ols_list_aliases(ols, text);
  remarks_tell(said, "%zu of %zu columns %s aliased and without an estimate: %s", ols->alias_count, ols->k,
               ols->alias_count == 1 ? "is" : "are", text);
}

static int by_size(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static size_t count_values(const fovea_design_variable *v, size_t n) {
  double *values = malloc(n * sizeof *values);
  size_t count = values ? 1 : 0;
  if (!values) return 0;
  memcpy(values, v->values, n * sizeof *values);
  qsort(values, n, sizeof *values, by_size);
  for (size_t i = 1; i < n; i++) count += values[i] > values[i - 1];
  free(values);
  return count;
}

/* m values tell powers apart up to m - 1: a lower one is aliased for want of digits and not of values. */
static void tell_powers(remarks *said, const fovea_design *d, const fovea_ols *ols) {
  for (size_t t = 0; t < d->term_count; t++) {
    const fovea_design_term *term = &d->terms[t];
    const fovea_design_variable *v = &d->variables[term->variables[0]];
    size_t power = 2;
    if (term->order > 1 || v->degree < 2) continue;
    while (power <= v->degree && !ols->aliased[term->first + power - 1]) power++;
    const size_t values = power <= v->degree ? count_values(v, d->n) : 0;
    if (power < values)
      remarks_tell(
          said,
          "from %s^%zu on, powers are nearer to combinations of lower ones than the rank's tolerance, and have "
          "no estimate, though the %zu values of %s tell them apart: subtract its mean from it for higher ones",
          v->name, power, values, v->name);
  }
}

/* The response of a sweep's own design is what its sentences are about. */
static void tell_design(remarks *said, const fovea_table *table, const fovea_design *design,
                        const fovea_design_options *o) {
  const bool own = fovea_table_is_sweep(table) && (!o || !(o->columns || o->terms || o->all_levels));
  if (o && !o->response && !own) remarks_tell(said, "the response is %s; --response names another", design->response);
  if (design->rounded)
    remarks_tell(said, "%s is rounded, as any integer with more digits than double precision has", design->rounded);
  remarks_tell_lines(said, design->remarks);
}

/* A row of a sweep's table: what it trained, and the line where it stands. */
typedef struct trained {
  char what[160]; /* "elu-spatial-bn-drop-s768 elu spatial on on 768" */
  size_t line;
} trained;

static int by_what(const void *a, const void *b) {
  const trained *x = a, *y = b;
  const int order = strcmp(x->what, y->what);
  return order != 0 ? order : (x->line > y->line) - (x->line < y->line);
}

static trained trained_in(const fovea_table *t, size_t row) {
  static const char *const keys[] = {"config", "activation", "attention", "batchnorm", "dropout", "seed"};
  trained r = {.line = t->lines[row]};
  size_t used = 0;
  for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
    for (size_t c = 0; c < t->columns && used < sizeof r.what; c++) {
      if (strcmp(t->names[c], keys[k]) == 0)
        used += (size_t)snprintf(r.what + used, sizeof r.what - used, "%s%s", used > 0 ? " " : "",
                                 t->cells[row * t->columns + c]);
    }
  }
  return r;
}

static bool has_column(const fovea_table *t, const char *name) {
  for (size_t c = 0; c < t->columns; c++) {
    if (strcmp(t->names[c], name) == 0) return true;
  }
  return false;
}

/* A sweep trains a configuration with a seed once; twice in the table it would count double. */
static fovea_status check_once(const fovea_table *t) {
  if (!fovea_table_is_sweep(t) || !has_column(t, "config") || !has_column(t, "seed")) return FOVEA_OK;
  trained *rows = malloc(t->rows * sizeof *rows);
  if (!rows) return fovea_fail(FOVEA_NO_MEMORY, "no memory for %zu lines", t->rows);
  for (size_t i = 0; i < t->rows; i++) rows[i] = trained_in(t, i);
  qsort(rows, t->rows, sizeof *rows, by_what);
  fovea_status status = FOVEA_OK;
  for (size_t i = 1; i < t->rows && !status; i++) {
    if (strcmp(rows[i].what, rows[i - 1].what) == 0)
      status = fovea_fail(FOVEA_INVALID, "lines %zu and %zu are both of %s, which would count twice; remove one",
                          rows[i - 1].line, rows[i].line, rows[i].what);
  }
  free(rows);
  return status;
}

fovea_status fit_file(const char *path, const fovea_table_options *reading, const fovea_design_options *options,
                      const fovea_ols_options *how, remarks *said, fovea_table **table, fovea_design **design,
                      fovea_ols **ols) {
  fovea_status status = fovea_table_read_as(path, reading, table);
  if (status) return status;
  fovea_design_options used = options ? *options : (fovea_design_options){0};
  if (!fovea_table_is_sweep(*table)) used.first_level_count = 0;
  remarks_tell_lines(said, (*table)->notes);
  status = check_once(*table);
  if (!status) status = fovea_design_from_table(*table, &used, design);
  if (!status) tell_design(said, *table, *design, options);
  if (!status) status = fovea_ols_fit_design(*design, how, ols);
  if (status) return fovea_fail_in(status, "%s", path);
  tell_aliases(said, *ols);
  tell_powers(said, *design, *ols);
  return FOVEA_OK;
}
