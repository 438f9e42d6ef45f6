#include "stats/sentences.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "stats/notes.h"
#include "stats/numbers.h"
#include "stats/text.h"

/* What a sweep's columns are called. */
static const char *plain(const char *name) {
  static const char *const names[][2] = {{"batchnorm", "batch normalization"},
                                         {"test_loss", "the test loss"},
                                         {"test_bce", "the test cross-entropy"},
                                         {"test_kl", "the test KL divergence"},
                                         {"log(test_loss)", "the logarithm of the test loss"}};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp(name, names[i][0]) == 0) return names[i][1];
  return name;
}

int fovea_decimals(double width) {
  return width > 0 && isfinite(width) ? (int)fmin(fmax(1 - floor(log10(width)), 0), 15) : 6;
}

/* --- parts ------------------------------------------------------------------------------------------------------- */

static void put_fixed(fovea_text *t, int decimals, double value) {
  char number[350];
  fovea_fixed(number, sizeof number, decimals, value);
  fovea_text_add(t, number);
}

/* "0.018, 95% interval 0.004 to 0.032"; `what` and `of` follow the 0.018 */
static void put_amount(fovea_text *t, const fovea_ols *o, double value, const char *what, const char *of, double near,
                       double far) {
  const int decimals = fovea_decimals(fabs(far - near) / 2);
  put_fixed(t, decimals, value);
  fovea_text_add(t, what);
  fovea_text_add(t, of);
  fovea_text_print(t, ", %g%% interval ", 100 * (1 - o->alpha));
  put_fixed(t, decimals, near);
  fovea_text_add(t, " to ");
  put_fixed(t, decimals, far);
}

/* "F(3, 87) = 82.67, p < 0.001" */
static void put_test(fovea_text *t, const fovea_ols *o, const fovea_effect *effect) {
  fovea_text_print(t, "F(%g, %g) = %.2f, p %s%.3f", effect->df, o->df_inference, effect->f_value,
                   effect->p_value < 0.001 ? "< " : "= ", fmax(effect->p_value, 0.001));
}

static bool is_told(const fovea_estimate *e) { return e->low > 0 || e->high < 0; }

/* What follows the name of what makes the change. */
static void put_change(fovea_text *t, const char *response, const fovea_ols *o, const fovea_estimate *e) {
  if (is_told(e)) {
    fovea_text_add(t, e->value < 0 ? " lowers " : " raises ");
    fovea_text_add(t, response);
    fovea_text_add(t, " by ");
    if (e->value < 0)
      put_amount(t, o, -e->value, "", "", -e->high, -e->low);
    else
      put_amount(t, o, e->value, "", "", e->low, e->high);
  } else {
    fovea_text_add(t, " makes no difference to ");
    fovea_text_add(t, response);
    fovea_text_add(t, " that can be told from noise: ");
    put_amount(t, o, e->value, "", "", e->low, e->high);
  }
}

/* "activation matters to the test loss (F(3, 87) = 82.67, p < 0.001)" */
static void put_joint_test(fovea_text *t, const char *what, const char *response, const fovea_ols *o,
                           const fovea_effect *effect) {
  fovea_text_add(t, what);
  fovea_text_add(t,
                 effect->p_value < o->alpha ? " matters to " : " makes no difference that can be told from noise to ");
  fovea_text_add(t, response);
  fovea_text_add(t, " (");
  put_test(t, o, effect);
  fovea_text_add(t, ")");
}

/* --- factors ----------------------------------------------------------------------------------------------------- */

/* The levels with the least and the largest mean. */
static void find_ends(const fovea_means *m, size_t *least, size_t *largest) {
  *least = *largest = 0;
  for (size_t i = 0; i < m->count; i++) {
    if (m->means[i].value < m->means[*least].value) *least = i;
    if (m->means[i].value > m->means[*largest].value) *largest = i;
  }
}

