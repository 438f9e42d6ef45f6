#include "stats/predictors.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/fail.h"
#include "stats/coding.h"
#include "stats/column.h"
#include "stats/numbers.h"
#include "stats/sweep_design.h"
#include "stats/terms.h"

static fovea_status no_memory(void) { return fovea_fail(FOVEA_NO_MEMORY, "design: no memory"); }

static bool is_named(const char *const *names, size_t count, const char *name) {
  for (size_t i = 0; i < count; i++)
    if (strcmp(names[i], name) == 0) return true;
  return false;
}

static bool is_name(const char *a, const char *b) { return a && strcmp(a, b) == 0; }

/* --- variables --------------------------------------------------------------------------------------------------- */

static fovea_status read_numbers(fovea_predictors *p, size_t column, fovea_design_variable *v) {
  v->degree = 1;
  v->name = strdup(p->table->names[column]);
  v->values = malloc(p->table->rows * sizeof *v->values);
  if (!v->name || !v->values) return no_memory();
  return fovea_column_numbers(p->table, column, v->values, &v->low, &p->design->rounded);
}

/* A learning rate or a KL weight of a sweep enters as its logarithm: its levels are factors apart, not differences. */
static fovea_status take_logarithms(fovea_predictors *p, size_t column, fovea_design_variable *v) {
  const char *name = p->table->names[column];
  const size_t rows = p->table->rows, size = strlen(name) + 6;
  bool ratio = false, positive = true;
  fovea_sweep_is_factor(name, &ratio);
  for (size_t i = 0; i < rows; i++) positive = positive && v->values[i] > 0;
  if (!ratio || !positive || !fovea_column_varies(p->table, column)) return FOVEA_OK;
  char *logarithm = realloc(v->name, size);
  if (!logarithm) return no_memory();
  v->name = logarithm;
  v->logarithm = true;
  free(v->low);
  v->low = NULL;
  snprintf(logarithm, size, "log(%s)", name);
  for (size_t i = 0; i < rows; i++) v->values[i] = log(v->values[i]);
  if (p->sweep) return FOVEA_OK;
  return fovea_design_remark(p->design, "%s is in the model as its natural logarithm, as in a sweep's own", name);
}

/* A switch that is the same in every row is the number that it stands for. */
static fovea_status settle_switch(const fovea_table *t, fovea_design_variable *v) {
  if (!v->is_switch || v->level_count != 1) return FOVEA_OK;
  v->values = malloc(t->rows * sizeof *v->values);
  if (!v->values) return no_memory();
  for (size_t i = 0; i < t->rows; i++) v->values[i] = fovea_column_is_on(v->levels[0]);
  v->degree = 1;
  v->is_switch = false;
  return FOVEA_OK;
}

/* 2024-01-31, 31.1.2024 or 1/31/2024, whatever follows. */
static bool is_date(const char *word) {
  int a, b, c;
  char first, second;
  return sscanf(word, "%4d%c%2d%c%4d", &a, &first, &b, &second, &c) == 5 && first == second && strchr("-./", first);
}

/* What follows the number that a word begins with, "kg" of 10 kg; NULL: it begins with none. */
static const char *after_number(const char *word) {
  word += strspn(word, "+-");
  const char *end = word + strspn(word, "0123456789.,'");
  return isdigit((unsigned char)*word) || (*word && isdigit((unsigned char)word[1])) ? end : NULL;
}

/* 10 kg and 12 kg: numbers of one unit, or of any that a blank tells from them; 1st and 2nd are none. */
static bool have_units(const fovea_design_variable *v) {
  const char *unit = after_number(v->levels[0]);
  for (size_t l = 0; l < v->level_count && unit; l++) {
    const char *rest = after_number(v->levels[l]);
    const bool apart = rest && *rest == ' ' && rest[1] && !strpbrk(rest + 1, " 0123456789");
    if (!apart && !(rest && strcmp(rest, unit) == 0 && !strpbrk(rest, "0123456789"))) unit = NULL;
  }
  return unit != NULL;
}

