#include "experiment/lists.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"

/* The end of the quoted text that starts at `s`: its closing quote, or NULL. */
static char *closing(char *s) {
  for (s++; *s; s++) {
    if (*s != '"') continue;
    if (s[1] != '"') return s;
    s++;
  }
  return NULL;
}

static void unquote(char *from, const char *end) {
  char *to = from;
  for (const char *s = from; s < end; s++) {
    if (*s == '"') s++;
    *to++ = *s;
  }
  *to = 0;
}

/* Takes the item at *s; *s is after its comma then, or NULL at the end. */
static fovea_status take(const char *option, char **s, const char **item) {
  char *start = *s + strspn(*s, " "), *end = *start == '"' ? closing(start) : NULL;
  char *after = end ? end + 1 + strspn(end + 1, " ") : start;
  if (*start == '"' && !end) return fovea_fail(FOVEA_INVALID, "%s: a quote is not closed in %s", option, start);
  if (end && (*after == ',' || !*after)) {
    *s = *after ? after + 1 : NULL;
    *item = start + 1;
    unquote(start + 1, end);
    return FOVEA_OK;
  }
  /* quotes inside are part of a term, "a,b":c, whose commas end nothing */
  char *comma = start;
  while (*comma && *comma != ',') {
    char *close = *comma == '"' ? closing(comma) : NULL;
    comma = close ? close + 1 : comma + 1;
  }
  *s = *comma ? comma + 1 : NULL;
  while (comma > start && comma[-1] == ' ') comma--;
  *comma = 0;
  *item = start;
  return FOVEA_OK;
}

fovea_status list_split(const char *option, const char *text, list *l) {
  *l = (list){0};
  if (!text) return FOVEA_OK;
  size_t most = 1;
  for (const char *s = text; *s; s++) most += *s == ',';
  l->text = strdup(text);
  l->items = malloc(most * sizeof *l->items);
  fovea_status status = l->text && l->items ? FOVEA_OK : fovea_fail(FOVEA_NO_MEMORY, "no memory for %s", option);
  for (char *s = l->text; s && !status;) status = take(option, &s, &l->items[l->count++]);
  if (status) list_free(l);
  return status;
}

void list_free(list *l) {
  free(l->text);
  free(l->items);
  *l = (list){0};
}
