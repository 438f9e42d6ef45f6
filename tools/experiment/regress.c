#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/output.h"
#include "experiment/fit.h"

/* "a,b,c" cut in place; *items points into `text`. */
static fovea_status split(char *text, const char ***items, size_t *count) {
  size_t commas = 0;
  for (const char *s = text; *s; s++) commas += *s == ',';
  const char **list = malloc((commas + 1) * sizeof *list);
  if (!list) return fovea_fail(FOVEA_NO_MEMORY, "no memory for the names of columns");
  *count = 0;
  for (char *s = text; s;) {
    char *comma = strchr(s, ',');
    if (comma) *comma++ = 0;
    list[(*count)++] = s;
    s = comma;
  }
  *items = list;
  return FOVEA_OK;
}

/* The plot comes first: a result is not printed when what was asked for could not all be made. */
static fovea_status regress(const char *path, const fovea_design_options *options, bool json, const char *plot_path) {
  fovea_ols *ols = NULL;
  char *text = NULL;
  fovea_status status = plot_path ? output_check_png("--plot", plot_path) : FOVEA_OK;
  if (!status) status = fit_file(path, options, &ols);
  if (!status) status = json ? fovea_ols_json(ols, &text) : fovea_ols_summary(ols, &text);
  if (!status && plot_path) status = fit_plot(plot_path, ols);
  if (!status) fputs(text, stdout);
  if (!status && json) putchar('\n');
  fovea_free(text);
  fovea_ols_destroy(ols);
  return status;
}

static int run(int argc, char **argv) {
  const char *response = NULL, *columns = NULL, *plot_path = NULL, *path = NULL;
  bool constant = false, json = false, done = false;
  option options[] = {
      {.name = "response",
       .kind = OPTION_STRING,
       .value = &response,
       .argument = "NAME",
       .help = "the column to explain; a sweep's test_loss, else the last"},
      {.name = "columns",
       .kind = OPTION_STRING,
       .value = &columns,
       .argument = "A,B,C",
       .help = "the predictors; all the others, or a sweep's factors"},
      {.name = "constant", .kind = OPTION_FLAG, .value = &constant, .help = "add a column of ones"},
      {.name = "json", .kind = OPTION_FLAG, .value = &json, .help = "print the numbers as JSON, with all digits"},
      {.name = "plot",
       .kind = OPTION_STRING,
       .value = &plot_path,
       .argument = "FILE.png",
       .help = "draw the coefficients and their intervals"}};
  const size_t n = sizeof options / sizeof *options;
  size_t files = 0;
  const command_line line = {.usage = "fovea regress FILE.csv [options]",
                             .summary = "Least squares on a CSV file, printed as statsmodels' OLS summary.",
                             .options = options,
                             .count = n,
                             .positionals = &path,
                             .max_positionals = 1,
                             .positional_count = &files};
  fovea_status status = command_begin(&line, argc, argv, &done);
  if (status != FOVEA_OK) return command_fail(status);
  if (done) return FOVEA_OK;
  if (files == 0)
    return command_fail(fovea_fail(FOVEA_INVALID, "regress: a CSV file is missing, see fovea regress --help"));
  fovea_design_options design = {.response = response, .constant = constant};
  char *copy = columns ? strdup(columns) : NULL;
  const char **names = NULL;
  if (columns) status = copy ? split(copy, &names, &design.column_count) : fovea_fail(FOVEA_NO_MEMORY, "no memory");
  design.columns = names;
  if (!status) status = regress(path, &design, json, plot_path);
  free(names);
  free(copy);
  return status ? command_fail(status) : FOVEA_OK;
}

const command command_regress = {"regress", "least squares on a CSV file, such as a sweep's results", run};
