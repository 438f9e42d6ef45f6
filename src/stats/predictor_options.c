/* Powers and baselines: what options say of predictors. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "stats/predictors.h"
#include "stats/terms.h"

static fovea_status no_memory(void) { return fovea_fail(FOVEA_NO_MEMORY, "design: no memory"); }

/* --- powers ------------------------------------------------------------------------------------------------------ */

fovea_status fovea_power_split(const char *text, char **name, size_t *degree) {
  enum { MOST = 30 };
  const char *colon = *text == '"' ? text : strrchr(text, ':');
  char *end = NULL;
  *name = malloc(strlen(text) + 1);
  if (!*name) return no_memory();
  bool named = colon && colon > text;
  if (named) {
    memcpy(*name, text, (size_t)(colon - text));
    (*name)[colon - text] = 0;
  } else if (colon) {
    named = fovea_name_read(&colon, "", *name) && *colon == ':' && **name;
  }
  const long number = named ? strtol(colon + 1, &end, 10) : 0;
  if (!named || *end || number < 1 || number > MOST || colon[1] < '0' || colon[1] > '9')
    return fovea_fail(FOVEA_INVALID, "\"%s\" is no column and degree, such as x:3; the degree may be 1 to %d", text,
                      MOST);
  *degree = (size_t)number;
  return FOVEA_OK;
}

fovea_status fovea_predictors_set_degree(fovea_predictors *p, const char *text, fovea_variable_lookup find,
                                         size_t *variable) {
  char *name = NULL;
  size_t degree = 0;
  fovea_status status = fovea_power_split(text, &name, &degree);
  if (!status) status = find(p, name, variable);
  if (!status) status = fovea_terms_add(p->design, variable, 1);
  if (!status && p->design->variables[*variable].degree == 0)
    status = fovea_fail(FOVEA_INVALID, "the column %s has no numbers to make powers of", name);
  if (!status) p->design->variables[*variable].degree = degree;
  free(name);
  return status;
}

/* --- baselines --------------------------------------------------------------------------------------------------- */

/* Moves a level to the front. */
static void make_first(fovea_design_variable *v, size_t level, size_t n) {
  char *word = v->levels[level];
  memmove(v->levels + 1, v->levels, level * sizeof *v->levels);
  v->levels[0] = word;
  for (size_t i = 0; i < n; i++) v->at[i] = v->at[i] == level ? 0 : v->at[i] + (v->at[i] < level);
  v->is_switch = v->is_switch && level == 0;
}

static fovea_status fail_level(const fovea_design_variable *v, const char *word) {
  char list[400] = "";
  for (size_t i = 0; i < v->level_count && strlen(list) < 300; i++) {
    const size_t used = strlen(list);
    snprintf(list + used, sizeof list - used, "%s%.80s", i ? ", " : "", v->levels[i]);
  }
  return fovea_fail(FOVEA_INVALID, "the column %s has no level %s to be its baseline; it has %s", v->name, word, list);
}

/* Where LEVEL begins if `text` is "NAME=LEVEL" of that name, which may hold = itself; else NULL. */
static const char *after_name(const char *text, const char *name, char *room) {
  const size_t length = strlen(name);
  if (*text != '"') return strncmp(text, name, length) == 0 && text[length] == '=' ? text + length + 1 : NULL;
  return fovea_name_read(&text, "", room) && strcmp(room, name) == 0 && *text == '=' ? text + 1 : NULL;
}

static size_t find_level(const fovea_design_variable *v, const char *word) {
  size_t l = 0;
  while (l < v->level_count && strcmp(v->levels[l], word) != 0) l++;
  return l;
}

/* LEVEL of "NAME=LEVEL" in *word, where it is about the variable; `room` is as long as the text. */
static bool is_about(const fovea_design_variable *v, const char *text, char *room, const char **word) {
  *word = after_name(text, v->name, room);
  if (*word && **word == '"' && fovea_name_read(word, "", room)) *word = room;
  return *word != NULL;
}

fovea_status fovea_predictors_set_baseline(fovea_predictors *p, const char *text, size_t *variable) {
  char *room = malloc(strlen(text) + 1);
  if (!room) return no_memory();
  const char *word = NULL;
  fovea_design_variable *v = p->design->variables, *end = v + p->design->variable_count;
  fovea_status status = FOVEA_OK;
  while (v < end && !is_about(v, text, room, &word)) v++;
  *variable = (size_t)(v - p->design->variables);
  if (v == end)
    status = fovea_fail(FOVEA_INVALID, "the baseline \"%s\" is of no predictor; it is NAME=LEVEL", text);
  else if (v->degree > 0)
    status =
        fovea_fail(FOVEA_INVALID, "the column %s has numbers and no baseline; --categorical %s takes them as names",
                   v->name, v->name);
  else if (find_level(v, word) == v->level_count)
    status = fail_level(v, word);
  else
    make_first(v, find_level(v, word), p->design->n);
  free(room);
  return status;
}

/* The level that comes first unless a baseline does: the last that is named, else a sweep's none; the first if none is.
 */
static fovea_status find_first(const fovea_predictors *p, const fovea_design_variable *v, size_t *level) {
  const fovea_design_options *o = p->options;
  *level = p->of_sweep && strcmp(v->name, "attention") == 0 ? find_level(v, "none") : v->level_count;
  for (size_t i = 0; i < o->first_level_count + o->baseline_count; i++) {
    const bool named = i < o->first_level_count;
    const char *text = named ? o->first_levels[i] : o->baselines[i - o->first_level_count], *word = NULL;
    char *room = malloc(strlen(text) + 1);
    if (!room) return no_memory();
    const bool about = is_about(v, text, room, &word);
    if (about && named && find_level(v, word) < v->level_count) *level = find_level(v, word);
    if (about && !named) *level = v->level_count;
    free(room);
  }
  if (*level == v->level_count) *level = 0;
  return FOVEA_OK;
}

fovea_status fovea_predictors_set_first(fovea_predictors *p) {
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < p->design->variable_count && !status; i++) {
    fovea_design_variable *v = &p->design->variables[i];
    size_t level = 0;
    if (v->degree > 0 || v->is_switch) continue;
    status = find_first(p, v, &level);
    if (!status && level > 0) make_first(v, level, p->design->n);
  }
  return status;
}
