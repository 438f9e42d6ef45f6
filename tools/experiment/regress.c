#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "cli/command.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/output.h"
#include "experiment/fit.h"
#include "experiment/lists.h"
#include "experiment/report.h"
#include "train/run.h"

/* What the command line says. */
typedef struct request {
  const char *path, *response, *columns, *terms, *baselines, *categorical, *powers, *block, *cluster, *plot,
      *plot_pairs, *decimal;
  bool constant, all_levels, log, json, no_header;
  int robust, anova, adjustment, missing, separator; /* of the choices below */
  bool adjusted, powered;                            /* --adjust and --power were given */
  double alpha, difference, power;
} request;

static const char robust_choices[] = "no|hc0|hc1|hc3", anova_choices[] = "no|2|3", adjustments[] = "tukey|holm|none";
static const char missing_choices[] = "error|drop"; /* as fovea_missing */
static const char separator_choices[] = "any|comma|semicolon|tab|bar|blanks";

/* The same, as the library has it; the lists are what the options point into. */
typedef struct plan {
  list columns, terms, baselines, categorical, powers;
  fovea_table_options reading;
  fovea_design_options design;
  fovea_ols_options fit;
  fovea_analysis_options analysis;
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
                                     .constant = r->constant || r->anova > 0,
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
  p->analysis = (fovea_analysis_options){.type = r->anova > 0 ? r->anova + 1 : 0,
                                         .adjustment = (fovea_adjustment)r->adjustment,
                                         .difference = r->difference,
                                         .power = r->power};
  return status;
}

static void free_plan(plan *p) {
  list_free(&p->columns);
  list_free(&p->terms);
  list_free(&p->baselines);
  list_free(&p->categorical);
  list_free(&p->powers);
}

/* The analysis' pictures, or the coefficients'. */
static fovea_status plot(const request *r, const report *made) {
  fovea_status status = FOVEA_OK;
  if (r->plot)
    status = made->analysis && (r->anova > 0 || report_tells_factors(made)) ? report_plot_factors(r->plot, made)
                                                                            : fit_plot(r->plot, made->ols);
  if (status || !r->plot_pairs) return status;
  if (!made->analysis || report_tells_pairs(made)) return report_plot_pairs(r->plot_pairs, made);
  fprintf(stderr, "fovea: --plot-pairs: there is no pair of factors to draw; %s is not written\n", r->plot_pairs);
  return FOVEA_OK;
}

static fovea_status check_plot(const char *name, const char *path) {
  if (!path) return FOVEA_OK;
  fovea_status status = run_refuse_own(name, path);
  return status ? status : output_check_png(name, path);
}

/* The plots come first: a result is not printed when what was asked for could not all be made. */
static fovea_status regress(const request *r) {
  plan p = {0};
  report made = {.adjusted = r->adjusted, .powered = r->powered};
  char *text = NULL;
  fovea_status status = check_plot("--plot", r->plot);
  if (!status) status = check_plot("--plot-pairs", r->plot_pairs);
  if (!status && r->plot && r->plot_pairs && output_same_file(r->plot, r->plot_pairs))
    status = fovea_fail(FOVEA_INVALID, "--plot and --plot-pairs are the same file, %s", r->plot);
  if (!status) status = make_plan(r, &p);
  if (!status) status = report_make(r->path, &p.reading, &p.design, &p.fit, &p.analysis, &made);
  if (!status) status = report_text(&made, r->json, &text);
  if (!status) status = plot(r, &made);
  if (!status && r->json) status = json_result_text(text);
  if (!status && !r->json) fputs(text, stdout);
  free(text);
  report_free(&made);
  free_plan(&p);
  return status;
}

#define STRING(field, option_name, what, text) \
  { .name = (option_name), .kind = OPTION_STRING, .value = &(field), .argument = (what), .help = (text) }
#define FLAG(field, option_name, text) \
  { .name = (option_name), .kind = OPTION_FLAG, .value = &(field), .help = (text) }

static int run(int argc, char **argv) {
  request r = {.alpha = 0.05, .power = 0.8};
  bool done = false;
  option options[] = {
      STRING(r.response, "response", "NAME", "the column to explain; a sweep's test_loss, else the last"),
      STRING(r.columns, "columns", "A,B,C", "the predictors; all the others, or a sweep's factors"),
      STRING(r.terms, "terms", "A*B,C:D", "predictors and their products: A*B is A, B and A:B"),
      FLAG(r.constant, "constant", "add a column of ones"),
      STRING(r.baselines, "baseline", "A=X,B=Y",
             "the level that others are compared to; the first by alphabet, of a sweep as it lists them"),
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
      {.name = "anova",
       .kind = OPTION_CHOICE,
       .value = &r.anova,
       .choices = anova_choices,
       .help = "what each factor does: tests of this type, means, differences; a sweep has 2"},
      {.name = "adjust",
       .kind = OPTION_CHOICE,
       .value = &r.adjustment,
       .choices = adjustments,
       .help = "how differences of many levels are held to one error rate"},
      {.name = "detect",
       .kind = OPTION_FLOAT,
       .value = &r.difference,
       .min = 0,
       .max = 1e300,
       .help = "say how many seeds a difference of N takes; 0: of none"},
      {.name = "power",
       .kind = OPTION_FLOAT,
       .value = &r.power,
       .min = 0.01,
       .max = 0.9999,
       .help = "the probability that it is seen"},
      {.name = "missing",
       .kind = OPTION_CHOICE,
       .value = &r.missing,
       .choices = missing_choices,
       .help = "what becomes of rows with an empty cell, NA, N/A, NaN, null, None, ?, . or -"},
      {.name = "separator",
       .kind = OPTION_CHOICE,
       .value = &r.separator,
       .choices = separator_choices,
       .help = "of the columns; any is found out"},
      STRING(r.decimal, "decimal", "SIGN", "of numbers, . or ,; found out by default"),
      FLAG(r.no_header, "no-header", "the first line is a row; columns are called x1, x2, ..."),
      json_option(&r.json),
      STRING(r.plot, "plot", "FILE.png", "draw the coefficients, or with --anova differences and means"),
      STRING(r.plot_pairs, "plot-pairs", "FILE.png", "draw the means of each pair of factors; with --anova")};
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
  for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
    r.adjusted = r.adjusted || (options[i].value == &r.adjustment && options[i].given);
    r.powered = r.powered || (options[i].value == &r.power && options[i].given);
  }
  if (files == 0)
    return command_fail(fovea_fail(FOVEA_INVALID, "regress: a CSV file is missing, see fovea regress --help"));
  status = regress(&r);
  return status ? command_fail(status) : FOVEA_OK;
}

const command command_regress = {"regress", "least squares on a CSV file, such as a sweep's results", run};
