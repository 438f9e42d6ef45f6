/* A part of a list that several processes divide among them, without a word to each other. */
#ifndef FOVEA_TOOLS_REACH_SHARD_H
#define FOVEA_TOOLS_REACH_SHARD_H

#include <stdbool.h>
#include <stddef.h>

#include "fovea/status.h"

enum { SHARD_MOST = 100000, SHARD_TEXT = 16 };

typedef struct shard {
  size_t index, count; /* 3 and 8: the third of eight, from 1; count 0: all of it */
} shard;

/* "3/8"; NULL is all. FOVEA_INVALID, with what it may be. */
fovea_status shard_parse(const char *text, shard *s);

/* "3/8" again; returns text. */
const char *shard_text(const shard *s, char text[SHARD_TEXT]);

/* Whether the shard has item `place` of the list, from 0. Each shard has one of any `count` items in a row that begin
 * at a multiple of that, so that no two differ by more than one item; each round begins one shard later, so that a
 * period of the list, such as the levels of its innermost factor, does not give one shard all items of a kind. */
bool shard_has(const shard *s, size_t place);

#endif