/* 41.5%, $5, (1), 1:30, 1_000, 1/3, and 1,23,456, which is none of any way to write it. */
static bool looks_like_number(const char *word) {
  static const char *const signs[] = {
      "%", "$", "\xe2\x82\xac", "\xc2\xa3", "\xc2\xa0", "\xe2\x80\xaf", "\xe2\x88\x92", "(", ")", ":", "_", "/"};
  bool digits = false, other = strchr(word, ',') != NULL;
  while (*word) {
    size_t length = strspn(word, "0123456789.,+- '");
    digits = digits || strcspn(word, "0123456789") < length;
    for (size_t i = 0; i < sizeof signs / sizeof *signs && length == 0; i++)
      if (strncmp(word, signs[i], strlen(signs[i])) == 0) length = strlen(signs[i]), other = true;
    if (length == 0) return false;
    word += length;
  }
  return digits && other;
}

static int by_letters(const void *a, const void *b) {
  const char *x = *(const char *const *)a, *y = *(const char *const *)b;
  const int order = strcasecmp(x, y);
  return order ? order : strcmp(x, y);
}

/* Words that differ in nothing but the case of letters are often one word. */
static fovea_status remark_cases(fovea_predictors *p, const fovea_design_variable *v) {
  const char **words = malloc((v->level_count + 1) * sizeof *words);
  size_t i = 1;
  if (!words) return no_memory();
  for (size_t l = 0; l < v->level_count; l++) words[l] = v->levels[l];
  qsort(words, v->level_count, sizeof *words, by_letters);
  while (i < v->level_count && strcasecmp(words[i - 1], words[i]) != 0) i++;
  fovea_status status = FOVEA_OK;
  if (i < v->level_count)
    status = fovea_design_remark(p->design,
                                 "the column %s has words that differ only in their case, such as %.40s and %.40s: "
                                 "they are different names here",
                                 v->name, words[i - 1], words[i]);
  free(words);
  return status;
}

/* Words that are nearly as many as the rows explain nothing; often they are dates or names. */
static fovea_status remark_words(fovea_predictors *p, const fovea_design_variable *v) {
  enum { FEW = 8, SLOW = 500 }; /* 1500 take a minute */
  const size_t rows = p->table->rows;
  const bool date = is_date(v->levels[0]);
  const bool numbers = looks_like_number(v->levels[0]) && looks_like_number(v->levels[v->level_count - 1]);
  if (!date && (numbers || have_units(v)))
    return fovea_design_remark(p->design,
                               "the column %s has words that look like numbers, such as %.40s: they are names here",
                               v->name, v->levels[0]);
  if (v->level_count < FEW || (!date && 2 * v->level_count <= rows)) return FOVEA_OK;
  return fovea_design_remark(
      p->design, "the column %s has %zu different words in %zu rows, such as %.40s%s: each gets a column%s", v->name,
      v->level_count, rows, v->levels[0], date ? ", a date" : "",
      v->level_count < SLOW ? "" : ", and the fit takes as long as the cube of their number; --columns leaves it out");
}

/* 01067 and its like are codes, of places and of samples, more often than amounts. */
static fovea_status remark_codes(fovea_predictors *p, size_t column) {
  const fovea_table *t = p->table;
  size_t row = 0;
  while (row < t->rows &&
         !(*fovea_cell(t, row, column) == '0' && isdigit((unsigned char)fovea_cell(t, row, column)[1])))
    row++;
  if (row == t->rows) return FOVEA_OK;
  return fovea_design_remark(p->design,
                             "the column %s has numbers that begin with 0, such as %.40s: they are amounts here, and "
                             "names by --categorical %s",
                             t->names[column], fovea_cell(t, row, column), t->names[column]);
}

