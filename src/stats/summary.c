/* The text of statsmodels 0.13.5's summary: regression/linear_model.py RegressionResults.summary, iolib/summary.py and
 * iolib/table.py SimpleTable with the formats of iolib/tableformatting.py (fmt_2cols, fmt_params). */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/environment.h"
#include "base/fail.h"
#include "fovea/stats.h"
#include "stats/covariance.h"
#include "stats/notes.h"
#include "stats/numbers.h"
#include "stats/text.h"

/* --- a table of strings ------------------------------------------------------------------------------------------ */

enum { CELL_SIZE = 32, MAX_COLUMNS = 7 };

/* A name is borrowed, a number is formatted into the cell. */
typedef struct cell {
  const char *name;
  char number[CELL_SIZE];
} cell;

static const char *cell_text(const cell *c) { return c->name ? c->name : c->number; }

typedef struct grid {
  size_t rows, columns;
  size_t widths[MAX_COLUMNS]; /* at least; a longer cell widens its column */
  bool left[MAX_COLUMNS];
  cell *cells; /* rows x columns */
} grid;

static fovea_status grid_make(grid *g, size_t rows, size_t columns) {
  g->rows = rows;
  g->columns = columns;
  g->cells = calloc(rows * columns, sizeof *g->cells);
  return g->cells ? FOVEA_OK : fovea_fail(FOVEA_NO_MEMORY, "summary: no memory");
}

static cell *at(grid *g, size_t row, size_t column) { return &g->cells[row * g->columns + column]; }

/* Widens the columns to their cells and returns the length of a row. */
static size_t grid_measure(grid *g) {
  size_t length = g->columns - 1;
  for (size_t j = 0; j < g->columns; j++) {
    for (size_t i = 0; i < g->rows; i++) {
      size_t width = fovea_code_points(cell_text(at(g, i, j)));
      if (width > g->widths[j]) g->widths[j] = width;
    }
    length += g->widths[j];
  }
  return length;
}

static void put_row(fovea_text *t, grid *g, size_t row) {
  for (size_t j = 0; j < g->columns; j++) {
    const char *s = cell_text(at(g, row, j));
    size_t blank = g->widths[j] - fovea_code_points(s);
    if (j) fovea_text_put(t, " ", 1);
    if (!g->left[j]) fovea_text_repeat(t, ' ', blank);
    fovea_text_add(t, s);
    if (g->left[j]) fovea_text_repeat(t, ' ', blank);
  }
  fovea_text_put(t, "\n", 1);
}

/* str.center(length): Python's, which puts the odd blank left of an even text in an odd field. */
static void put_title(fovea_text *t, const char *title, size_t length) {
  size_t blank = length - strlen(title), before = blank / 2 + (blank & length & 1);
  fovea_text_repeat(t, ' ', before);
  fovea_text_add(t, title);
  fovea_text_repeat(t, ' ', blank - before);
  fovea_text_put(t, "\n", 1);
}

static void put_rule(fovea_text *t, char c, size_t length) {
  fovea_text_repeat(t, c, length);
  fovea_text_put(t, "\n", 1);
}

/* --- numbers ----------------------------------------------------------------------------------------------------- */

/* snprintf with one double; a NaN has no sign, as in Python. */
static void number(cell *c, const char *format, double value) {
  /* every format given here is one of this file's literals */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  snprintf(c->number, sizeof c->number, format, isnan(value) ? fabs((double)NAN) : value);
#pragma GCC diagnostic pop
}

/* Python's str(value) of a number in [1e-4, 1e16): the fewest digits that give it back. */
static void shortest(char *out, size_t size, double value) {
  for (int digits = 1; digits <= 17; digits++) {
    snprintf(out, size, "%.*g", digits, value);
    if (strtod(out, NULL) == value) return;
  }
}

/* The same, unless it is made of rounding noise. */
static void residual_number(cell *c, const char *format, double value, const fovea_ols *o) {
  if (fovea_ols_is_noise(o))
    c->name = "-";
  else
    number(c, format, value);
}

/* statsmodels.iolib.summary.forg */
static void forg(cell *c, double value, bool four) {
  bool general = fabs(value) >= 1e4 || fabs(value) < 1e-4;
  if (four)
    number(c, general ? "%10.4g" : "%10.4f", value);
  else
    number(c, general ? "%9.3g" : "%9.3f", value);
}

/* --- the three tables -------------------------------------------------------------------------------------------- */

