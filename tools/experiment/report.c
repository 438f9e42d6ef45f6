#include "experiment/report.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "experiment/beside.h"
#include "experiment/fit.h"

static const char original_title[] = "The original experiment's table (--all-levels)";

/* --- fits -------------------------------------------------------------------------------------------------------- */

/* A sweep's own design was made. */
static bool is_own(const fovea_table *table, const fovea_design_options *o) {
  return fovea_table_is_sweep(table) && !o->columns && !o->terms && !o->all_levels;
}

static fovea_status fit_original(const fovea_table *table, const fovea_design_options *options, fovea_ols **ols) {
  const fovea_design_options all = {
      .response = options->response, .all_levels = true, .log = options->log, .missing = options->missing};
  fovea_design *design = NULL;
  fovea_status status = fovea_design_from_table(table, &all, &design);
  if (!status) status = fovea_ols_fit_design(design, NULL, ols);
  fovea_design_destroy(design);
  return status;
}

/* Whether no other factors than the original experiment's vary, and dropout is on or off and no rate. */
static bool is_original(const fovea_table *t, const fovea_design *d) {
  static const char *const names[] = {"activation", "attention", "batchnorm", "dropout", "seed"};
  for (size_t i = 0; i < d->variable_count; i++) {
    bool known = false;
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
      known = known || strcmp(d->variables[i].name, names[k]) == 0;
    if (!known) return false;
  }
  for (size_t j = 0; j < t->columns; j++)
    for (size_t i = 0; i < t->rows && strcmp(t->names[j], "dropout") == 0; i++)
      if (strcmp(t->cells[i * t->columns + j], "on") != 0 && strcmp(t->cells[i * t->columns + j], "off") != 0)
        return false;
  return true;
}

/* --- what a sweep's reader should know --------------------------------------------------------------------------- */

