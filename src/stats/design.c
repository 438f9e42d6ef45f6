#include <ctype.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/fail.h"
#include "fovea/stats.h"
#include "stats/coding.h"
#include "stats/column.h"
#include "stats/complete.h"
#include "stats/predictors.h"
#include "stats/sweep_design.h"
#include "stats/table.h"
#include "stats/terms.h"

static const size_t most_values = (size_t)1 << 28;

static fovea_status no_memory(void) { return fovea_fail(FOVEA_NO_MEMORY, "design: no memory"); }

/* --- columns of x ------------------------------------------------------------------------------------------------ */

/* statsmodels.tools.add_constant(prepend=True, has_constant='skip'); a factor's only level is a constant too. */
static fovea_status settle_constant(const fovea_predictors *p) {
  fovea_design *d = p->design;
  d->constant = p->options->constant || p->sweep;
  for (size_t i = 0; i < d->term_count && d->constant; i++) {
    const fovea_design_variable *v = &d->variables[d->terms[i].variables[0]];
    d->constant =
        d->terms[i].order > 1 || !(fovea_variable_is_constant(v, d->n) || (v->degree == 0 && v->level_count == 1));
    if (!d->constant)
      return fovea_design_remark(d, "no column of ones is added: %s is the same in every row, and is the constant",
                                 v->name);
  }
  return FOVEA_OK;
}

static bool is_taken(const fovea_design *d, const fovea_table *t, size_t j, const char *name) {
  size_t column;
  for (size_t i = 0; i < j; i++)
    if (strcmp(d->names[i], name) == 0) return true;
  return t && fovea_column_find(t, name, &column);
}

/* Takes `name` over; if it is made and another column has it, it gets a number. */
static fovea_status set_name(fovea_design *d, const fovea_table *t, size_t j, char *name, bool made) {
  if (!name) return no_memory();
  d->names[j] = name;
  if (!is_taken(d, made ? t : NULL, j, name)) return FOVEA_OK;
  const size_t size = strlen(name) + 24;
  char *numbered = malloc(size);
  if (!numbered) return no_memory();
  size_t number = 2;
  do snprintf(numbered, size, "%s_%zu", name, number++);
  while (is_taken(d, t, j, numbered));
  free(name);
  d->names[j] = numbered;
  return FOVEA_OK;
}

static bool is_column_itself(const fovea_design *d, const fovea_design_term *t, size_t column) {
  const fovea_design_variable *v = &d->variables[t->variables[0]];
  return t->order == 1 && column == 0 && (v->degree > 0 || v->is_switch);
}

static fovea_status name_columns(fovea_design *d, const fovea_table *t) {
  fovea_status status = d->constant ? set_name(d, t, 0, strdup("const"), true) : FOVEA_OK;
  if (d->constant && !status && strcmp(d->names[0], "const") != 0)
    status = fovea_design_remark(d, "the column of ones is called %s, since the table has a column const", d->names[0]);
  for (size_t i = 0; i < d->term_count; i++)
    for (size_t c = 0; c < d->terms[i].count && !status; c++) {
      const fovea_design_term *term = &d->terms[i];
      status = set_name(d, t, term->first + c, fovea_coding_name(d, term, c), !is_column_itself(d, term, c));
    }
  return status;
}

static fovea_status count_columns(fovea_design *d, const fovea_table *t) {
  d->k = d->constant;
  for (size_t i = 0; i < d->term_count; i++) {
    d->terms[i].first = d->k;
    if (d->terms[i].count > most_values / d->n - d->k) {
      const fovea_design_variable *v = &d->variables[d->terms[i].variables[0]];
      return fovea_fail(FOVEA_INVALID, "the column %s makes x larger than 2^28 values: it has %zu words in %zu rows",
                        d->terms[i].name, v->level_count, t->rows);
    }
    d->k += d->terms[i].count;
  }
  return FOVEA_OK;
}

/* Powers, or numbers that a double rounds. */
static bool has_low_parts(const fovea_design *d) {
  for (size_t i = 0; i < d->variable_count; i++)
    if (d->variables[i].degree > 1 || d->variables[i].low) return true;
  return false;
}