static void put_now(cell *date, cell *clock) {
  const char *epoch = fovea_environment("SOURCE_DATE_EPOCH");
  time_t now = time(NULL);
  struct tm parts = {0};
  if (epoch) {
    now = (time_t)strtoll(epoch, NULL, 10);
    gmtime_r(&now, &parts);
  } else {
    localtime_r(&now, &parts);
  }
  strftime(date->number, sizeof date->number, "%a, %d %b %Y", &parts);
  strftime(clock->number, sizeof clock->number, "%H:%M:%S", &parts);
}

/* Labels left and right with room for a value after each; a right label is "%-21s" of two blanks and itself. */
static fovea_status two_columns(grid *g, const char *const (*labels)[2], size_t rows) {
  fovea_status status = grid_make(g, rows, 4);
  if (status) return status;
  static const size_t widths[] = {18, 18, 21, 18};
  memcpy(g->widths, widths, sizeof widths);
  g->left[0] = g->left[2] = true;
  for (size_t i = 0; i < rows; i++) {
    at(g, i, 0)->name = labels[i][0];
    at(g, i, 2)->name = labels[i][1];
    snprintf(at(g, i, 1)->number, CELL_SIZE, "%18s", "");
    snprintf(at(g, i, 3)->number, CELL_SIZE, "%18s", "");
  }
  return FOVEA_OK;
}

static fovea_status put_top(fovea_text *t, const fovea_ols *o) {
  bool c = o->constant;
  const char *labels[][2] = {{"Dep. Variable:", c ? "  R-squared:" : "  R-squared (uncentered):"},
                             {"Model:", c ? "  Adj. R-squared:" : "  Adj. R-squared (uncentered):"},
                             {"Method:", "  F-statistic:"},
                             {"Date:", "  Prob (F-statistic):"},
                             {"Time:", "  Log-Likelihood:"},
                             {"No. Observations:", "  AIC:"},
                             {"Df Residuals:", "  BIC:"},
                             {"Df Model:", "   "},
                             {"Covariance Type:", "   "}};
  grid g = {0};
  fovea_status status = two_columns(&g, (const char *const(*)[2])labels, 9);
  if (status) return status;
  at(&g, 0, 1)->name = o->response;
  at(&g, 1, 1)->name = "OLS";
  at(&g, 2, 1)->name = "Least Squares";
  put_now(at(&g, 3, 1), at(&g, 4, 1));
  number(at(&g, 5, 1), "%6.0f", (double)o->n);
  number(at(&g, 6, 1), "%6.0f", o->df_resid);
  number(at(&g, 7, 1), "%6.0f", o->df_model);
  at(&g, 8, 1)->name = fovea_covariance_name(o->covariance);
  number(at(&g, 0, 3), "%#8.3f", o->r_squared);
  number(at(&g, 1, 3), "%#8.3f", o->r_squared_adjusted);
  if (!(o->df_resid > 0)) at(&g, 1, 3)->name = "-";
  residual_number(at(&g, 2, 3), "%#8.4g", o->f_value, o);
  residual_number(at(&g, 3, 3), "%#6.3g", o->f_p_value, o);
  residual_number(at(&g, 4, 3), "%#8.5g", o->log_likelihood, o);
  residual_number(at(&g, 5, 3), "%#8.4g", o->aic, o);
  residual_number(at(&g, 6, 3), "%#8.4g", o->bic, o);
  size_t length = grid_measure(&g);
  put_title(t, "OLS Regression Results", length);
  put_rule(t, '=', length);
  for (size_t i = 0; i < g.rows; i++) put_row(t, &g, i);
  free(g.cells);
  return FOVEA_OK;
}

