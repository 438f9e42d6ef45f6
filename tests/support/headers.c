#include "support/headers.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

static void expect(bool right, const char *what) {
  if (right) return;
  fprintf(stderr, "headers: not as expected: %s\n", what);
  abort();
}

/* Blanks out comments. */
static void strip(char *text) {
  for (char *at; (at = strstr(text, "/*"));) {
    char *end = strstr(at, "*/");
    expect(end != NULL, at);
    memset(at, ' ', (size_t)(end + 2 - at));
  }
}

static bool is_word(char c) { return isalnum((unsigned char)c) || c == '_'; }

/* The last word of text[length]; of "void (*say)(const char *line)" the one after "(*". */
static void name_of(const char *text, size_t length, char name[DECLARED_NAME]) {
  const char *to = text + length, *function = NULL;
  for (const char *p = text; p + 1 < to && !function; p++)
    if (p[0] == '(' && p[1] == '*') function = p + 2;
  if (function) {
    for (to = function; is_word(*to);) to++;
  } else {
    for (const char *p = text; p < to; p++)
      if (*p == '[') to = p;
    while (to > text && !is_word(to[-1])) to--;
  }
  const char *from = to;
  while (from > text && is_word(from[-1])) from--;
  snprintf(name, DECLARED_NAME, "%.*s", (int)(to - from), from);
}

static void add_parameter(declared *d, const char *text, size_t length) {
  if (!memchr(text, '*', length) && !memchr(text, '[', length)) return;
  expect(d->pointers < DECLARED_POINTERS, d->name);
  name_of(text, length, d->pointer[d->pointers++]);
}

/* From after the '(' to after its ')'. */
static const char *read_parameters(declared *d, const char *p) {
  const char *begin = p;
  for (int depth = 0; depth >= 0; p++) {
    expect(*p != '\0', d->name);
    if ((*p == ',' && depth == 0) || (*p == ')' && depth == 0)) {
      add_parameter(d, begin, (size_t)(p - begin));
      begin = p + 1;
    }
    depth += (*p == '(') - (*p == ')');
  }
  return p;
}

/* A declaration's text without the macro that exports it. */
static const char *after_macro(const char *line) {
  static const char macro[] = "FOVEA_API ";
  const size_t n = sizeof macro - 1;
  return strncmp(line, macro, n) == 0 ? line + n : line;
}

static size_t read_header(const char *text, declared *all, size_t count) {
  const char *line = text; /* where the declaration begins */
  for (const char *p = text; *p;) {
    if (*p == ';' || *p == '}' || *p == '\n') line = p + 1;
    size_t n = 0;
    while (is_word(p[n])) n++;
    if (strncmp(p, "fovea_", 6) == 0 && p[n] == '(' && n < DECLARED_NAME) {
      expect(count < MOST_DECLARED, "too many functions");
      declared *d = &all[count++];
      line = after_macro(line);
      *d = (declared){.speaks = strncmp(line, "fovea_status ", 13) == 0 || strncmp(line, "fovea_tensor ", 13) == 0};
      memcpy(d->name, p, n);
      p = read_parameters(d, p + n + 1);
      expect(*p == ';', d->name);
    } else {
      p += n ? n : 1;
    }
  }
  return count;
}

size_t declared_functions(declared all[MOST_DECLARED]) {
  size_t count = 0;
  DIR *folder = opendir(FOVEA_SOURCE_DIR "/include/fovea");
  expect(folder != NULL, "include/fovea");
  for (struct dirent *entry; (entry = readdir(folder));) {
    char path[1024];
    uint8_t *text = NULL;
    size_t size = 0;
    if (entry->d_name[0] == '.') continue;
    snprintf(path, sizeof path, "%s/include/fovea/%s", FOVEA_SOURCE_DIR, entry->d_name);
    expect(fovea_file_read(path, 1 << 20, &text, &size) == FOVEA_OK, path);
    strip((char *)text);
    count = read_header((const char *)text, all, count);
    free(text);
  }
  closedir(folder);
  return count;
}
