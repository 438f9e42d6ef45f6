/* What people are told of a result: on stderr as it comes, and kept, so that what is saved has it, too. */
#ifndef FOVEA_TOOLS_EXPERIMENT_REMARKS_H
#define FOVEA_TOOLS_EXPERIMENT_REMARKS_H

#include <jansson.h>

#include "fovea/stats.h"
#include "stats/text.h"

typedef struct remarks {
  const char *path; /* of the table */
  fovea_text kept;  /* a sentence a line; its bytes are the owner's */
} remarks;

/* Adds a sentence and says it. */
void remarks_tell(remarks *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Each line of the text, which may be NULL, is a sentence. */
void remarks_tell_lines(remarks *r, const char *lines);

/* "Remarks", a line for each, an empty line; NULL where there is none, or no memory, which r->kept.failed says. The
 * caller frees it. */
char *remarks_text(const remarks *r);

/* The sentences; NULL: no memory. */
json_t *remarks_json(const remarks *r);

#endif
