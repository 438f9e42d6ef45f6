#include "notes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct reader {
  kernel_code *kernel;
  uint32_t offset, size;
  char list[64]; /* the key whose list comes */
  int listed;
} reader;

static uint32_t number(const char *value) { return (uint32_t)strtoul(value, NULL, 0); }

/* An argument's keys come in the order of the alphabet: offset and size before its kind. */
static bool argument_key(reader *r, const char *key, const char *value) {
  if (strcmp(key, "offset") == 0) r->offset = number(value);
  if (strcmp(key, "size") == 0) r->size = number(value);
  if (strcmp(key, "value_kind") != 0) return true;
  kernel_code *k = r->kernel;
  if (strncmp(value, "hidden_", 7) == 0) {
    if (r->offset < k->hidden_offset) k->hidden_offset = r->offset;
    return true;
  }
  static const char *const kinds[] = {"by_value", "global_buffer", "dynamic_shared_pointer"};
  for (unsigned i = 0; i < 3; i++)
    if (strcmp(value, kinds[i]) == 0 && k->head.argument_count < MOST_ARGUMENTS) {
      argument *a = &k->head.arguments[k->head.argument_count++];
      a->kind = i == 0 ? BY_VALUE : i == 1 ? GLOBAL_BUFFER : DYNAMIC_LOCAL;
      a->offset = r->offset, a->size = r->size;
      return true;
    }
  return false;
}

static bool kernel_key(reader *r, const char *key, const char *value) {
  kernel_code *k = r->kernel;
  snprintf(r->list, sizeof r->list, "%s", key);
  r->listed = 0;
  if (strcmp(key, "name") == 0) snprintf(k->head.name, sizeof k->head.name, "%s", value);
  if (strcmp(key, "kernarg_segment_size") == 0) k->head.argument_bytes = number(value);
  if (strcmp(key, "group_segment_fixed_size") == 0) k->head.local_bytes = number(value);
  if (strcmp(key, "private_segment_fixed_size") == 0) k->head.private_bytes = number(value);
  if (strcmp(key, "max_flat_workgroup_size") == 0) k->head.most_items = number(value);
  if (strcmp(key, "vgpr_count") == 0) k->vectors = number(value) < 256 ? number(value) : 256;
  return true;
}

/* "    .key:   value" to key and value; false for another line. */
static bool split(char *line, char **key, char **value) {
  if (*line != '.') return false;
  char *colon = strchr(line, ':');
  if (!colon) return false;
  *colon = '\0';
  *key = line + 1;
  *value = colon + 1;
  while (**value == ' ') ++*value;
  const size_t n = strlen(*value);
  if (n >= 2 && **value == '\'' && (*value)[n - 1] == '\'') (*value)[n - 1] = '\0', ++*value;
  return true;
}

/* By the indentation: 2 a kernel, 4 its keys, 6 the items of a list, 8 an argument's keys. */
static bool read_line(reader *r, char *line, kernel_code *kernels, size_t *count) {
  char *key, *value;
  size_t depth = strspn(line, " ");
  line += depth;
  const bool item = line[0] == '-' && line[1] == ' ';
  if (item) line += 2;
  if (depth == 2 && item && *line == '.') {
    if (*count == MOST_KERNELS) return false;
    r->kernel = &kernels[(*count)++];
    memset(r->kernel, 0, sizeof *r->kernel);
    r->kernel->hidden_offset = ~0u;
    depth = 4;
  }
  if (!r->kernel || depth < 4) return true;
  if (depth == 6 && item && strcmp(r->list, "reqd_workgroup_size") == 0 && r->listed < 3)
    r->kernel->head.required[r->listed++] = number(line);
  if (!split(line, &key, &value)) return true;
  if (depth == 4) return kernel_key(r, key, value);
  return strcmp(r->list, "args") == 0 ? argument_key(r, key, value) : true;
}

bool notes_read(char *text, kernel_code *kernels, size_t *count, char *message, size_t size) {
  reader r = {0};
  char *save = NULL;
  *count = 0;
  for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
    char copy[200];
    snprintf(copy, sizeof copy, "%s", line);
    if (!read_line(&r, line, kernels, count)) {
      snprintf(message, size, "kernel %s: metadata that is not known: %s", r.kernel ? r.kernel->head.name : "", copy);
      return false;
    }
  }
  return true;
}