static fovea_status put_coefficients(fovea_text *t, const fovea_ols *o) {
  static const char *const header[] = {"", "coef", "std err", "t", "P>|t|"};
  static const size_t widths[] = {10, 10, 10, 10, 10, 11, 11};
  grid g = {0};
  fovea_status status = grid_make(&g, o->k + 1, 7);
  if (status) return status;
  memcpy(g.widths, widths, sizeof widths);
  g.left[0] = true;
  for (size_t j = 0; j < 5; j++) at(&g, 0, j)->name = header[j];
  at(&g, 0, 5)->number[0] = '[';
  shortest(at(&g, 0, 5)->number + 1, CELL_SIZE - 1, o->alpha / 2);
  shortest(at(&g, 0, 6)->number, CELL_SIZE - 1, 1 - o->alpha / 2);
  strcat(at(&g, 0, 6)->number, "]");
  for (size_t i = 0; i < o->k; i++) {
    at(&g, i + 1, 0)->name = o->names[i];
    if (o->aliased[i]) at(&g, i + 1, 1)->name = "aliased";
    if (o->aliased[i]) continue;
    forg(at(&g, i + 1, 1), o->coefficients[i], true);
    for (size_t j = 2; j < 7 && fovea_ols_is_noise(o); j++) at(&g, i + 1, j)->name = "-";
    forg(at(&g, i + 1, 2), o->std_errors[i], false);
    forg(at(&g, i + 1, 3), o->t_values[i], false);
    number(at(&g, i + 1, 4), "%#6.3f", o->p_values[i]);
    forg(at(&g, i + 1, 5), o->low[i], false);
    forg(at(&g, i + 1, 6), o->high[i], false);
  }
  size_t length = grid_measure(&g);
  put_rule(t, '=', length);
  for (size_t i = 0; i < g.rows; i++) {
    put_row(t, &g, i);
    if (i == 0) put_rule(t, '-', length);
  }
  free(g.cells);
  return FOVEA_OK;
}

static fovea_status put_diagnostics(fovea_text *t, const fovea_ols *o) {
  static const char *const labels[][2] = {{"Omnibus:", "  Durbin-Watson:"},
                                          {"Prob(Omnibus):", "  Jarque-Bera (JB):"},
                                          {"Skew:", "  Prob(JB):"},
                                          {"Kurtosis:", "  Cond. No."}};
  grid g = {0};
  fovea_status status = two_columns(&g, labels, 4);
  if (status) return status;
  residual_number(at(&g, 0, 1), "%#6.3f", o->omnibus, o);
  residual_number(at(&g, 1, 1), "%#6.3f", o->omnibus_p, o);
  residual_number(at(&g, 2, 1), "%#6.3f", o->skew, o);
  residual_number(at(&g, 3, 1), "%#6.3f", o->kurtosis, o);
  residual_number(at(&g, 0, 3), "%#8.3f", o->durbin_watson, o);
  residual_number(at(&g, 1, 3), "%#8.3f", o->jarque_bera, o);
  residual_number(at(&g, 2, 3), "%#8.3g", o->jarque_bera_p, o);
  number(at(&g, 3, 3), "%#8.3g", o->condition_number);
  size_t length = grid_measure(&g);
  put_rule(t, '=', length);
  for (size_t i = 0; i < g.rows; i++) put_row(t, &g, i);
  put_rule(t, '=', length);
  free(g.cells);
  return FOVEA_OK;
}

static void put_notes(fovea_text *t, const fovea_ols *o) {
  char notes[FOVEA_NOTES][FOVEA_NOTE_SIZE], prefix[32];
  size_t count = fovea_ols_notes(o, notes);
  fovea_text_add(t, "\nNotes:\n");
  for (size_t i = 0; i < count; i++) {
    snprintf(prefix, sizeof prefix, "[%zu] ", i + 1);
    fovea_text_add(t, prefix);
    fovea_text_add(t, notes[i]);
    fovea_text_put(t, "\n", 1);
  }
}

fovea_status fovea_ols_check(const fovea_ols *o) {
  const double *const arrays[] = {o->coefficients, o->std_errors, o->t_values,   o->p_values,
                                  o->low,          o->high,       o->correlation};
  bool complete = o->response && o->names && o->aliased && (o->aliases || o->alias_count == 0);
  for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) complete = complete && arrays[i];
  for (size_t j = 0; j < o->k && complete; j++) complete = o->names[j] != NULL;
  return complete ? FOVEA_OK : fovea_fail(FOVEA_INVALID, "ols: a name or an array of the fit is NULL");
}

fovea_status fovea_ols_summary(const fovea_ols *ols, char **result) {
  fovea_text t = {0};
  if (!ols || !result) return fovea_fail_null(ols ? "text" : "ols");
  if (fovea_ols_check(ols) || fovea_environment_check(FOVEA_READ_BY_SUMMARIES)) return FOVEA_INVALID;
  fovea_c_locale state = fovea_c_locale_begin();
  fovea_status status = put_top(&t, ols);
  if (!status) status = put_coefficients(&t, ols);
  if (!status) status = put_diagnostics(&t, ols);
  if (!status) put_notes(&t, ols);
  fovea_c_locale_end(state);
  if (!status && t.failed) status = fovea_fail(FOVEA_NO_MEMORY, "summary: no memory");
  if (status) {
    free(t.bytes);
    return status;
  }
  *result = t.bytes;
  return FOVEA_OK;
}
