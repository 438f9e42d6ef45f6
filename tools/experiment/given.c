#include "experiment/given.h"

#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "experiment/lists.h"

/* Whether the factor "name" or "name=levels" leaves nothing for its option to say. */
static bool ignores_option(const char *name, const char *levels, const run_options *o) {
  const bool dropout = strcmp(name, "dropout") == 0, attention = strcmp(name, "attention") == 0;
  if (dropout) return levels != NULL && levels[strspn(levels, " ")] != 'o';
  if (attention && levels == NULL) return o->attention == FOVEA_ATTENTION_NONE;
  return true;
}

fovea_status given_check_options(const char *factors, const run_options *o, const option *table, size_t count) {
  for (const char *item = factors;; item++) {
    item += strspn(item, " ");
    const size_t whole = strcspn(item, ","), name = strcspn(item, ",= ");
    const char *levels = strcspn(item, "=") < whole ? item + strcspn(item, "=") + 1 : NULL;
    for (size_t i = 0; i < count; i++) {
      const bool same = strlen(table[i].name) == name && strncmp(table[i].name, item, name) == 0;
      if (same && table[i].given && ignores_option(table[i].name, levels, o))
        return fovea_fail(FOVEA_INVALID, "--%s is given, but --factors has %.*s, which sets it: leave one of them out",
                          table[i].name, (int)whole, item);
    }
    item += whole;
    if (!*item) return FOVEA_OK;
  }
}

static fovea_status check_baseline(const char *item, const factor_list *factors) {
  const char *equals = strchr(item, '=');
  const size_t length = equals != NULL ? (size_t)(equals - item) : strlen(item);
  const factor *f = NULL;
  char levels[400] = "";
  for (size_t i = 0; i < factors->count; i++)
    if (strlen(factors->of[i].name) == length && strncmp(factors->of[i].name, item, length) == 0) f = &factors->of[i];
  if (equals == NULL || f == NULL || f->count < 2)
    return fovea_fail(FOVEA_INVALID, "--baseline: '%.80s' is not FACTOR=LEVEL of a factor that varies", item);
  const bool words = f < &factors->of[LEVELS_FOUR]
                         ? f->words[0][0] > '9'
                         : strchr("0123456789", f->words[0][0]) == NULL || strcmp(f->name, "arch") == 0;
  if (!words)
    return fovea_fail(FOVEA_INVALID, "--baseline: %s has numbers, and a slope instead of a baseline", f->name);
  for (size_t l = 0; l < f->count; l++) {
    const size_t used = strlen(levels);
    if (strcmp(f->words[l], equals + 1) == 0) return FOVEA_OK;
    snprintf(levels + used, sizeof levels - used, "%s%s", used > 0 ? ", " : "", f->words[l]);
  }
  return fovea_fail(FOVEA_INVALID, "--baseline: %s has no level '%.80s'; it has %s", f->name, equals + 1, levels);
}

fovea_status given_check_baselines(const char *text, const factor_list *factors) {
  list items;
  fovea_status status = list_split("--baseline", text, &items);
  if (status != FOVEA_OK) return status;
  for (size_t i = 0; i < items.count && status == FOVEA_OK; i++) status = check_baseline(items.items[i], factors);
  list_free(&items);
  return status;
}
