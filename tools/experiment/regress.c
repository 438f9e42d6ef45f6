#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/output.h"
#include "experiment/fit.h"
#include "experiment/lists.h"

/* What the command line says. */
typedef struct request {
  const char *path, *response, *columns, *terms, *baselines, *categorical, *powers, *block, *cluster, *plot, *decimal;
  bool constant, all_levels, log, json, no_header;
  int robust, missing, separator; /* of the choices below */
  double alpha;
} request;

static const char robust_choices[] = "no|hc0|hc1|hc3";
static const char missing_choices[] = "error|drop"; /* as fovea_missing */
static const char separator_choices[] = "any|comma|semicolon|tab|bar|blanks";

/* The same, as the library has it; the lists are what the options point into. */
typedef struct plan {
  list columns, terms, baselines, categorical, powers;
  fovea_table_options reading;
  fovea_design_options design;
  fovea_ols_options fit;
} plan;

static fovea_status make_plan(const request *r, plan *p) {
  fovea_status status = list_split("--columns", r->columns, &p->columns);
  if (!status) status = list_split("--terms", r->terms, &p->terms);
  if (!status) status = list_split("--baseline", r->baselines, &p->baselines);
  if (!status) status = list_split("--categorical", r->categorical, &p->categorical);
  if (!status) status = list_split("--poly", r->powers, &p->powers);
  if (!status && r->cluster && r->robust)
    status = fovea_fail(FOVEA_INVALID, "--cluster and --robust are two ways to the same errors; give one");
  if (!status && r->decimal && (strlen(r->decimal) != 1 || !strchr(".,", *r->decimal)))
    status = fovea_fail(FOVEA_INVALID, "--decimal: '%.40s' is neither . nor ,", r->decimal);
  p->reading = (fovea_table_options){.separator = (char)("\0,;\t| "[r->separator]),
                                     .decimal = (char)(r->decimal ? *r->decimal : 0),
                                     .no_header = r->no_header};
  p->design = (fovea_design_options){.response = r->response,
                                     .columns = p->columns.items,
                                     .column_count = p->columns.count,
                                     .constant = r->constant,
                                     .all_levels = r->all_levels,
                                     .terms = p->terms.items,
                                     .term_count = p->terms.count,
                                     .baselines = p->baselines.items,
                                     .baseline_count = p->baselines.count,
                                     .categorical = p->categorical.items,
                                     .categorical_count = p->categorical.count,
                                     .powers = p->powers.items,
                                     .power_count = p->powers.count,
                                     .block = r->block,
                                     .cluster = r->cluster,
                                     .log = r->log,
                                     .missing = (fovea_missing)r->missing};
  static const fovea_covariance robust[] = {FOVEA_CLASSICAL, FOVEA_HC0, FOVEA_HC1, FOVEA_HC3};
  p->fit = (fovea_ols_options){.covariance = r->cluster ? FOVEA_CLUSTER : robust[r->robust], .alpha = r->alpha};
  return status;
}

static void free_plan(plan *p) {
  list_free(&p->columns);
  list_free(&p->terms);
  list_free(&p->baselines);
  list_free(&p->categorical);
  list_free(&p->powers);
}

/* The plot comes first: a result is not printed when what was asked for could not all be made. */
static fovea_status regress(const request *r) {
  plan p = {0};
  fovea_design *design = NULL;
  fovea_ols *ols = NULL;
  char *text = NULL;
  fovea_status status = r->plot ? output_check_png("--plot", r->plot) : FOVEA_OK;
  if (!status) status = make_plan(r, &p);
  if (!status) status = fit_file(r->path, &p.reading, &p.design, &p.fit, &design, &ols);
  if (!status) status = r->json ? fovea_ols_json(ols, &text) : fovea_ols_summary(ols, &text);
  if (!status && r->plot) status = fit_plot(r->plot, ols);
  if (!status) fputs(text, stdout);
  if (!status && r->json) putchar('\n');
  fovea_free(text);
  fovea_ols_destroy(ols);
  fovea_design_destroy(design);
  free_plan(&p);
  return status;
}

#define STRING(field, option_name, what, text) \
  { .name = option_name, .kind = OPTION_STRING, .value = &(field), .argument = what, .help = text }
#define FLAG(field, option_name, text) \
  { .name = option_name, .kind = OPTION_FLAG, .value = &(field), .help = text }

static int run(int argc, char **argv) {
  request r = {.alpha = 0.05};
  bool done = false;
  option options[] = {
      STRING(r.response, "response", "NAME", "the column to explain; a sweep's test_loss, else the last"),
      STRING(r.columns, "columns", "A,B,C", "the predictors; all the others, or a sweep's factors"),
      STRING(r.terms, "terms", "A*B,C:D", "predictors and their products: A*B is A, B and A:B"),
      FLAG(r.constant, "constant", "add a column of ones"),
      STRING(r.baselines, "baseline", "A=X,B=Y", "the level that others are compared to; the first"),
      FLAG(r.all_levels, "all-levels", "a column for every word; of a sweep, the original experiment's table"),
      STRING(r.categorical, "categorical", "A,B", "columns whose numbers are names"),
      STRING(r.powers, "poly", "A:3,B:2", "powers of a column up to a degree, made without loss"),
      FLAG(r.log, "log", "explain the response's natural logarithm"),
      STRING(r.block, "block", "NAME", "a factor that is allowed for; the seed of a sweep with several"),
      STRING(r.cluster, "cluster", "NAME", "errors may go together where this column is the same"),
      {.name = "robust",
       .kind = OPTION_CHOICE,
       .value = &r.robust,
       .choices = robust_choices,
       .help = "errors may have different variances"},
      {.name = "alpha",
       .kind = OPTION_FLOAT,
       .value = &r.alpha,
       .min = 1e-9,
       .max = 0.999,
       .help = "intervals hold with probability 1 - alpha"},
      {.name = "missing",
       .kind = OPTION_CHOICE,
       .value = &r.missing,
       .choices = missing_choices,
       .help = "what becomes of rows with an empty cell, NA, NaN, null or ?"},
      {.name = "separator",
       .kind = OPTION_CHOICE,
       .value = &r.separator,
       .choices = separator_choices,
       .help = "of the columns; any is found out"},
      STRING(r.decimal, "decimal", "SIGN", "of numbers, . or ,; found out by default"),
      FLAG(r.no_header, "no-header", "the first line is a row; columns are called x1, x2, ..."),
      FLAG(r.json, "json", "print the numbers as JSON, with all digits"),
      STRING(r.plot, "plot", "FILE.png", "draw the coefficients and their intervals")};
  size_t files = 0;
  const command_line line = {
      .usage = "fovea regress FILE.csv [options]",
      .summary = "Least squares on a table (- is standard input), printed as statsmodels' OLS summary.",
      .options = options,
      .count = sizeof options / sizeof *options,
      .positionals = &r.path,
      .max_positionals = 1,
      .positional_count = &files};
  fovea_status status = command_begin(&line, argc, argv, &done);
  if (status != FOVEA_OK) return command_fail(status);
  if (done) return FOVEA_OK;
  if (files == 0)
    return command_fail(fovea_fail(FOVEA_INVALID, "regress: a CSV file is missing, see fovea regress --help"));
  status = regress(&r);
  return status ? command_fail(status) : FOVEA_OK;
}

const command command_regress = {"regress", "least squares on a CSV file, such as a sweep's results", run};