static fovea_status make_columns(const fovea_predictors *p) {
  fovea_design *d = p->design;
  fovea_status status = settle_constant(p);
  if (!status) status = count_columns(d, p->table);
  if (status) return status;
  const size_t size = d->n * d->k * sizeof *d->x;
  d->names = calloc(d->k, sizeof *d->names);
  d->x = malloc(size);
  d->x_low = has_low_parts(d) ? malloc(size) : NULL;
  if (!d->names || !d->x || (has_low_parts(d) && !d->x_low)) return no_memory();
  fovea_coding_matrix(d, FOVEA_BY_TREATMENT, d->x, d->x_low);
  return name_columns(d, p->table);
}

/* --- the response ------------------------------------------------------------------------------------------------ */

/* "log_y", "ln(y)", "log10 y", and no "login" */
static bool is_called_logarithm(const char *name) {
  const size_t length = strncasecmp(name, "log", 3) == 0 ? 3 : strncasecmp(name, "ln", 2) == 0 ? 2 : 0;
  return length > 0 && name[length] && !isalpha((unsigned char)name[length]);
}

static fovea_status take_logarithms(const fovea_table *t, size_t column, fovea_design *d) {
  for (size_t i = 0; i < d->n; i++) {
    if (!(d->y[i] > 0)) return fovea_cell_fail(t, i, column, "has no logarithm");
    d->y[i] = log(d->y[i]);
  }
  free(d->y_low); /* the logarithm itself is a double's */
  d->y_low = NULL;
  const char *name = t->names[column];
  if (!is_called_logarithm(name)) return FOVEA_OK;
  return fovea_design_remark(d, "%s is called a logarithm, and is taken the logarithm of once more", name);
}

static fovea_status read_response(const fovea_predictors *p) {
  const fovea_table *t = p->table;
  fovea_design *d = p->design;
  const char *name = t->names[p->response];
  const size_t size = strlen(name) + 6;
  bool varies = false;
  d->y = malloc(d->n * sizeof *d->y);
  d->response = malloc(size);
  if (!d->y || !d->response) return no_memory();
  snprintf(d->response, size, p->options->log ? "log(%s)" : "%s", name);
  fovea_status status = fovea_column_numbers(t, p->response, d->y, &d->y_low, &d->rounded);
  if (!status && p->options->log) status = take_logarithms(t, p->response, d);
  if (status) return fovea_fail_in(status, "the response %s", name);
  for (size_t i = 1; i < d->n; i++) varies = varies || d->y[i] != d->y[0];
  if (varies) return FOVEA_OK;
  return fovea_fail(FOVEA_INVALID, "the response %s is %s in every row; there is nothing to explain", name,
                    fovea_cell(t, 0, p->response));
}

static fovea_status find_response(const fovea_table *t, const char *name, bool sweep, size_t *response) {
  *response = t->columns - 1;
  if (!name && !sweep) return FOVEA_OK;
  return fovea_column_require(t, name ? name : "test_loss", response);
}

/* --- clusters ---------------------------------------------------------------------------------------------------- */

static fovea_status read_clusters(const fovea_predictors *p) {
  fovea_design *d = p->design;
  fovea_design_variable v = {0};
  size_t column = 0;
  fovea_status status = fovea_column_require(p->table, p->options->cluster, &column);
  if (!status && column == p->response)
    status = fovea_fail(FOVEA_INVALID, "the response %s is the cluster", p->options->cluster);
  if (!status) status = fovea_column_factor(p->table, column, &v);
  if (!status && v.level_count < 2)
    status = fovea_fail(FOVEA_INVALID, "the column %s is the same in every row; clusters have to be two or more",
                        p->options->cluster);
  d->clusters = v.at;
  d->cluster_count = v.level_count;
  for (size_t l = 0; l < v.level_count; l++) free(v.levels[l]);
  free(v.levels);
  free(v.name);
  return status;
}

/* --- the whole --------------------------------------------------------------------------------------------------- */

