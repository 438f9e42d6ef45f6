#include "experiment/remarks.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void tell(remarks *r, const char *sentence, size_t length) {
  fprintf(stderr, "fovea: %s: %.*s\n", r->path, (int)length, sentence);
  fovea_text_put(&r->kept, sentence, length);
  fovea_text_add(&r->kept, "\n");
}

void remarks_tell(remarks *r, const char *format, ...) {
  va_list arguments, again;
  va_start(arguments, format);
  va_copy(again, arguments);
  const int length = vsnprintf(NULL, 0, format, arguments);
  va_end(arguments);
  char *text = length < 0 ? NULL : malloc((size_t)length + 1);
  if (text) {
    vsnprintf(text, (size_t)length + 1, format, again);
    tell(r, text, (size_t)length);
  } else {
    r->kept.failed = true;
  }
  va_end(again);
  free(text);
}

void remarks_tell_lines(remarks *r, const char *lines) {
  for (const char *s = lines; s && *s;) {
    const size_t length = strcspn(s, "\n");
    tell(r, s, length);
    s += length + (s[length] == '\n');
  }
}

char *remarks_text(const remarks *r) {
  fovea_text t = {0};
  if (r->kept.size == 0) return NULL;
  fovea_text_add(&t, "Remarks\n");
  for (const char *s = r->kept.bytes; *s; s += strcspn(s, "\n") + 1) {
    fovea_text_add(&t, "- ");
    fovea_text_put(&t, s, strcspn(s, "\n"));
    fovea_text_add(&t, ".\n");
  }
  fovea_text_add(&t, "\n");
  if (!t.failed) return t.bytes;
  free(t.bytes);
  return NULL;
}

json_t *remarks_json(const remarks *r) {
  json_t *array = json_array();
  for (const char *s = r->kept.bytes; s && *s; s += strcspn(s, "\n") + 1)
    if (json_array_append_new(array, json_stringn(s, strcspn(s, "\n")))) {
      json_decref(array);
      return NULL;
    }
  return array;
}