static fovea_status read_variable(fovea_predictors *p, size_t column, bool as_factor, fovea_design_variable *v) {
  const fovea_design_options *o = p->options;
  fovea_column_kind kind = FOVEA_COLUMN_WORDS;
  fovea_status status = fovea_column_kind_of(p->table, column, &kind);
  as_factor = as_factor || is_named(o->categorical, o->categorical_count, p->table->names[column]);
  if (status) return status;
  if (kind == FOVEA_COLUMN_NUMBERS && !as_factor) {
    status = read_numbers(p, column, v);
    if (!status) status = remark_codes(p, column);
    return status || !p->of_sweep ? status : take_logarithms(p, column, v);
  }
  status = fovea_column_factor(p->table, column, v);
  if (!status) status = remark_cases(p, v);
  if (!status && !as_factor) status = remark_words(p, v);
  return status || as_factor ? status : settle_switch(p->table, v);
}

/* Whether the variable is of that column, or its logarithm. */
static bool is_of(const fovea_design_variable *v, const char *column) {
  const size_t length = strlen(column);
  if (!v->logarithm) return strcmp(v->name, column) == 0;
  return strncmp(v->name + strlen("log("), column, length) == 0 && strcmp(v->name + strlen("log(") + length, ")") == 0;
}

/* The variable of a column, which is added if it is new. */
static fovea_status add_variable(fovea_predictors *p, size_t column, bool as_factor, size_t *variable) {
  fovea_design *d = p->design;
  for (*variable = 0; *variable < d->variable_count; ++*variable)
    if (is_of(&d->variables[*variable], p->table->names[column])) return FOVEA_OK;
  fovea_design_variable *variables = realloc(d->variables, (d->variable_count + 1) * sizeof *variables);
  if (!variables) return no_memory();
  d->variables = variables;
  variables[d->variable_count] = (fovea_design_variable){0};
  return read_variable(p, column, as_factor, &variables[d->variable_count++]);
}

fovea_status fovea_predictors_find(void *user, const char *name, size_t *variable) {
  fovea_predictors *p = user;
  size_t column = 0;
  fovea_status status = fovea_column_require(p->table, name, &column);
  if (!status && column == p->response)
    status = fovea_fail(FOVEA_INVALID, "the response %s is among the predictors", name);
  if (!status && is_name(p->options->block, name))
    status = fovea_fail(FOVEA_INVALID, "the block %s is among the predictors", name);
  return status ? status : add_variable(p, column, false, variable);
}

static fovea_status add_predictor(fovea_predictors *p, const char *name) {
  size_t variable = 0;
  fovea_status status = fovea_predictors_find(p, name, &variable);
  return status ? status : fovea_terms_add(p->design, &variable, 1);
}

/* --- what the options ask for ------------------------------------------------------------------------------------ */

static fovea_status add_columns(fovea_predictors *p) {
  const fovea_design_options *o = p->options;
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; o->columns && i < o->column_count && !status; i++) {
    for (size_t j = 0; j < i && !status; j++)
      if (strcmp(o->columns[i], o->columns[j]) == 0)
        status = fovea_fail(FOVEA_INVALID, "the column %s is named twice", o->columns[i]);
    if (!status) status = add_predictor(p, o->columns[i]);
  }
  for (size_t i = 0; o->terms && i < o->term_count && !status; i++) {
    size_t column; /* a name may hold an operator */
    status = fovea_column_find(p->table, o->terms[i], &column)
                 ? add_predictor(p, o->terms[i])
                 : fovea_terms_read(p->design, o->terms[i], fovea_predictors_find, p);
  }
  return status;
}

static fovea_status add_others(fovea_predictors *p) {
  const fovea_table *t = p->table;
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < t->columns && !status; i++) {
    const bool other =
        i == p->response || is_name(p->options->block, t->names[i]) || is_name(p->options->cluster, t->names[i]);
    if (!other) status = add_predictor(p, t->names[i]);
  }
  if (!status && p->options->cluster && !is_name(p->options->block, p->options->cluster))
    status = fovea_design_remark(p->design, "%s tells the clusters, and is no predictor unless it is named as one",
                                 p->options->cluster);
  return status;
}

