#include "head.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *ptx_read_file(const char *stem, const char *ending) {
  char path[4200];
  snprintf(path, sizeof path, "%s%s", stem, ending);
  FILE *file = fopen(path, "rb");
  if (!file) return NULL;
  fseek(file, 0, SEEK_END);
  const long length = ftell(file);
  char *text = length >= 0 ? malloc((size_t)length + 1) : NULL;
  rewind(file);
  if (text) text[fread(text, 1, (size_t)length, file)] = '\0';
  fclose(file);
  return text;
}

/* The next word of letters, digits, _, $ and ., behind what else there is before `end`; false: there is none. */
static bool word(const char **at, const char *end, char *to, size_t size) {
  const char *t = *at;
  while (t < end && !isalnum((unsigned char)*t) && !strchr("_$.", *t)) t++;
  size_t n = 0;
  for (; t < end && (isalnum((unsigned char)*t) || strchr("_$.", *t)); t++)
    if (n + 1 < size) to[n++] = *t;
  to[n] = '\0';
  *at = t;
  return n > 0;
}

/* Bytes of a type like .u32. */
static uint32_t bytes_of(const char *type) {
  return type[0] == '.' && type[1] && strchr("usfb", type[1]) ? (uint32_t)strtoul(type + 2, NULL, 10) / 8 : 0;
}

bool ptx_read_array(const char *text, ptx_array *array) {
  return sscanf(text, ".align %u .b8 %127[^[ \t][%u]", &array->align, array->name, &array->bytes) == 3;
}

/* One parameter: .param .TYPE [.ptr .SPACE .align N] NAME, or .param .align N .b8 NAME[BYTES]. */
static bool read_parameter(const char *at, const char *end, kernel_head *head) {
  char w[160];
  argument a = {.kind = BY_VALUE};
  uint32_t align = 0;
  if (head->argument_count == MOST_ARGUMENTS || !word(&at, end, w, sizeof w) || strcmp(w, ".param") != 0) return false;
  while (word(&at, end, w, sizeof w) && *w == '.') {
    if (strcmp(w, ".ptr") == 0) continue;
    if (strcmp(w, ".global") == 0 || strcmp(w, ".const") == 0) a.kind = GLOBAL_BUFFER;
    if (strcmp(w, ".shared") == 0) a.kind = DYNAMIC_LOCAL;
    if (bytes_of(w)) a.size = bytes_of(w);
    if (strcmp(w, ".align") != 0) continue;
    word(&at, end, w, sizeof w);
    align = a.size ? align : (uint32_t)strtoul(w, NULL, 10); /* of a pointer it is what that points at */
  }
  if (*at == '[') a.size = (uint32_t)strtoul(at + 1, NULL, 10);
  if (!a.size) return false;
  if (!align) align = a.size;
  a.offset = (head->argument_bytes + align - 1) / align * align;
  head->argument_bytes = a.offset + a.size;
  head->arguments[head->argument_count++] = a;
  return true;
}

/* What stands between the parameters and the body. */
static void read_directives(const char *at, const char *end, kernel_head *head) {
  char w[160];
  head->most_items = 1024;
  while (word(&at, end, w, sizeof w)) {
    const bool required = strcmp(w, ".reqntid") == 0;
    if (!required && strcmp(w, ".maxntid") != 0) continue;
    uint32_t n[3] = {1, 1, 1};
    sscanf(at, " %u, %u, %u", &n[0], &n[1], &n[2]);
    if (required) memcpy(head->required, n, sizeof n);
    if (n[0] * n[1] * n[2] < head->most_items) head->most_items = n[0] * n[1] * n[2];
  }
}

static bool read_head(const char *at, kernel_head *head, ptx_body *body) {
  const char *open = strchr(at, '('), *name = at;
  if (!open || !word(&name, open, head->name, sizeof head->name)) return false;
  const char *close = strchr(open, ')');
  if (!close) return false;
  for (const char *p = open + 1; p < close;) {
    const char *end = memchr(p, ',', (size_t)(close - p));
    if (!end) end = close;
    const char *text = p + strspn(p, " \t\r\n");
    if (text < end && !read_parameter(text, end, head)) return false;
    p = end + 1;
  }
  const char *brace = strchr(close, '{');
  if (!brace) return false;
  read_directives(close + 1, brace, head);
  body->begin = brace + 1;
  body->end = strstr(brace, "\n}");
  return body->end != NULL;
}

/* Names in it begin with the kernel's, or are its depot of private memory. */
static void read_memories(const ptx_body *body, kernel_head *head) {
  for (const char *t = body->begin; t && t < body->end; t = strchr(t, '\n')) {
    ptx_array a;
    t += strspn(t, " \t\n");
    uint32_t *bytes = strncmp(t, ".shared ", 8) == 0  ? &head->local_bytes
                      : strncmp(t, ".local ", 7) == 0 ? &head->private_bytes
                                                      : NULL;
    if (bytes && ptx_read_array(strchr(t, ' ') + 1, &a)) *bytes = (*bytes + a.align - 1) / a.align * a.align + a.bytes;
  }
}

/* .func (RESULT) NAME (PARAMETERS), and behind it a body, or ; where it is only declared. False: `name` is. */
static bool defines_functions(const char *text, char *name, size_t size) {
  for (const char *at = strstr(text, ".func "); at; at = strstr(at, ".func ")) {
    at += strlen(".func ");
    const char *end = at + strcspn(at, "{;"), *p = at + strspn(at, " ");
    if (*p == '(') p += strcspn(p, ")");
    if (*end == ';' && word(&p, end, name, size)) return false;
  }
  return true;
}

bool ptx_read_heads(const char *text, kernel_head *heads, ptx_body *bodies, size_t *count, char *message, size_t size) {
  char name[160];
  *count = 0;
  if (!defines_functions(text, name, sizeof name)) {
    snprintf(message, size, "it calls %s, which it does not define", name);
    return false;
  }
  for (const char *at = strstr(text, ".entry "); at; at = strstr(at, ".entry ")) {
    at += strlen(".entry ");
    if (*count == MOST_KERNELS) {
      snprintf(message, size, "more than %d kernels", MOST_KERNELS);
      return false;
    }
    kernel_head *head = &heads[*count];
    memset(head, 0, sizeof *head);
    if (!read_head(at, head, &bodies[*count])) {
      snprintf(message, size, "kernel %s: parameters that are not known: %.200s", head->name, at);
      return false;
    }
    read_memories(&bodies[*count], head);
    ++*count;
  }
  if (*count == 0) snprintf(message, size, "it has no kernel");
  return *count > 0;
}
