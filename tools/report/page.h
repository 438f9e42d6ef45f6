/* A report: one JSON object, which the page's script draws, and the template around it. */
#ifndef FOVEA_TOOLS_REPORT_PAGE_H
#define FOVEA_TOOLS_REPORT_PAGE_H

#include <jansson.h>
#include <stdbool.h>

#include "fovea/status.h"

typedef struct page {
  json_t *root;    /* what is shown */
  json_t *missing; /* of root: sentences on what could not be shown, and why */
  bool failed;     /* no memory for a value; page_write says so */
} page;

/* kind: "run" or "sweep". To be ended by page_end, also on failure. FOVEA_NO_MEMORY. */
fovea_status page_begin(page *p, const char *kind, const char *dir);
void page_end(page *p);

/* Takes the value, which may be NULL for no memory: p->failed. */
void page_set(page *p, json_t *object, const char *key, json_t *value);
void page_add(page *p, json_t *array, json_t *value);

/* A text of any bytes: what is not UTF-8 becomes U+FFFD. */
json_t *page_text(const char *bytes);

/* null where it is not finite; with four digits, as pictures need them. */
json_t *page_number(double value);
json_t *page_short(double value);

/* Adds a sentence to what is missing, and says it on stderr. */
__attribute__((format(printf, 2, 3))) void page_miss(page *p, const char *format, ...);

/* The whole page as text, which the caller frees: the object in the template, with no `<` of a value in it.
 * FOVEA_NO_MEMORY. */
fovea_status page_html(const page *p, char **text);

#endif