/* Adds a name to the list in *text. */
static fovea_status append_name(char **text, const char *name) {
  const size_t used = *text ? strlen(*text) : 0, size = used + strlen(name) + 3;
  char *longer = realloc(*text, size);
  if (!longer) return no_memory();
  *text = longer;
  snprintf(longer + used, size - used, "%s%s", used ? ", " : "", name);
  return FOVEA_OK;
}

/* The four, then the others in the order of the table. */
static fovea_status add_sweep_factors(fovea_predictors *p) {
  fovea_status status = fovea_sweep_check(p->table);
  for (size_t i = 0; i < FOVEA_SWEEP_FACTORS && !status; i++) {
    size_t column = 0;
    fovea_column_find(p->table, fovea_sweep_factors[i], &column);
    if (column != p->response && fovea_column_varies(p->table, column))
      status = add_predictor(p, fovea_sweep_factors[i]);
  }
  for (size_t i = 0; i < p->table->columns && !status; i++) {
    const char *name = p->table->names[i];
    if (is_named(fovea_sweep_factors, FOVEA_SWEEP_FACTORS, name) || !fovea_sweep_is_factor(name, NULL)) continue;
    if (i != p->response && fovea_column_varies(p->table, i)) status = add_predictor(p, name);
  }
  return status;
}

static fovea_status check_categorical(const fovea_predictors *p) {
  const fovea_design_options *o = p->options;
  for (size_t i = 0; i < o->categorical_count; i++) {
    bool found = false;
    for (size_t v = 0; v < p->design->variable_count; v++)
      found = found || strcmp(p->design->variables[v].name, o->categorical[i]) == 0;
    if (!found) return fovea_fail(FOVEA_INVALID, "the categorical column %s is no predictor", o->categorical[i]);
  }
  return FOVEA_OK;
}

/* The numbers of seeds are names, and many a block's of few; those of a measure are not meant so. */
static fovea_status remark_block(fovea_predictors *p, size_t column, const fovea_design_variable *v) {
  enum { FEW = 20 };
  double value;
  const bool numbers = fovea_number_parse(fovea_cell(p->table, 0, column), &value) == FOVEA_NUMBER_FINITE;
  bool fractions = false;
  for (size_t l = 0; l < v->level_count; l++) fractions = fractions || strpbrk(v->levels[l], ".eE");
  if (!numbers || (!fractions && v->level_count <= FEW)) return FOVEA_OK;
  return fovea_design_remark(p->design, "the block %s has numbers, which are names here: each of its %zu gets a column",
                             v->name, v->level_count);
}

static fovea_status add_block(fovea_predictors *p, const char *name) {
  size_t column = 0, variable = 0;
  fovea_status status = fovea_column_require(p->table, name, &column);
  if (!status && column == p->response) status = fovea_fail(FOVEA_INVALID, "the response %s is the block", name);
  if (!status) status = add_variable(p, column, true, &variable);
  if (!status) p->design->variables[variable].is_block = true;
  if (!status) status = remark_block(p, column, &p->design->variables[variable]);
  return status ? status : fovea_terms_add(p->design, &variable, 1);
}

/* --- what a sweep's design leaves out ---------------------------------------------------------------------------- */

static fovea_status name_ignored(fovea_predictors *p) {
  const fovea_table *t = p->table;
  char *names = NULL;
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < t->columns && !status; i++) {
    if (i == p->response || fovea_sweep_measures(t->names[i]) || fovea_sweep_is_factor(t->names[i], NULL) ||
        is_name(p->options->block, t->names[i]) || is_name(p->options->cluster, t->names[i]))
      continue;
    status = append_name(&names, t->names[i]);
  }
  if (!status && names)
    status = fovea_design_remark(p->design, "not among a sweep's own columns, and left out: %s", names);
  free(names);
  return status;
}

