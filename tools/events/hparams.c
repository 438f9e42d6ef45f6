/* What TensorBoard's HParams page reads: protobuf messages of its plugin in the metadata of summaries that hold no
 * value (tensorboard/plugins/hparams/summary.py, metadata.py of 2.21). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event.pb-c.h>
#include "base/clock.h"
#include "base/fail.h"
#include "base/file.h"
#include "events/events.h"
#include "events/internal.h"

const char events_tag_begun[] = "_hparams_/session_start_info", events_tag_ended[] = "_hparams_/session_end_info",
           events_tag_experiment[] = "_hparams_/experiment";

enum { TENSOR = 2, FLOAT = 1, SUCCESS = 1, FAILURE = 2, STRING = 1, BOOL = 2, NUMBER = 3 };

/* --- settings ---------------------------------------------------------------------------------------------------- */

/* "35-25-15-5", as a sweep writes it; NULL for a list of something else. */
static json_t *list_text(const json_t *list) {
  char text[512] = "";
  size_t used = 0;
  for (size_t i = 0; i < json_array_size(list); i++) {
    const json_t *item = json_array_get(list, i);
    if (!json_is_number(item) || used + 32 > sizeof text) return NULL;
    used += (size_t)snprintf(text + used, sizeof text - used, "%s%.9g", i > 0 ? "-" : "", json_number_value(item));
  }
  return json_string(text);
}

/* Those that the page can show; the caller has the new object. NULL without memory. */
static json_t *shown_of(const json_t *settings) {
  json_t *flat = json_object(), *value;
  const char *key;
  bool good = flat != NULL;
  json_object_foreach((json_t *)settings, key, value) {
    json_t *text = json_is_array(value) ? list_text(value) : NULL;
    if (text != NULL)
      good = good && json_object_set_new(flat, key, text) == 0;
    else if (json_is_string(value) || json_is_number(value) || json_is_boolean(value))
      good = good && json_object_set(flat, key, value) == 0;
  }
  if (good) return flat;
  json_decref(flat);
  return NULL;
}

/* Borrows a text from `from`. */
static Tb__Value value_of(const json_t *from) {
  Tb__Value value = TB__VALUE__INIT;
  if (json_is_string(from)) {
    value.kind_case = TB__VALUE__KIND_STRING_VALUE;
    value.string_value = (char *)json_string_value(from);
  } else if (json_is_boolean(from)) {
    value.kind_case = TB__VALUE__KIND_BOOL_VALUE;
    value.bool_value = json_is_true(from);
  } else {
    value.kind_case = TB__VALUE__KIND_NUMBER_VALUE;
    value.number_value = json_number_value(from);
  }
  return value;
}

/* --- summaries --------------------------------------------------------------------------------------------------- */

