/* Lists of names on the command line. */
#ifndef FOVEA_TOOLS_EXPERIMENT_LISTS_H
#define FOVEA_TOOLS_EXPERIMENT_LISTS_H

#include <stddef.h>

#include "fovea/status.h"

typedef struct list {
  char *text; /* what the items point into */
  const char **items;
  size_t count;
} list;

/* "a,\"b,c\",d": an item in quotes may hold commas, and a quote is doubled there; quotes that do not stand around the
 * whole item are part of it; blanks around an item are not. NULL is the empty list. FOVEA_INVALID for a quote that is
 * not closed, FOVEA_NO_MEMORY. */
fovea_status list_split(const char *option, const char *text, list *l);
void list_free(list *l);

#endif