/* Terms without a column: a factor of one level beside what holds the mean. */
static fovea_status drop_empty(fovea_predictors *p) {
  fovea_design *d = p->design;
  char *names = NULL;
  size_t kept = 0;
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < d->term_count; i++) {
    fovea_design_term t = d->terms[i];
    t.count = 1;
    for (size_t f = 0; f < t.order; f++) t.count *= fovea_coding_width(&d->variables[t.variables[f]], t.full[f]);
    if (t.count > 0) {
      d->terms[kept++] = t;
      continue;
    }
    if (!status) status = append_name(&names, t.name);
    fovea_term_free(&t);
  }
  d->term_count = kept;
  if (!status && names) status = fovea_design_remark(d, "the same in every row, and left out: %s", names);
  free(names);
  return status;
}

/* A constant is in the design: the option's, or a column's that is a predictor. */
static bool has_constant(const fovea_predictors *p) {
  const fovea_design *d = p->design;
  bool constant = p->options->constant || p->sweep;
  for (size_t i = 0; i < d->term_count; i++)
    constant = constant ||
               (d->terms[i].order == 1 && fovea_variable_is_constant(&d->variables[d->terms[i].variables[0]], d->n));
  return constant;
}

/* What is said of a column again would replace what was said of it before; seen[variable_count]. */
static fovea_status say_once(const fovea_predictors *p, bool *seen, size_t variable, const char *what) {
  if (seen[variable])
    return fovea_fail(FOVEA_INVALID, "the column %s has two %s; give one", p->design->variables[variable].name, what);
  seen[variable] = true;
  return FOVEA_OK;
}

static fovea_status set_degree(fovea_predictors *p, const char *text, size_t *variable) {
  return fovea_predictors_set_degree(p, text, fovea_predictors_find, variable);
}

/* `set` takes each of the texts, and says which variable it is of. */
static fovea_status set_each(fovea_predictors *p, const char *const *texts, size_t count, const char *what,
                             fovea_status (*set)(fovea_predictors *p, const char *text, size_t *variable)) {
  bool *seen = calloc(p->table->columns + 1, sizeof *seen); /* a column makes one variable */
  fovea_status status = seen ? FOVEA_OK : no_memory();
  for (size_t i = 0; i < count && !status; i++) {
    size_t variable = 0;
    status = set(p, texts[i], &variable);
    if (!status) status = say_once(p, seen, variable, what);
  }
  free(seen);
  return status;
}

fovea_status fovea_predictors_add(fovea_predictors *p) {
  const fovea_design_options *o = p->options;
  size_t seed = 0;
  fovea_status status = p->sweep                                  ? add_sweep_factors(p)
                        : o->columns || o->terms || o->term_count ? add_columns(p)
                                                                  : add_others(p);
  if (!status) status = set_each(p, o->powers, o->power_count, "degrees", set_degree);
  if (!status) status = check_categorical(p);
  const bool blocks = p->sweep && !o->block && fovea_column_find(p->table, "seed", &seed) && seed != p->response &&
                      fovea_column_varies(p->table, seed);
  if (!status && (o->block || blocks)) status = add_block(p, o->block ? o->block : "seed");
  if (!status) status = fovea_predictors_set_first(p);
  if (!status) status = set_each(p, o->baselines, o->baseline_count, "baselines", fovea_predictors_set_baseline);
  if (!status) fovea_terms_arrange(p->design, has_constant(p), o->all_levels);
  if (!status && p->sweep) status = name_ignored(p);
  if (!status) status = drop_empty(p);
  if (!status && p->design->term_count == 0 && !p->sweep)
    status = fovea_fail(
        FOVEA_INVALID, "there is no column to predict %s from%s", p->table->names[p->response],
        p->table->columns == 1
            ? "; --separator says what stands between the columns, and a title above their names is to be deleted"
            : "");
  return status;
}
