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

fovea_status fovea_predictors_set_degree(fovea_predictors *p, const char *text, fovea_variable_lookup find) {
  char *name = NULL;
  size_t degree = 0, variable = 0;
  fovea_status status = fovea_power_split(text, &name, &degree);
  if (!status) status = find(p, name, &variable);
  if (!status) status = fovea_terms_add(p->design, &variable, 1);
  if (!status && p->design->variables[variable].degree == 0)
    status = fovea_fail(FOVEA_INVALID, "the column %s has no numbers to make powers of", name);
  if (!status) p->design->variables[variable].degree = degree;
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

static fovea_status choose(fovea_predictors *p, fovea_design_variable *v, const char *word, char *room) {
  if (v->degree > 0)
    return fovea_fail(FOVEA_INVALID, "the column %s has numbers and no baseline; --categorical %s takes them as names",
                      v->name, v->name);
  if (*word == '"' && fovea_name_read(&word, "", room)) word = room;
  for (size_t l = 0; l < v->level_count; l++)
    if (strcmp(v->levels[l], word) == 0) {
      make_first(v, l, p->design->n);
      return FOVEA_OK;
    }
  return fail_level(v, word);
}

fovea_status fovea_predictors_set_baseline(fovea_predictors *p, const char *text) {
  char *room = malloc(strlen(text) + 1);
  if (!room) return no_memory();
  fovea_design_variable *found = NULL;
  const char *word = NULL;
  for (size_t i = 0; i < p->design->variable_count && !found; i++) {
    word = after_name(text, p->design->variables[i].name, room);
    if (word) found = &p->design->variables[i];
  }
  fovea_status status =
      found ? choose(p, found, word, room)
            : fovea_fail(FOVEA_INVALID, "the baseline \"%s\" is of no predictor; it is NAME=LEVEL", text);
  free(room);
  return status;
}
