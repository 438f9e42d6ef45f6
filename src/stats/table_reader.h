/* The lines of a table as fields. */
#ifndef FOVEA_STATS_TABLE_READER_H
#define FOVEA_STATS_TABLE_READER_H

#include "stats/table.h"

/* Where the reader stands. Fields are unquoted in place: what is written never passes what is read. */
typedef struct fovea_table_reader {
  const char *path;
  char *at, *end;
  size_t line; /* of `at`, from 1 */
  char separator;
  size_t fields; /* of each line, if they are known and more than one: then a line of as many is no comment */
  size_t comments, trimmed; /* lines that are comments; words that had blanks around them */
} fovea_table_reader;

typedef struct fovea_table_fields {
  char **items; /* into the text */
  size_t count, room;
  bool quoted; /* one of them was */
} fovea_table_fields;

fovea_status fovea_table_add_field(fovea_table_fields *fields, char *field);

/* Adds the next line's fields to `fields`; *count is 0 for a line that is passed over, an empty one or a comment. */
fovea_status fovea_table_read_line(fovea_table_reader *in, fovea_table_fields *fields, size_t *count);

#endif