static const fovea_estimate *difference_of(const fovea_means *m, size_t a, size_t b) {
  for (size_t i = 0; i < m->difference_count; i++) {
    const fovea_estimate *e = &m->differences[i];
    if ((e->level == a && e->reference == b) || (e->level == b && e->reference == a)) return e;
  }
  return NULL;
}

static void put_two_levels(fovea_text *t, const fovea_design_variable *v, const char *response, const fovea_ols *o,
                           const fovea_means *m) {
  fovea_text_add(t, plain(v->name));
  if (!v->is_switch) {
    fovea_text_add(t, " ");
    fovea_text_add(t, v->levels[1]);
    fovea_text_add(t, " instead of ");
    fovea_text_add(t, v->levels[0]);
  }
  put_change(t, response, o, &m->differences[0]);
}

/* " (relu and selu cannot be told from it)": the levels whose difference from the lowest may be 0. */
static void put_ties(fovea_text *t, const fovea_design_variable *v, const fovea_means *m, size_t least) {
  enum { NAMED = 4 };
  size_t ties = 0, at = 0;
  for (size_t l = 0; l < m->count; l++) ties += l != least && !is_told(difference_of(m, l, least));
  if (ties == 0) return;
  fovea_text_add(t, " (");
  const size_t named = ties <= NAMED ? ties : NAMED - 1;
  for (size_t l = 0; l < m->count && at < named; l++) {
    if (l == least || is_told(difference_of(m, l, least))) continue;
    fovea_text_add(t, at == 0 ? "" : at + 1 == ties ? " and " : ", ");
    fovea_text_add(t, v->levels[l]);
    at++;
  }
  if (named < ties) fovea_text_print(t, " and %zu others", ties - named);
  fovea_text_add(t, " cannot be told from it)");
}

static void put_many_levels(fovea_text *t, const fovea_design_variable *v, const char *response, const fovea_ols *o,
                            const fovea_effect *effect, const fovea_means *m, fovea_adjustment adjustment) {
  static const char *const by[] = {" (Tukey's)", " (Bonferroni's)", ""};
  size_t least, largest;
  find_ends(m, &least, &largest);
  const fovea_estimate *e = difference_of(m, least, largest);
  const bool upward = e->level == largest, told = effect->p_value < o->alpha && is_told(e);
  put_joint_test(t, plain(v->name), response, o, effect);
  fovea_text_add(t, told ? ": lowest with " : ": its means differ most between ");
  fovea_text_add(t, v->levels[least]);
  if (told) put_ties(t, v, m, least);
  if (!told) fovea_text_add(t, " and ");
  if (!told) fovea_text_add(t, v->levels[largest]);
  fovea_text_add(t, told ? ", " : ", by ");
  put_amount(t, o, fabs(e->value), told ? " above it with " : "", told ? v->levels[largest] : "",
             upward ? e->low : -e->high, upward ? e->high : -e->low);
  fovea_text_add(t, by[adjustment]);
}

/* How far the fit tells an effect: its size, and its interval. */
typedef struct extent {
  bool size, interval;
} extent;

static extent extent_of(const fovea_estimate *estimates, size_t count) {
  extent all = {count > 0, count > 0};
  for (size_t i = 0; i < count; i++) {
    all.size = all.size && isfinite(estimates[i].value);
    all.interval = all.interval && isfinite(estimates[i].low) && isfinite(estimates[i].high);
  }
  return all;
}

/* Where there is nothing to say of numbers. */
static bool put_nothing(fovea_text *t, const char *name, const char *response, const fovea_ols *o, extent known) {
  const bool noise = fovea_ols_is_noise(o) && known.size;
  if (!fovea_ols_is_noise(o) && known.interval) return false;
  fovea_text_add(t, name);
  fovea_text_add(t,
                 noise ? ": the fit leaves nothing to tell errors from" : ": the table does not tell what it does to ");
  if (!noise) fovea_text_add(t, response);
  return true;
}

