#include "stats/notes.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "stats/covariance.h"

/* So much of a list is written: LISTED aliases of LISTED columns, each name at most NAME_BYTES, are below
 * FOVEA_ALIASES_SIZE. */
enum { LISTED = 8, NAME_BYTES = 40 };

static void append(char *text, const char *bytes, size_t count) {
  size_t used = strlen(text);
  memcpy(text + used, bytes, count);
  text[used + count] = 0;
}

/* A name, cut between characters of UTF-8. */
static void append_name(char *text, const char *name) {
  size_t count = strlen(name);
  bool cut = count > NAME_BYTES;
  if (cut)
    for (count = NAME_BYTES; count > 0 && ((unsigned char)name[count] & 0xc0) == 0x80;) count--;
  append(text, name, count);
  if (cut) append(text, "...", 3);
}

static void append_rest(char *text, size_t count) {
  size_t used = strlen(text);
  if (count > LISTED) snprintf(text + used, FOVEA_ALIASES_SIZE - used, " and %zu more", count - LISTED);
}

static void append_alias(char *text, const fovea_ols *o, const fovea_ols_alias *alias) {
  append_name(text, o->names[alias->column]);
  append(text, alias->count ? " (of " : " (zero in every row", alias->count ? 5 : 19);
  for (size_t i = 0; i < alias->count && i < LISTED; i++) {
    if (i) append(text, ", ", 2);
    append_name(text, o->names[alias->with[i]]);
  }
  append_rest(text, alias->count);
  append(text, ")", 1);
}

void fovea_ols_list_aliases(const fovea_ols *o, char text[FOVEA_ALIASES_SIZE]) {
  text[0] = 0;
  for (size_t i = 0; i < o->alias_count && i < LISTED; i++) {
    if (i) append(text, ", ", 2);
    append_alias(text, o, &o->aliases[i]);
  }
  append_rest(text, o->alias_count);
}

static size_t statsmodels_notes(const fovea_ols *o, char notes[FOVEA_NOTES][FOVEA_NOTE_SIZE]) {
  size_t count = 0;
  if (!o->constant)
    snprintf(notes[count++], FOVEA_NOTE_SIZE,
             "R\xc2\xb2 is computed without centering (uncentered) since the model does not contain a constant.");
  if (o->covariance == FOVEA_CLASSICAL)
    snprintf(notes[count++], FOVEA_NOTE_SIZE,
             "Standard Errors assume that the covariance matrix of the errors is correctly specified.");
  else
    snprintf(notes[count++], FOVEA_NOTE_SIZE, "Standard Errors are %s (%s)",
             o->covariance == FOVEA_CLUSTER ? "robust to cluster correlation" : "heteroscedasticity robust",
             fovea_covariance_name(o->covariance));
  if (o->n < o->k)
    snprintf(notes[count++], FOVEA_NOTE_SIZE, "The input rank is higher than the number of observations.");
  if (o->min_eigenvalue < 1e-10)
    snprintf(notes[count++], FOVEA_NOTE_SIZE,
             "The smallest eigenvalue is %6.3g. This might indicate that there are\n"
             "strong multicollinearity problems or that the design matrix is singular.",
             o->min_eigenvalue);
  else if (o->condition_number > 1000)
    snprintf(notes[count++], FOVEA_NOTE_SIZE,
             "The condition number is large, %6.3g. This might indicate that there are\n"
             "strong multicollinearity or other numerical problems.",
             o->condition_number);
  return count;
}

/* t and p are of any units; the coefficient, its error and interval may be too large or too small for a double. */
static bool overflows(const fovea_ols *o, size_t j) {
  const double numbers[] = {o->coefficients[j], o->std_errors[j], o->low[j], o->high[j]};
  const size_t count = o->df_resid > 0 ? 4 : 1; /* else the errors are infinite by themselves */
  bool beyond = false;
  for (size_t i = 0; i < count; i++) beyond = beyond || isinf(numbers[i]);
  const bool vanished = fpclassify(o->coefficients[j]) == FP_ZERO && fabs(o->t_values[j]) > 0;
  return !o->aliased[j] && (beyond || vanished);
}

static bool note_overflow(const fovea_ols *o, char *note) {
  size_t count = 0;
  for (size_t j = 0; j < o->k; j++) {
    if (!overflows(o, j)) continue;
    if (count == 0)
      snprintf(note, FOVEA_NOTE_SIZE,
               "Numbers beyond double precision are printed as inf or 0; other units of the columns avoid it:\n");
    if (count > 0 && count < LISTED) append(note, ", ", 2);
    if (count++ < LISTED) append_name(note, o->names[j]);
  }
  if (count > 0) append_rest(note, count);
  if (count > 0) append(note, ".", 1);
  return count > 0;
}

static bool note_clusters(const fovea_ols *o, char *note) {
  size_t count = 0;
  if (o->covariance != FOVEA_CLUSTER || !(o->df_resid > 0) || o->exact) return false;
  for (size_t j = 0; j < o->k; j++) {
    if (o->aliased[j] || !isnan(o->std_errors[j])) continue;
    if (count == 0)
      snprintf(note, FOVEA_NOTE_SIZE, "The clusters do not tell the errors of these, which compare whole clusters:\n");
    if (count > 0 && count < LISTED) append(note, ", ", 2);
    if (count++ < LISTED) append_name(note, o->names[j]);
  }
  if (count > 0) append_rest(note, count);
  if (count > 0) append(note, ".", 1);
  return count > 0;
}

static void note_constant(const fovea_ols *o, char *note) {
  note[0] = 0;
  append_name(note, o->names[o->nearly_constant]);
  const size_t used = strlen(note);
  snprintf(note + used, FOVEA_NOTE_SIZE - used,
           " varies by less than the tolerance of the rank, some %.1e of its size, and is taken\n"
           "as the constant; subtract its mean to see what it explains.",
           (double)(o->n > o->k ? o->n : o->k) * DBL_EPSILON);
}

bool fovea_ols_is_noise(const fovea_ols *o) { return o->exact || !(o->df_resid > 0); }

size_t fovea_ols_notes(const fovea_ols *o, char notes[FOVEA_NOTES][FOVEA_NOTE_SIZE]) {
  size_t count = statsmodels_notes(o, notes);
  if (o->alias_count > 0) {
    static const char start[] =
        "Aliased columns are combinations, to the rank's tolerance, of earlier ones and have no estimate:\n";
    memcpy(notes[count], start, sizeof start);
    fovea_ols_list_aliases(o, notes[count] + sizeof start - 1);
    append(notes[count++], ".", 1);
  }
  if (o->statsmodels_rank != o->rank || o->statsmodels_constant != o->constant)
    snprintf(notes[count++], FOVEA_NOTE_SIZE,
             "The rank is %zu, with%s a constant, in any units of the columns. statsmodels 0.13.5, whose\n"
             "tolerance depends on them, takes rank %zu, with%s a constant, and prints other numbers.",
             o->rank, o->constant ? "" : "out", o->statsmodels_rank, o->statsmodels_constant ? "" : "out");
  if (o->nearly_constant < o->k) note_constant(o, notes[count++]);
  if (note_overflow(o, notes[count])) count++;
  if (note_clusters(o, notes[count])) count++;
  if (o->df_resid == 0)
    snprintf(notes[count++], FOVEA_NOTE_SIZE,
             "The fit is saturated: %zu observations for a rank of %zu leave nothing to tell errors from.", o->n,
             o->rank);
  else if (o->exact)
    snprintf(notes[count++], FOVEA_NOTE_SIZE,
             "The fit is exact: the residuals, and all that is computed from them, are rounding noise.");
  return count;
}