static fovea_status put(records *r, int64_t step, const char *tag, Tb__HParamsPluginData *data) {
  char plugin[] = "hparams";
  const size_t size = tb__hparams_plugin_data__get_packed_size(data);
  uint8_t *bytes = malloc(size > 0 ? size : 1);
  if (bytes == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for an event of %zu bytes", size);
  tb__hparams_plugin_data__pack(data, bytes);
  Tb__TensorShapeProto__Dim dim = TB__TENSOR_SHAPE_PROTO__DIM__INIT, *dims[] = {&dim}; /* of size 0 */
  Tb__TensorShapeProto shape = TB__TENSOR_SHAPE_PROTO__INIT;
  Tb__TensorProto tensor = TB__TENSOR_PROTO__INIT;
  Tb__SummaryMetadata__PluginData plugin_data = TB__SUMMARY_METADATA__PLUGIN_DATA__INIT;
  Tb__SummaryMetadata metadata = TB__SUMMARY_METADATA__INIT;
  Tb__Summary__Value value = TB__SUMMARY__VALUE__INIT;
  shape.n_dim = 1;
  shape.dim = dims;
  tensor.dtype = FLOAT;
  tensor.tensor_shape = &shape;
  plugin_data.plugin_name = plugin;
  plugin_data.content = (ProtobufCBinaryData){size, bytes};
  metadata.plugin_data = &plugin_data;
  metadata.data_class = TENSOR;
  value.tag = (char *)tag;
  value.metadata = &metadata;
  value.value_case = TB__SUMMARY__VALUE__VALUE_TENSOR;
  value.tensor = &tensor;
  fovea_status status = events_put_value(r, step, &value);
  free(bytes);
  return status;
}

fovea_status events_hparams(events *log, const json_t *settings) {
  json_t *flat = shown_of(settings), *value;
  const size_t count = json_object_size(flat);
  Tb__SessionStartInfo__Entry *entries = calloc(count + 1, sizeof *entries), **list = calloc(count + 1, sizeof *list);
  Tb__Value *values = calloc(count + 1, sizeof *values);
  fovea_status status = FOVEA_OK;
  if (flat == NULL || entries == NULL || list == NULL || values == NULL)
    status = fovea_fail(FOVEA_NO_MEMORY, "no memory for the settings of a run");
  Tb__SessionStartInfo start = TB__SESSION_START_INFO__INIT;
  Tb__HParamsPluginData data = TB__HPARAMS_PLUGIN_DATA__INIT;
  const char *key;
  json_object_foreach(status == FOVEA_OK ? flat : NULL, key, value) {
    const size_t i = start.n_hparams++;
    entries[i] = (Tb__SessionStartInfo__Entry)TB__SESSION_START_INFO__ENTRY__INIT;
    values[i] = value_of(value);
    entries[i].key = (char *)key;
    entries[i].value = &values[i];
    list[i] = &entries[i];
  }
  start.hparams = list;
  start.start_time_secs = fovea_time();
  data.data_case = TB__HPARAMS_PLUGIN_DATA__DATA_SESSION_START_INFO;
  data.session_start_info = &start;
  if (status == FOVEA_OK) status = put(events_records(log), 0, events_tag_begun, &data);
  free(entries);
  free(list);
  free(values);
  json_decref(flat);
  return status;
}

fovea_status events_end(events *log, int step, bool success) {
  Tb__SessionEndInfo end = TB__SESSION_END_INFO__INIT;
  Tb__HParamsPluginData data = TB__HPARAMS_PLUGIN_DATA__INIT;
  end.status = success ? SUCCESS : FAILURE;
  end.end_time_secs = fovea_time();
  data.data_case = TB__HPARAMS_PLUGIN_DATA__DATA_SESSION_END_INFO;
  data.session_end_info = &end;
  return put(events_records(log), step, events_tag_ended, &data);
}

/* --- a sweep ----------------------------------------------------------------------------------------------------- */

/* A setting and its values, in the order in which they first come. */
typedef struct factor {
  Tb__HParamInfo info;
  Tb__ListValue domain;
  Tb__Value *values, **list;
} factor;

/* The distinct values of `key`, as a new array; NULL without memory. */
static json_t *levels_of(json_t *const *shown, size_t count, const char *key) {
  json_t *levels = json_array();
  bool good = levels != NULL;
  for (size_t i = 0; i < count && good; i++) {
    json_t *value = json_object_get(shown[i], key);
    bool known = value == NULL;
    for (size_t k = 0; k < json_array_size(levels) && !known; k++)
      known = json_equal(json_array_get(levels, k), value) == 1;
    if (!known) good = json_array_append(levels, value) == 0;
  }
  if (good) return levels;
  json_decref(levels);
  return NULL;
}

/* Borrows the levels. */
static bool make_factor(factor *f, const char *key, const json_t *levels) {
  const size_t count = json_array_size(levels);
  const json_t *first = json_array_get(levels, 0);
  *f = (factor){.info = TB__HPARAM_INFO__INIT, .domain = TB__LIST_VALUE__INIT};
  f->values = calloc(count, sizeof *f->values);
  f->list = calloc(count, sizeof *f->list);
  if (f->values == NULL || f->list == NULL) return false;
  for (size_t i = 0; i < count; i++) f->values[i] = value_of(json_array_get(levels, i)), f->list[i] = &f->values[i];
  f->domain.n_values = count;
  f->domain.values = f->list;
  f->info.name = (char *)key;
  f->info.type = json_is_string(first) ? STRING : json_is_boolean(first) ? BOOL : NUMBER;
  f->info.domain_discrete = &f->domain;
  return true;
}

static fovea_status put_experiment(records *r, factor *factors, size_t count, const char *const *metrics,
                                   size_t metric_count) {
  enum { MOST = 16 };
  Tb__MetricInfo infos[MOST], *info_list[MOST];
  Tb__MetricName names[MOST];
  Tb__HParamInfo **list = calloc(count + 1, sizeof *list);
  if (list == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for the factors of a sweep");
  for (size_t i = 0; i < count; i++) list[i] = &factors[i].info;
  for (size_t i = 0; i < metric_count && i < MOST; i++) {
    infos[i] = (Tb__MetricInfo)TB__METRIC_INFO__INIT;
    names[i] = (Tb__MetricName)TB__METRIC_NAME__INIT;
    names[i].tag = (char *)metrics[i];
    infos[i].name = &names[i];
    info_list[i] = &infos[i];
  }
  Tb__Experiment experiment = TB__EXPERIMENT__INIT;
  Tb__HParamsPluginData data = TB__HPARAMS_PLUGIN_DATA__INIT;
  experiment.n_hparam_infos = count;
  experiment.hparam_infos = list;
  experiment.n_metric_infos = metric_count < MOST ? metric_count : MOST;
  experiment.metric_infos = info_list;
  data.data_case = TB__HPARAMS_PLUGIN_DATA__DATA_EXPERIMENT;
  data.experiment = &experiment;
  fovea_status status = events_put_version(r);
  if (status == FOVEA_OK) status = put(r, 0, events_tag_experiment, &data);
  free(list);
  return status;
}

/* All of shown[count]'s settings that differ, and then the file. */
static fovea_status write_experiment(const char *path, json_t *const *shown, size_t count, const char *const *metrics,
                                     size_t metric_count) {
  const size_t most = json_object_size(shown[0]);
  factor *factors = calloc(most + 1, sizeof *factors);
  json_t *all = json_array(), *value;
  records r = {0};
  size_t made = 0;
  const char *key;
  bool good = factors != NULL && all != NULL;
  json_object_foreach(good ? shown[0] : NULL, key, value) {
    json_t *levels = good ? levels_of(shown, count, key) : NULL;
    good = levels != NULL && json_array_append_new(all, levels) == 0;
    if (good && json_array_size(levels) > 1) good = make_factor(&factors[made++], key, levels);
  }
  fovea_status status = good ? FOVEA_OK : fovea_fail(FOVEA_NO_MEMORY, "%s: no memory for the factors of a sweep", path);
  if (status == FOVEA_OK) status = put_experiment(&r, factors, made, metrics, metric_count);
  if (status == FOVEA_OK) status = fovea_file_write(path, r.bytes, r.size);
  for (size_t i = 0; i < made; i++) free(factors[i].values), free(factors[i].list);
  free(factors);
  json_decref(all);
  free(r.bytes);
  return status;
}

fovea_status events_experiment(const char *dir, json_t *const *settings, size_t count, const char *const *metrics,
                               size_t metric_count) {
  char path[4096];
  if (count == 0) return FOVEA_OK;
  if (snprintf(path, sizeof path, "%s/events.out.tfevents.sweep.fovea", dir) >= (int)sizeof path)
    return fovea_fail(FOVEA_INVALID, "%.100s...: the path is too long", dir);
  json_t **shown = calloc(count, sizeof *shown);
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < count && shown != NULL; i++) {
    shown[i] = shown_of(settings[i]);
    if (shown[i] == NULL) status = FOVEA_NO_MEMORY;
  }
  if (shown == NULL || status != FOVEA_OK)
    status = fovea_fail(FOVEA_NO_MEMORY, "%s: no memory for the settings of a sweep", dir);
  if (status == FOVEA_OK) status = write_experiment(path, shown, count, metrics, metric_count);
  for (size_t i = 0; i < count && shown != NULL; i++) json_decref(shown[i]);
  free(shown);
  return status;
}
