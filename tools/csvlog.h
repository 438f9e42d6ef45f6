/* A CSV file that grows by a line, metrics.csv and results.csv: what a crash left of it, and numbers in it. */
#ifndef FOVEA_TOOLS_CSVLOG_H
#define FOVEA_TOOLS_CSVLOG_H

#include <stddef.h>

#include "fovea/status.h"

typedef struct csvlog {
  char *text;   /* what the lines point into */
  char **lines; /* without the header and without newlines */
  size_t count;
} csvlog;

/* The complete lines of `path`: a torn last one, and one with another number of fields than the header, are left out.
 * No lines when there is no file. FOVEA_INVALID when it begins with another header; FOVEA_IO; FOVEA_NO_MEMORY. */
fovea_status csvlog_read(const char *path, const char *header, csvlog *log);

/* Replaces `path` by the header and the log's lines. FOVEA_IO, FOVEA_NO_MEMORY. */
fovea_status csvlog_write(const char *path, const char *header, const csvlog *log);
void csvlog_free(csvlog *log);

/* Field `index` of a line without quotes, cut to size - 1 bytes; returns out. */
const char *csvlog_field(const char *line, size_t index, char *out, size_t size);

/* The shortest of %.15g, %.16g and %.17g that reads back as the same number; returns out. */
enum { CSVLOG_NUMBER = 32 };
const char *csvlog_number(double value, char out[CSVLOG_NUMBER]);

#endif
