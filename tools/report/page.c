#include "report/page.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "cli/progress.h"
#include "fovea/fovea.h"
#include "report/template.h"
#include "stats/text.h"

/* --- values ------------------------------------------------------------------------------------------------------ */

/* The bytes of the character that `s` begins with, or 0 where none does: jansson takes UTF-8 alone. */
static size_t character(const char *s) {
  for (size_t n = 1; n <= 4 && s[n - 1]; n++) {
    json_t *value = json_stringn(s, n);
    json_decref(value);
    if (value) return n;
  }
  return 0;
}

json_t *page_text(const char *bytes) {
  static const char replacement[] = "\xEF\xBF\xBD";
  fovea_text t = {0};
  for (const char *s = bytes; *s;) {
    const size_t n = character(s);
    if (n > 0) fovea_text_put(&t, s, n);
    if (n == 0) fovea_text_add(&t, replacement);
    s += n > 0 ? n : 1;
  }
  json_t *value = t.failed ? NULL : json_string(t.bytes ? t.bytes : "");
  free(t.bytes);
  return value;
}

json_t *page_number(double value) { return isfinite(value) ? json_real(value) : json_null(); }

json_t *page_short(double value) {
  char text[32];
  snprintf(text, sizeof text, "%.4g", value);
  return page_number(strtod(text, NULL));
}

void page_set(page *p, json_t *object, const char *key, json_t *value) {
  if (json_object_set_new(object, key, value) != 0) p->failed = true;
}

void page_add(page *p, json_t *array, json_t *value) {
  if (json_array_append_new(array, value) != 0) p->failed = true;
}

void page_miss(page *p, const char *format, ...) {
  char sentence[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(sentence, sizeof sentence, format, arguments);
  va_end(arguments);
  progress_tell("fovea: %s", sentence);
  page_add(p, p->missing, page_text(sentence));
}

fovea_status page_begin(page *p, const char *kind, const char *dir) {
  *p = (page){.root = json_object()};
  if (!p->root) return fovea_fail(FOVEA_NO_MEMORY, "no memory for a report");
  p->missing = json_array();
  page_set(p, p->root, "missing", p->missing);
  page_set(p, p->root, "kind", json_string(kind));
  page_set(p, p->root, "dir", page_text(dir));
  page_set(p, p->root, "version", json_string(FOVEA_VERSION));
  return p->failed ? fovea_fail(FOVEA_NO_MEMORY, "no memory for a report") : FOVEA_OK;
}

void page_end(page *p) {
  json_decref(p->root);
  *p = (page){0};
}

/* --- the template ------------------------------------------------------------------------------------------------ */

static const char *file_text(const char *name, size_t length) {
  for (const template_file *f = template_files; f->name; f++)
    if (strlen(f->name) == length && strncmp(f->name, name, length) == 0) return f->text;
  return "";
}

/* JSON inside <script>: "</script>" and "<!--" would end it or change how it is read, so that no `<` may stay. */
static void add_json(fovea_text *t, const char *json) {
  for (size_t n; *json; json += n) {
    n = strcspn(json, "<");
    fovea_text_put(t, json, n);
    if (json[n] == '<') fovea_text_add(t, "\\u003c"), n++;
  }
}

/* Copies page.html; {{data}} is the object, {{NAME}} the file of that name. */
static void fill(fovea_text *t, const char *json) {
  static const char open[] = "{{", close[] = "}}";
  const char *at = file_text("page.html", strlen("page.html")), *mark;
  for (; (mark = strstr(at, open)); at = strstr(mark, close) + 2) {
    fovea_text_put(t, at, (size_t)(mark - at));
    mark += 2;
    const size_t length = (size_t)(strstr(mark, close) - mark);
    if (length == strlen("data") && strncmp(mark, "data", length) == 0)
      add_json(t, json);
    else
      fovea_text_add(t, file_text(mark, length));
  }
  fovea_text_add(t, at);
}

fovea_status page_html(const page *p, char **text) {
  enum { DIGITS = 9 };
  char *json = p->failed ? NULL : json_dumps(p->root, JSON_COMPACT | JSON_REAL_PRECISION(DIGITS));
  fovea_text t = {.failed = json == NULL};
  if (json) fill(&t, json);
  free(json);
  if (!t.failed) {
    *text = t.bytes;
    return FOVEA_OK;
  }
  free(t.bytes);
  return fovea_fail(FOVEA_NO_MEMORY, "no memory for a report");
}