static int by_size(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* A loss far beyond the others makes every difference noise. */
static void tell_extreme(remarks *said, const fovea_table *t, const fovea_design *d) {
  static const double far = 10;
  double *sorted = malloc(d->n * sizeof *sorted);
  if (!sorted || t->rows != d->n) {
    free(sorted);
    return;
  }
  memcpy(sorted, d->y, d->n * sizeof *sorted);
  qsort(sorted, d->n, sizeof *sorted, by_size);
  const double median = sorted[d->n / 2];
  free(sorted);
  size_t config = 0;
  while (config < t->columns && strcmp(t->names[config], "config") != 0) config++;
  for (size_t i = 0; i < d->n; i++)
    if (median > 0 && d->y[i] > far * median)
      remarks_tell(said,
                   "line %zu%s%s: %s is %.4g where the median is %.4g; such a run is in the fit and hides what the "
                   "others say: fovea regress %s --log, or leave its line out",
                   t->lines[i], config < t->columns ? ", " : "",
                   config < t->columns ? t->cells[i * t->columns + config] : "", d->response, d->y[i], median,
                   said->path);
}

static void tell_sweep(remarks *said, const fovea_table *t, const fovea_design *d) {
  bool block = false;
  tell_extreme(said, t, d);
  for (size_t i = 0; i < d->variable_count; i++) {
    const fovea_design_variable *v = &d->variables[i];
    block = block || v->is_block;
    if ((strcmp(v->name, "kl") == 0 || strcmp(v->name, "log(kl)") == 0) && strcmp(d->response, "test_loss") == 0)
      remarks_tell(said, "kl is a part of test_loss itself; --response test_bce compares the reconstructions");
  }
  if (!block)
    remarks_tell(said, "with one seed what is called noise is what the factors do together; --seeds 3 or more tells");
}

static bool has_pair(const fovea_design *d, size_t a, size_t b) {
  bool one = false;
  for (size_t t = 0; t < d->term_count; t++) {
    const fovea_design_term *term = &d->terms[t];
    one = one || (term->order == 2 && ((term->variables[0] == a && term->variables[1] == b) ||
                                       (term->variables[0] == b && term->variables[1] == a)));
  }
  return one;
}

/* Pairs with numbers are tested where they are terms, and nowhere else. */
static void tell_untested(remarks *said, const fovea_design *d, const fovea_analysis *a) {
  fovea_text names = {0};
  bool untested = false;
  for (size_t i = 0; a && i < a->slope_count; i++) {
    const size_t number = a->slopes[i].variable;
    for (size_t j = 0; j < i; j++) untested = untested || !has_pair(d, number, a->slopes[j].variable);
    for (size_t v = 0; v < d->variable_count; v++)
      untested = untested || (d->variables[v].degree == 0 && !d->variables[v].is_block &&
                              d->variables[v].level_count > 1 && !has_pair(d, number, v));
    fovea_text_add(&names, i ? "," : "");
    fovea_text_add(&names, a->slopes[i].name);
  }
  if (untested && !names.failed)
    remarks_tell(said,
                 "pairs with numbers are tested only as terms, such as --terms 'a*b'; --categorical %s tests all as of "
                 "names",
                 names.bytes);
  said->kept.failed = said->kept.failed || names.failed;
  free(names.bytes);
}

/* Options that change nothing. */
static void tell_idle(const fovea_analysis_options *how, report *r) {
  bool many = false;
  const fovea_analysis *a = r->analysis;
  if (!how) return;
  for (size_t i = 0; a && i < a->factor_count; i++) many = many || a->factors[i].count > 2;
  for (size_t i = 0; a && i < a->slope_count; i++) many = many || a->slopes[i].values.count > 2;
  const bool means = a && (a->factor_count > 0 || a->slope_count > 0);
  const char *const options[] = {"--detect", "--power"};
  const bool given[] = {how->difference > 0, r->powered};
  for (int i = 0; i < 2; i++)
    if (given[i] && !means)
      remarks_tell(&r->said, "%s changes nothing%s", options[i],
                   a ? ": there is no factor whose differences it could be about" : " without --anova");
  if (r->adjusted && !many)
    remarks_tell(&r->said, a ? "--adjust changes nothing: no factor has more than one difference"
                             : "--adjust changes nothing without --anova");
}

fovea_status report_make(const char *path, const fovea_table_options *reading, const fovea_design_options *options,
                         const fovea_ols_options *errors, const fovea_analysis_options *how, report *r) {
  const bool alone = !r->left_out && strcmp(path, "-") != 0; /* not at the end of a sweep */
  fovea_table *table = NULL;
  fovea_design_options with_first = *options;
  beside b = {0};
  r->said.path = path;
  fovea_status status = alone ? beside_read(path, &b) : FOVEA_OK;
  if (alone) with_first.first_levels = b.first.items, with_first.first_level_count = b.first.count;
  if (!status) status = fit_file(path, reading, &with_first, errors, &r->said, &table, &r->design, &r->ols);
  const bool own = !status && is_own(table, options);
  if (!status && (own ? r->design->term_count > 0 : how && how->type > 0))
    status = fovea_analyze(r->design, r->ols, how, &r->analysis);
  if (!status && own && is_original(table, r->design)) status = fit_original(table, options, &r->original);
  if (status && r->ols) fovea_fail_in(status, "%s", path);
  if (!status && alone && fovea_table_is_sweep(table)) beside_tell(&b, table->rows, &r->said);
  if (!status && own) tell_sweep(&r->said, table, r->design);
  if (!status) tell_idle(how, r);
  if (!status) tell_untested(&r->said, r->design, r->analysis);
  fovea_table_destroy(table);
  beside_free(&b);
  return status;
}

void report_free(report *r) {
  fovea_analysis_destroy(r->analysis);
  fovea_ols_destroy(r->original);
  fovea_ols_destroy(r->ols);
  fovea_design_destroy(r->design);
  free(r->said.kept.bytes);
  json_decref(r->left_out);
  *r = (report){0};
}

/* --- text -------------------------------------------------------------------------------------------------------- */

/* Beside an analysis a saturated fit's summary would say nothing but 1, inf and nan. */
static fovea_status summary_text(const report *r, const fovea_ols *o, char **text) {
  fovea_text t = {0};
  if (!r->analysis || o->df_resid > 0) return fovea_ols_summary(o, text);
  fovea_text_print(&t,
                   "The fit is saturated: %zu observations for a rank of %zu leave nothing to tell errors from, and no "
                   "table of coefficients is printed.\n",
                   o->n, o->rank);
  if (t.failed) return fovea_fail(FOVEA_NO_MEMORY, "no memory for the text of a regression");
  *text = t.bytes;
  return FOVEA_OK;
}

static fovea_status plain_text(const report *r, char **text) {
  char *analysis = NULL, *summary = NULL, *original = NULL;
  fovea_text t = {0};
  fovea_status status = r->analysis ? fovea_analysis_text(r->analysis, r->ols, &analysis) : FOVEA_OK;
  if (!status) status = summary_text(r, r->ols, &summary);
  if (!status && r->original) status = summary_text(r, r->original, &original);
  if (!status && analysis) {
    char *first = remarks_text(&r->said); /* a summary alone stays as statsmodels has it */
    if (first) fovea_text_add(&t, first);
    t.failed = t.failed || r->said.kept.failed || (!first && r->said.kept.size > 0);
    free(first);
    fovea_text_add(&t, analysis);
    fovea_text_add(&t, "\n");
  }
  if (!status) fovea_text_add(&t, summary);
  if (!status && original) {
    fovea_text_add(&t, "\n");
    fovea_text_add(&t, original_title);
    fovea_text_add(&t, "\n\n");
    fovea_text_add(&t, original);
  }
  fovea_free(analysis);
  fovea_free(summary);
  fovea_free(original);
  if (!status && t.failed) status = fovea_fail(FOVEA_NO_MEMORY, "no memory for the text of a regression");
  if (status) free(t.bytes);
  if (!status) *text = t.bytes;
  return status;
}

/* Takes the JSON of one object into another. */
static fovea_status add_json(json_t *root, const char *key, char *text) {
  if (json_object_set_new(root, key, json_loads(text, 0, NULL)) == 0) return FOVEA_OK;
  return fovea_fail(FOVEA_NO_MEMORY, "no memory for the JSON of a regression");
}

static fovea_status json_text(const report *r, char **text) {
  char *fit = NULL, *analysis = NULL, *original = NULL, *dump = NULL;
  fovea_status status = fovea_ols_json(r->ols, &fit);
  if (!status && r->analysis) status = fovea_analysis_json(r->analysis, r->ols, &analysis);
  if (!status && r->original) status = fovea_ols_json(r->original, &original);
  json_t *root = status ? NULL : json_loads(fit, 0, NULL);
  if (root && (r->said.kept.failed || json_object_set_new(root, "remarks", remarks_json(&r->said)) != 0))
    status = fovea_fail(FOVEA_NO_MEMORY, "no memory for the JSON of a regression");
  if (root && r->left_out && json_object_set(root, "left_out", r->left_out) != 0)
    status = fovea_fail(FOVEA_NO_MEMORY, "no memory for the JSON of a regression");
  if (root && analysis && !status) status = add_json(root, "analysis", analysis);
  if (root && original && !status) status = add_json(root, "all_levels", original);
  if (root && !status) dump = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
  const size_t size = dump ? strlen(dump) + 2 : 0;
  *text = dump ? malloc(size) : NULL;
  if (*text) snprintf(*text, size, "%s\n", dump);
  if (!status && !*text) status = fovea_fail(FOVEA_NO_MEMORY, "no memory for the JSON of a regression");
  json_decref(root);
  free(dump);
  fovea_free(fit);
  fovea_free(analysis);
  fovea_free(original);
  return status;
}

fovea_status report_text(const report *r, bool json, char **text) {
  return json ? json_text(r, text) : plain_text(r, text);
}