static fovea_status build(const fovea_table *t, const fovea_design_options *o, fovea_design *d) {
  const bool own = fovea_table_is_sweep(t) && !o->columns && !o->terms;
  const bool extra = o->block || o->power_count || o->baseline_count || o->categorical_count;
  fovea_predictors p = {
      .table = t, .options = o, .design = d, .sweep = own && !o->all_levels, .of_sweep = fovea_table_is_sweep(t)};
  d->n = t->rows;
  fovea_status status = find_response(t, o->response, fovea_table_is_sweep(t), &p.response);
  if (!status && own && o->all_levels && extra)
    status = fovea_fail(FOVEA_INVALID,
                        "all levels of a sweep are the original experiment's design, which has no "
                        "blocks, baselines, powers or categorical columns; name the columns");
  if (!status && own && o->all_levels) status = fovea_sweep_columns(t, o->constant, d);
  if (!status && !(own && o->all_levels)) status = fovea_predictors_add(&p);
  if (!status && !(own && o->all_levels)) status = make_columns(&p);
  if (!status && o->cluster) status = read_clusters(&p);
  return status ? status : read_response(&p);
}

static fovea_status check_list(const char *what, const char *const *items, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (!items || !items[i]) return fovea_fail(FOVEA_INVALID, "design: %s %zu of the options is NULL", what, i);
  return FOVEA_OK;
}

static fovea_status check_options(const fovea_design_options *o) {
  fovea_status status = check_list("column", o->columns, o->column_count);
  if (!status) status = check_list("term", o->terms, o->term_count);
  if (!status) status = check_list("baseline", o->baselines, o->baseline_count);
  if (!status) status = check_list("first level", o->first_levels, o->first_level_count);
  if (!status) status = check_list("categorical", o->categorical, o->categorical_count);
  return status ? status : check_list("power", o->powers, o->power_count);
}

/* The same of the rows without missing values. */
static fovea_status build_complete(const fovea_table *t, const fovea_design_options *o, fovea_design *d) {
  fovea_table complete;
  size_t response, dropped = 0;
  char *where = NULL;
  fovea_status status = find_response(t, o->response, fovea_table_is_sweep(t), &response);
  if (!status) status = fovea_complete_rows(t, o, response, &complete, &dropped, &where);
  if (!status) status = build(&complete, o, d);
  if (!status && dropped > 0)
    status = fovea_design_remark(d, "%zu of %zu rows %s a missing value and %s left out: %s", dropped, t->rows,
                                 dropped == 1 ? "has" : "have", dropped == 1 ? "is" : "are", where);
  free(where);
  fovea_complete_free(&complete, dropped);
  return status;
}

fovea_status fovea_design_from_table(const fovea_table *table, const fovea_design_options *options,
                                     fovea_design **design) {
  static const fovea_design_options none = {0};
  if (!table || !design) return fovea_fail_null(table ? "design" : "table");
  if (fovea_table_check(table) || (options && check_options(options))) return FOVEA_INVALID;
  fovea_design *d = calloc(1, sizeof *d);
  if (!d) return no_memory();
  const fovea_design_options *o = options ? options : &none;
  fovea_status status = o->missing == FOVEA_MISSING_DROP ? build_complete(table, o, d) : build(table, o, d);
  if (status) {
    fovea_design_destroy(d);
    return status;
  }
  *design = d;
  return FOVEA_OK;
}

static void free_variables(fovea_design *d) {
  for (size_t i = 0; i < d->variable_count; i++) {
    fovea_design_variable *v = &d->variables[i];
    for (size_t l = 0; l < v->level_count && v->levels; l++) free(v->levels[l]);
    free(v->levels);
    free(v->name);
    free(v->values);
    free(v->low);
    free(v->at);
  }
  for (size_t i = 0; i < d->term_count; i++) fovea_term_free(&d->terms[i]);
  free(d->variables);
  free(d->terms);
}

void fovea_design_destroy(fovea_design *design) {
  if (!design) return;
  for (size_t i = 0; i < design->k && design->names; i++) free(design->names[i]);
  free_variables(design);
  free(design->names);
  free(design->response);
  free(design->rounded);
  free(design->remarks);
  free(design->clusters);
  free(design->y);
  free(design->y_low);
  free(design->x);
  free(design->x_low);
  free(design);
}
