#include "stats/sentences.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* The change from one level to another, with what makes it. */
static void say_change(char *out, size_t size, const char *what, const char *response, const fovea_ols *o,
                       const fovea_estimate *e, const char *how) {
  const int decimals = fovea_decimals((e->high - e->low) / 2);
  const bool lowers = e->value<0, told = e->low> 0 || e->high < 0;
  const double sign = told && lowers ? -1 : 1, percent = 100 * (1 - o->alpha);
  const double near = sign * (lowers && told ? e->high : e->low), far = sign * (lowers && told ? e->low : e->high);
  if (told)
    snprintf(out, size, "%s %s %s by %.*f, %g%% interval %.*f to %.*f%s", what, lowers ? "lowers" : "raises", response,
             decimals, fabs(e->value), percent, decimals, near, decimals, far, how);
  else
    snprintf(out, size, "%s makes no difference to %s that can be told from noise: %.*f, %g%% interval %.*f to %.*f%s",
             what, response, decimals, e->value, percent, decimals, near, decimals, far, how);
}

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

static void say_two_levels(char *out, size_t size, const fovea_design_variable *v, const char *response,
                           const fovea_ols *o, const fovea_means *m) {
  const size_t room = strlen(v->name) + strlen(v->levels[0]) + strlen(v->levels[1]) + 64;
  char *what = malloc(room);
  if (!what) return;
  if (v->is_switch)
    snprintf(what, room, "%s", plain(v->name));
  else
    snprintf(what, room, "%s %s instead of %s", plain(v->name), v->levels[1], v->levels[0]);
  say_change(out, size, what, response, o, &m->differences[0], "");
  free(what);
}

static void say_many_levels(char *out, size_t size, const fovea_design_variable *v, const char *response,
                            const fovea_ols *o, const fovea_effect *effect, const fovea_means *m,
                            fovea_adjustment adjustment) {
  static const char *const by[] = {" (Tukey's)", " (Bonferroni's)", ""};
  size_t least, largest;
  find_ends(m, &least, &largest);
  const fovea_estimate *e = difference_of(m, least, largest);
  const int decimals = fovea_decimals((e->high - e->low) / 2);
  const double sign = e->level == largest ? 1 : -1;
  const double near = sign > 0 ? e->low : -e->high, far = sign > 0 ? e->high : -e->low;
  const bool matters = effect->p_value < o->alpha;
  int used =
      snprintf(out, size, "%s %s %s (F(%g, %g) = %.2f, p %s%.3f): ", plain(v->name),
               matters ? "matters to" : "makes no difference that can be told from noise to", response, effect->df,
               o->df_inference, effect->f_value, effect->p_value < 0.001 ? "< " : "= ", fmax(effect->p_value, 0.001));
  snprintf(out + used, size - (size_t)used, "lowest with %s, %.*f above it with %s, %g%% interval %.*f to %.*f%s",
           v->levels[least], decimals, fabs(e->value), v->levels[largest], 100 * (1 - o->alpha), decimals, near,
           decimals, far, by[adjustment]);
}

static bool all_told(const fovea_means *m) {
  bool told = m->difference_count > 0;
  for (size_t i = 0; i < m->difference_count; i++)
    told = told && isfinite(m->differences[i].low) && isfinite(m->differences[i].high);
  return told;
}

char *fovea_sentence(const fovea_design_variable *v, const char *response, const fovea_ols *o,
                     const fovea_effect *effect, const fovea_means *m, fovea_adjustment adjustment) {
  size_t size = 400 + strlen(v->name) + strlen(response);
  for (size_t l = 0; l < v->level_count; l++) size += strlen(v->levels[l]);
  char *out = calloc(size, 1);
  if (!out) return NULL;
  if (o->exact || !(o->df_resid > 0))
    snprintf(out, size, "%s: the fit leaves nothing to tell errors from", plain(v->name));
  else if (!all_told(m))
    snprintf(out, size, "%s: the table does not tell what it does to %s", plain(v->name), plain(response));
  else if (v->level_count == 2)
    say_two_levels(out, size, v, plain(response), o, m);
  else
    say_many_levels(out, size, v, plain(response), o, effect, m, adjustment);
  return out;
}
