#include "reach/shard.h"

#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "cli/options.h"

fovea_status shard_parse(const char *text, shard *s) {
  char index[SHARD_TEXT];
  long long i = 0, n = 0;
  *s = (shard){0};
  if (!text) return FOVEA_OK;
  const size_t length = strcspn(text, "/");
  snprintf(index, sizeof index, "%.*s", (int)length, text);
  if (length >= sizeof index || text[length] != '/' || !options_read_int(text + length + 1, 1, SHARD_MOST, &n) ||
      !options_read_int(index, 1, (double)n, &i))
    return fovea_fail(FOVEA_INVALID,
                      "--shard: '%.100s' is not a part of a whole, such as 3/8, the third of eight: 1/8 "
                      "to 8/8, of at most %d",
                      text, SHARD_MOST);
  *s = (shard){(size_t)i, (size_t)n};
  return FOVEA_OK;
}

const char *shard_text(const shard *s, char text[SHARD_TEXT]) {
  snprintf(text, SHARD_TEXT, "%zu/%zu", s->index, s->count);
  return text;
}

bool shard_has(const shard *s, size_t place) {
  if (s->count == 0) return true;
  return (place % s->count + place / s->count) % s->count == s->index - 1;
}
