/* A CSV file that grows by a line, metrics.csv and results.csv: what a crash left of it, and numbers in it. */
#ifndef FOVEA_TOOLS_TRAIN_CSVLOG_H
#define FOVEA_TOOLS_TRAIN_CSVLOG_H

#include <stddef.h>

#include "fovea/status.h"

typedef struct csvlog {
  char *text;   /* what the lines point into; NULL: each is its own */
  char **lines; /* without the header and without newlines */
  size_t count;
  size_t header;  /* which of the headers it has */
  size_t damaged; /* lines left out */
} csvlog;

/* The complete lines of `path`: a torn last one, and one with another number of fields than the header, are left out
 * and counted. No lines when there is no file. `headers`, the first of which is today's, are those that it may begin
 * with: FOVEA_INVALID when it has none of them; FOVEA_IO; FOVEA_NO_MEMORY. */
fovea_status csvlog_read(const char *path, const char *const *headers, size_t header_count, csvlog *log);

/* Adds a copy of `line` to a log that began as {0} and was not read. FOVEA_NO_MEMORY. */
fovea_status csvlog_add(csvlog *log, const char *line);

/* Replaces `path` by the header and the log's lines. FOVEA_IO, FOVEA_NO_MEMORY. */
fovea_status csvlog_write(const char *path, const char *header, const csvlog *log);
void csvlog_free(csvlog *log);

/* Field `index` of a line without quotes, cut to size - 1 bytes; returns out. */
const char *csvlog_field(const char *line, size_t index, char *out, size_t size);

/* The shortest of %.15g, %.16g and %.17g that reads back as the same number; returns out. */
enum { CSVLOG_NUMBER = 32 };
const char *csvlog_number(double value, char out[CSVLOG_NUMBER]);

#endif
