#include "runtime/source.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/environment.h"
#include "base/fail.h"
#include "base/file.h"
#include "runtime/kernels.h"

enum { MAX_FILES = 32, MAX_NAME = 128, MAX_SOURCE = 16 << 20 };

typedef struct expansion {
  char *text;
  size_t length, capacity;
  char seen[MAX_FILES][MAX_NAME];
  size_t seen_count;
} expansion;

static fovea_status append(expansion *e, const char *text, size_t length) {
  if (e->length + length + 1 > e->capacity) {
    size_t capacity = 2 * (e->length + length + 1);
    char *more = realloc(e->text, capacity);
    if (!more) return fovea_fail(FOVEA_NO_MEMORY, "out of memory for %zu bytes of kernel source", capacity);
    e->text = more;
    e->capacity = capacity;
  }
  memcpy(e->text + e->length, text, length);
  e->length += length;
  e->text[e->length] = '\0';
  return FOVEA_OK;
}

static fovea_status append_line_directive(expansion *e, unsigned line, const char *file) {
  char text[MAX_NAME + 32];
  int n = snprintf(text, sizeof text, "#line %u \"%s\"\n", line, file);
  return append(e, text, (size_t)n);
}

/* *text is the file's text; *owned is what to free, or NULL for an embedded one. */
static fovea_status find_text(const char *file, const char **text, uint8_t **owned) {
  const char *directory = fovea_environment("FOVEA_CL_DIR");
  if (directory) {
    char path[4096];
    size_t size = 0;
    int n = snprintf(path, sizeof path, "%s/%s", directory, file);
    if (n > 0 && (size_t)n < sizeof path && access(path, F_OK) == 0) {
      fovea_status status = fovea_file_read(path, MAX_SOURCE, owned, &size);
      if (!status) *text = (const char *)*owned;
      return status;
    }
  }
  for (const fovea_kernel_file *k = fovea_kernel_files; k->name; k++) {
    if (strcmp(k->name, file) == 0) {
      *text = k->text;
      return FOVEA_OK;
    }
  }
  return fovea_fail(FOVEA_INVALID, "no kernel file %s%s%s", file, directory ? ", nor in FOVEA_CL_DIR=" : "",
                    directory ? directory : "");
}

/* Whether the line is #include "name", and its name. */
static bool is_include(const char *line, size_t length, char name[MAX_NAME]) {
  const char *end = line + length, *p = line;
  while (p < end && (*p == ' ' || *p == '\t')) p++;
  if (p == end || *p++ != '#') return false;
  while (p < end && (*p == ' ' || *p == '\t')) p++;
  if ((size_t)(end - p) < 7 || memcmp(p, "include", 7) != 0) return false;
  p += 7;
  while (p < end && (*p == ' ' || *p == '\t')) p++;
  if (p == end || *p++ != '"') return false;
  const char *close = memchr(p, '"', (size_t)(end - p));
  if (!close || close == p || close - p >= MAX_NAME) return false;
  memcpy(name, p, (size_t)(close - p));
  name[close - p] = '\0';
  return true;
}

static bool seen_before(const expansion *e, const char *file) {
  for (size_t i = 0; i < e->seen_count; i++) {
    if (strcmp(e->seen[i], file) == 0) return true;
  }
  return false;
}

/* Recursion ends, since no file is expanded twice. */
static fovea_status expand(expansion *e, const char *file) {
  const char *text = NULL;
  uint8_t *owned = NULL;
  if (strlen(file) >= MAX_NAME) return fovea_fail(FOVEA_INVALID, "kernel file name %s is too long", file);
  if (e->seen_count == MAX_FILES) return fovea_fail(FOVEA_INVALID, "%s: more than %d kernel files", file, MAX_FILES);
  snprintf(e->seen[e->seen_count++], MAX_NAME, "%s", file);
  fovea_status status = find_text(file, &text, &owned);
  if (!status) status = append_line_directive(e, 1, file);
  for (unsigned line = 1; !status && *text; line++) {
    const char *newline = strchr(text, '\n');
    size_t length = newline ? (size_t)(newline - text) : strlen(text);
    char name[MAX_NAME];
    if (!is_include(text, length, name)) {
      status = append(e, text, length);
      if (!status) status = append(e, "\n", 1);
    } else if (seen_before(e, name)) {
      status = append(e, "\n", 1);
    } else {
      status = expand(e, name);
      if (status) fovea_fail_in(status, "%s:%u", file, line);
      if (!status) status = append_line_directive(e, line + 1, file);
    }
    text += length + (newline != NULL);
  }
  free(owned);
  return status;
}

fovea_status fovea_source_read(const char *file, char **text) {
  expansion *e = calloc(1, sizeof *e);
  if (!e) return fovea_fail(FOVEA_NO_MEMORY, "out of memory for kernel source %s", file);
  fovea_status status = expand(e, file);
  if (!status) {
    *text = e->text;
    e->text = NULL;
  }
  free(e->text);
  free(e);
  return status;
}
