#include "stats/json.h"

#include <math.h>

#include "base/fail.h"

int fovea_json_set(json_t *object, const char *key, json_t *value) { return json_object_set_new(object, key, value); }

json_t *fovea_json_real(double value) { return isfinite(value) ? json_real(value) : json_null(); }

json_t *fovea_json_strings(char *const *names, size_t count) {
  json_t *array = json_array();
  for (size_t i = 0; i < count; i++)
    if (json_array_append_new(array, json_string(names[i]))) {
      json_decref(array);
      return NULL;
    }
  return array;
}

json_t *fovea_json_reals(const double *values, size_t count) {
  json_t *array = json_array();
  for (size_t i = 0; i < count; i++)
    if (json_array_append_new(array, fovea_json_real(values[i]))) {
      json_decref(array);
      return NULL;
    }
  return array;
}

fovea_status fovea_json_check_utf8(const char *name) {
  json_t *text = json_string(name);
  if (!text) return fovea_fail(FOVEA_INVALID, "the name of a column is not UTF-8, and JSON has to be");
  json_decref(text);
  return FOVEA_OK;
}
