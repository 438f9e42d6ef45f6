/* What the JSON of a fit and of its analysis have in common. */
#ifndef FOVEA_STATS_JSON_H
#define FOVEA_STATS_JSON_H

#include <jansson.h>
#include <stddef.h>

#include "fovea/status.h"

/* Sets `object` to have `key`; takes `value` over. A NULL value is a failure that came earlier. */
int fovea_json_set(json_t *object, const char *key, json_t *value);

/* NaN and infinities are null. */
json_t *fovea_json_real(double value);
json_t *fovea_json_reals(const double *values, size_t count);
json_t *fovea_json_strings(char *const *names, size_t count);

/* FOVEA_INVALID where it is not. */
fovea_status fovea_json_check_utf8(const char *name);

#endif