static char *taken(fovea_text *t) {
  if (!t->failed) return t->bytes;
  free(t->bytes);
  return NULL;
}

char *fovea_sentence(const fovea_design_variable *v, const char *response, const fovea_ols *o,
                     const fovea_effect *effect, const fovea_means *m, fovea_adjustment adjustment) {
  fovea_text t = {0};
  if (put_nothing(&t, plain(v->name), plain(response), o, extent_of(m->differences, m->difference_count)))
    return taken(&t);
  if (v->level_count == 2)
    put_two_levels(&t, v, plain(response), o, m);
  else
    put_many_levels(&t, v, plain(response), o, effect, m, adjustment);
  return taken(&t);
}

/* --- numbers ----------------------------------------------------------------------------------------------------- */

/* "raising latent by 1" */
static void put_step(fovea_text *t, const fovea_slope *s) {
  fovea_text_add(t, !s->logarithm ? "raising " : s->step > 2 ? "multiplying " : "doubling ");
  fovea_text_add(t, s->name);
  if (!s->logarithm || s->step > 2) fovea_text_print(t, " by %g", s->step);
}

static char *say_slope(const fovea_design_variable *v, const char *response, const fovea_ols *o,
                       const fovea_effect *effect, const fovea_slope *s) {
  fovea_text t = {0};
  const bool powers = v->degree > 1;
  const bool tested = isfinite(effect->p_value);
  /* powers that are told have a joint test, and of a fit without errors none has */
  const extent known = powers ? (extent){tested || fovea_ols_is_noise(o), tested} : extent_of(&s->change, 1);
  if (put_nothing(&t, s->name, response, o, known)) return taken(&t);
  if (powers) {
    fovea_text what = {0};
    fovea_text_add(&what, s->name);
    fovea_text_print(&what, ", with its powers to %zu,", v->degree);
    put_joint_test(&t, what.failed ? s->name : what.bytes, response, o, effect);
    free(what.bytes);
  } else {
    put_step(&t, s);
    put_change(&t, response, o, &s->change);
  }
  return taken(&t);
}

static char *say_fit(const fovea_design_variable *v, const fovea_ols *o, const fovea_slope *s) {
  const bool lacks = s->lack.p_value < o->alpha;
  const fovea_ols wider = {.df_inference = o->covariance == FOVEA_CLUSTER ? o->df_inference : o->df_resid - s->lack.df};
  fovea_text t = {0};
  fovea_text_add(&t, lacks ? "but the means at its " : "nothing speaks against ");
  if (!lacks) fovea_text_print(&t, "%s through the means at its ", v->degree > 1 ? "these powers" : "a straight line");
  fovea_text_print(&t, "%zu values ", s->value_count);
  if (lacks) fovea_text_print(&t, "do not lie on %s ", v->degree > 1 ? "these powers" : "a straight line");
  if (v->logarithm) fovea_text_add(&t, "over its logarithm ");
  fovea_text_add(&t, "(lack of fit, ");
  put_test(&t, &wider, &s->lack);
  fovea_text_add(&t, lacks ? "): what each does, below, says more" : ")");
  return taken(&t);
}

fovea_status fovea_slope_say(const fovea_design_variable *v, const char *response, const fovea_ols *o,
                             const fovea_effect *effect, fovea_slope *s) {
  fovea_text name = {0};
  fovea_text_add(&name, s->name);
  fovea_text_print(&name, s->logarithm ? ", %g times as much" : ", %g more", s->step);
  s->change.name = taken(&name);
  s->sentence = say_slope(v, plain(response), o, effect, s);
  const bool known = s->lack.df > 0 && isfinite(s->lack.p_value);
  if (known) s->fit = say_fit(v, o, s);
  if (s->change.name && s->sentence && (s->fit || !known)) return FOVEA_OK;
  return fovea_fail(FOVEA_NO_MEMORY, "slopes: no memory");
}
