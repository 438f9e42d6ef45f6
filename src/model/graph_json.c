#include "model/graph_json.h"

#include <float.h>
#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "model/graph_facts.h"
#include "op/list.h"

enum {
  OLDEST = 1,
  VERSION = 2,
  MOST_NODES = FOVEA_GRAPH_FILE_NODES,
  MOST_INPUTS = sizeof((fovea_node *)0)->inputs / sizeof(fovea_tensor)
};

/* --- writing -------------------------------------------------------------------------------------------------------
 */

static json_t *attribute_json(const fovea_node *node, const fovea_attribute *a) {
  const void *at = (const char *)node + a->offset;
  switch (a->kind) {
    case FOVEA_ATTRIBUTE_INT:
    case FOVEA_ATTRIBUTE_OPTIONAL_INT:
      return json_integer(*(const int *)at);
    case FOVEA_ATTRIBUTE_BOOL:
      return json_boolean(*(const bool *)at);
    case FOVEA_ATTRIBUTE_FLOAT:
      return json_real((double)*(const float *)at);
    case FOVEA_ATTRIBUTE_DOUBLE:
      return json_real(*(const double *)at);
    case FOVEA_ATTRIBUTE_ACTIVATION:
      return json_string(fovea_activation_name(*(const fovea_activation *)at));
  }
  return NULL;
}

static bool is_left_out(const fovea_node *node, const fovea_attribute *a) {
  return a->kind == FOVEA_ATTRIBUTE_OPTIONAL_INT && *(const int *)(const void *)((const char *)node + a->offset) == 0;
}

/* json_object_set_new and the like fail when they are given NULL, so what a want of memory leaves out is noticed. */
static bool put(json_t *object, const char *key, json_t *value) { return json_object_set_new(object, key, value) == 0; }

static bool put_attributes(json_t *object, const fovea_node *node) {
  json_t *attributes = json_object();
  bool good = put(object, "attributes", attributes);
  for (const fovea_attribute *a = node->op->attributes; a && a->name && good; a++)
    good = is_left_out(node, a) || put(attributes, a->name, attribute_json(node, a));
  return good;
}

static bool put_ints(json_t *object, const char *key, const int *values, int count) {
  json_t *array = json_array();
  bool good = put(object, key, array);
  for (int i = 0; i < count && good; i++) good = json_array_append_new(array, json_integer(values[i])) == 0;
  return good;
}

static bool put_node(json_t *nodes, const fovea_graph *graph, const fovea_node *node) {
  json_t *object = json_object();
  const int shape[] = {node->c, node->h, node->w};
  return json_array_append_new(nodes, object) == 0 && put(object, "op", json_string(node->op->name)) &&
         put(object, "name", json_string(node->name)) && put_ints(object, "inputs", node->inputs, node->input_count) &&
         put_attributes(object, node) && put_ints(object, "shape", shape, 3) &&
         fovea_graph_put_facts(object, graph, node);
}

static json_t *graph_json(const fovea_graph *graph) {
  json_t *root = json_object(), *nodes = json_array(), *kept = json_array();
  bool good = put(root, "version", json_integer(VERSION));
  good = put(root, "nodes", nodes) && good;
  good = put(root, "kept", kept) && good;
  for (int i = 0; i < graph->count && good; i++) {
    good = put_node(nodes, graph, &graph->nodes[i]);
    if (good && graph->nodes[i].kept) good = json_array_append_new(kept, json_integer(i)) == 0;
  }
  if (good) return root;
  json_decref(root);
  return NULL;
}

/* json_string is NULL for what is not, and without memory, whose want is told by who writes. */
static bool is_utf8(const char *text) {
  json_t *made = json_string(text);
  if (!made) made = json_string(text);
  if (!made) made = json_string("");
  const bool is = !made || strcmp(json_string_value(made), text) == 0;
  json_decref(made);
  return is;
}

static fovea_status check_names(const fovea_graph *graph) {
  for (int i = 0; i < graph->count; i++) {
    if (!is_utf8(graph->nodes[i].name))
      return fovea_fail(FOVEA_INVALID, "graph: the name of tensor %d (%s), '%s', is not UTF-8", i,
                        graph->nodes[i].op->name, graph->nodes[i].name);
  }
  return FOVEA_OK;
}

fovea_status fovea_graph_to_json(const fovea_graph *graph, char **text) {
  fovea_status status = fovea_graph_check(graph);
  if (status == FOVEA_OK) status = check_names(graph);
  if (status != FOVEA_OK) return status;
  if (graph->count > MOST_NODES)
    return fovea_fail(FOVEA_INVALID, "graph: %d nodes, at most %d can be in a file", graph->count, MOST_NODES);
  json_t *root = graph_json(graph);
  char *made = root ? json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
  json_decref(root);
  if (!made) return fovea_fail(FOVEA_NO_MEMORY, "graph: host memory ran out");
  *text = made;
  return FOVEA_OK;
}

/* --- reading ---------------------------------------------------------------------------------------------------------
 */

/* The member, of that type; *status gets a failure if there was none before. */
static json_t *member(const json_t *object, const char *key, json_type type, fovea_status *status) {
  static const char *const types[] = {
      [JSON_OBJECT] = "an object",   [JSON_ARRAY] = "an array", [JSON_STRING] = "a string",
      [JSON_INTEGER] = "an integer", [JSON_REAL] = "a number",  [JSON_TRUE] = "a boolean"};
  json_t *value = json_object_get(object, key);
  const bool right = value && (type == JSON_REAL   ? json_is_number(value)
                               : type == JSON_TRUE ? json_is_boolean(value)
                                                   : json_typeof(value) == type);
  if (right) return value;
  if (*status == FOVEA_OK)
    *status = fovea_fail(FOVEA_INVALID, "'%.100s' is %s, expected %s", key, value ? "of another type" : "missing",
                         types[type]);
  return NULL;
}

/* Nothing but the `count` keys, which are there. */
static fovea_status check_members(json_t *object, const char *const *keys, size_t count) {
  const char *key = NULL;
  json_t *value = NULL;
  json_object_foreach(object, key, value) {
    size_t i = 0;
    while (i < count && strcmp(keys[i], key) != 0) i++;
    if (i == count) return fovea_fail(FOVEA_INVALID, "'%.100s' is unknown", key);
  }
  return FOVEA_OK;
}

static fovea_status int_of(const json_t *value, const char *key, int *out) {
  const json_int_t i = json_integer_value(value);
  if (!json_is_integer(value)) return fovea_fail(FOVEA_INVALID, "'%.100s' has what is no integer", key);
  if (i < INT_MIN || i > INT_MAX)
    return fovea_fail(FOVEA_INVALID, "'%.100s' is %lld, out of the range of an int", key, (long long)i);
  *out = (int)i;
  return FOVEA_OK;
}

/* An array of at most `most` of them. */
static fovea_status ints_of(const json_t *object, const char *key, int *out, int most, int *count) {
  fovea_status status = FOVEA_OK;
  const json_t *array = member(object, key, JSON_ARRAY, &status);
  const size_t size = json_array_size(array);
  if (status == FOVEA_OK && size > (size_t)most)
    return fovea_fail(FOVEA_INVALID, "'%.100s' has %zu numbers, at most %d are possible", key, size, most);
  for (size_t i = 0; i < size && status == FOVEA_OK; i++) status = int_of(json_array_get(array, i), key, &out[i]);
  *count = (int)size;
  return status;
}

static fovea_status activation_of(const json_t *value, fovea_activation *out) {
  const char *text = json_string_value(value), *name = NULL;
  for (int i = 0; (name = fovea_activation_name((fovea_activation)i)) != NULL; i++)
    if (strcmp(name, text) == 0) return *out = (fovea_activation)i, FOVEA_OK;
  return fovea_fail(FOVEA_INVALID, "'%.100s' is no activation", text);
}

static fovea_status float_of(const json_t *value, const char *key, float *out) {
  const double x = json_number_value(value);
  if (!(fabs(x) <= (double)FLT_MAX))
    return fovea_fail(FOVEA_INVALID, "'%.100s' is %g, out of the range of a float", key, x);
  *out = (float)x;
  return FOVEA_OK;
}

static fovea_status read_attribute(const json_t *attributes, const fovea_attribute *a, fovea_node *node) {
  static const json_type types[] = {[FOVEA_ATTRIBUTE_INT] = JSON_INTEGER, [FOVEA_ATTRIBUTE_OPTIONAL_INT] = JSON_INTEGER,
                                    [FOVEA_ATTRIBUTE_BOOL] = JSON_TRUE,   [FOVEA_ATTRIBUTE_FLOAT] = JSON_REAL,
                                    [FOVEA_ATTRIBUTE_DOUBLE] = JSON_REAL, [FOVEA_ATTRIBUTE_ACTIVATION] = JSON_STRING};
  void *at = (char *)node + a->offset;
  fovea_status status = FOVEA_OK;
  if (a->kind == FOVEA_ATTRIBUTE_OPTIONAL_INT && !json_object_get(attributes, a->name)) return FOVEA_OK;
  const json_t *value = member(attributes, a->name, types[a->kind], &status);
  if (status != FOVEA_OK) return status;
  switch (a->kind) {
    case FOVEA_ATTRIBUTE_INT:
    case FOVEA_ATTRIBUTE_OPTIONAL_INT:
      return int_of(value, a->name, at);
    case FOVEA_ATTRIBUTE_BOOL:
      *(bool *)at = json_is_true(value);
      break;
    case FOVEA_ATTRIBUTE_FLOAT:
      return float_of(value, a->name, at);
    case FOVEA_ATTRIBUTE_DOUBLE:
      *(double *)at = json_number_value(value);
      break;
    case FOVEA_ATTRIBUTE_ACTIVATION:
      return activation_of(value, at);
  }
  return FOVEA_OK;
}

static fovea_status read_attributes(const json_t *object, const fovea_op *op, fovea_node *node) {
  enum { MOST = 16 };
  const char *names[MOST];
  size_t count = 0;
  fovea_status status = FOVEA_OK;
  json_t *attributes = member(object, "attributes", JSON_OBJECT, &status);
  for (const fovea_attribute *a = op->attributes; a && a->name && status == FOVEA_OK && count < MOST; a++) {
    names[count++] = a->name;
    status = read_attribute(attributes, a, node);
  }
  if (status == FOVEA_OK) status = check_members(attributes, names, count);
  return status == FOVEA_OK ? status : fovea_fail_in(status, "the attributes of %s", op->name);
}

/* What was made is what the file says, and what the op's builder could have made. */
static fovea_status check_made(const fovea_graph *graph, fovea_tensor made, const int shape[3]) {
  const fovea_node *n = &graph->nodes[made];
  if (shape[0] != n->c || shape[1] != n->h || shape[2] != n->w)
    return fovea_fail(FOVEA_INVALID, "%s makes %dx%dx%d of this, 'shape' says %dx%dx%d", n->op->name, n->c, n->h, n->w,
                      shape[0], shape[1], shape[2]);
  if (!fovea_node_is(n, FOVEA_IS_LOSS) || n->inputs[1] == graph->input) return FOVEA_OK;
  return fovea_fail(FOVEA_INVALID, "%s compares with the images, 'inputs' says with tensor %d", n->op->name,
                    n->inputs[1]);
}

/* Version 1 had no facts. */
static fovea_status check_keys(json_t *object, json_int_t version) {
  enum { ASKED = 5 };
  const char *keys[ASKED + FOVEA_GRAPH_FACTS] = {"op", "name", "inputs", "attributes", "shape"};
  memcpy(keys + ASKED, fovea_graph_facts, sizeof fovea_graph_facts);
  return check_members(object, keys, ASKED + (version > OLDEST ? FOVEA_GRAPH_FACTS : 0));
}

static fovea_status read_node(fovea_graph *graph, json_t *object, json_int_t version) {
  fovea_status status = FOVEA_OK;
  fovea_node asked = {.op = NULL};
  int shape[3], sides = 0;
  if (!json_is_object(object)) return fovea_fail(FOVEA_INVALID, "it is no object");
  const char *op_name = json_string_value(member(object, "op", JSON_STRING, &status));
  const char *name = json_string_value(member(object, "name", JSON_STRING, &status));
  if (status == FOVEA_OK) status = check_keys(object, version);
  if (status != FOVEA_OK) return status;
  const fovea_op *op = fovea_op_named(op_name);
  if (!op) return fovea_fail(FOVEA_INVALID, "'%.100s' is no op that this library has", op_name);
  status = ints_of(object, "inputs", asked.inputs, MOST_INPUTS, &asked.input_count);
  if (status == FOVEA_OK) status = ints_of(object, "shape", shape, 3, &sides);
  if (status == FOVEA_OK && sides != 3) status = fovea_fail(FOVEA_INVALID, "'shape' has %d numbers, not 3", sides);
  if (status == FOVEA_OK) status = read_attributes(object, op, &asked);
  if (status != FOVEA_OK) return status;
  if (asked.input_count != op->inputs)
    return fovea_fail(FOVEA_INVALID, "%s takes %d inputs, 'inputs' has %d", op->name, op->inputs, asked.input_count);
  const fovea_tensor made = fovea_graph_add(graph, op, &asked, name);
  return made < 0 ? fovea_graph_check(graph) : check_made(graph, made, shape);
}

static fovea_status read_nodes(fovea_graph *graph, const json_t *root, json_int_t version) {
  fovea_status status = FOVEA_OK;
  json_t *nodes = member(root, "nodes", JSON_ARRAY, &status), *node = NULL;
  size_t i = 0;
  if (json_array_size(nodes) > MOST_NODES)
    return fovea_fail(FOVEA_INVALID, "%zu nodes, at most %d are possible", json_array_size(nodes), MOST_NODES);
  json_array_foreach(nodes, i, node) {
    status = read_node(graph, node, version);
    if (status != FOVEA_OK) return fovea_fail_in(status, "node %zu", i);
  }
  json_array_foreach(version > OLDEST ? nodes : NULL, i, node) {
    status = fovea_graph_check_facts(node, graph, &graph->nodes[i]);
    if (status != FOVEA_OK) return fovea_fail_in(status, "node %zu", i);
  }
  return status;
}

static fovea_status read_kept(fovea_graph *graph, const json_t *root) {
  fovea_status status = FOVEA_OK;
  json_t *kept = member(root, "kept", JSON_ARRAY, &status), *one = NULL;
  size_t i = 0;
  json_array_foreach(kept, i, one) {
    int tensor = 0;
    if (status == FOVEA_OK) status = int_of(one, "kept", &tensor);
    if (status == FOVEA_OK) status = fovea_graph_keep(graph, tensor);
  }
  return status;
}

static fovea_status read_graph(fovea_graph *graph, json_t *root) {
  static const char *const keys[] = {"version", "nodes", "kept"};
  fovea_status status = FOVEA_OK;
  const json_int_t version = json_integer_value(member(root, "version", JSON_INTEGER, &status));
  if (status == FOVEA_OK && (version < OLDEST || version > VERSION))
    return fovea_fail(FOVEA_INVALID, "it is of version %lld, this library reads %d to %d", (long long)version, OLDEST,
                      VERSION);
  if (status == FOVEA_OK) status = check_members(root, keys, sizeof keys / sizeof *keys);
  if (status == FOVEA_OK) status = read_nodes(graph, root, version);
  return status == FOVEA_OK ? read_kept(graph, root) : status;
}

static fovea_status object_of(const char *text, json_t **root) {
  json_error_t error;
  json_t *read = json_loads(text, JSON_REJECT_DUPLICATES, &error);
  if (json_is_object(read)) return *root = read, FOVEA_OK;
  const bool memory = !read && (json_error_code(&error) == json_error_out_of_memory || error.text[0] == '\0');
  const char *why = read ? "it is another value" : error.text;
  json_decref(read);
  return memory ? fovea_fail(FOVEA_NO_MEMORY, "host memory ran out")
                : fovea_fail(FOVEA_INVALID, "it is no JSON object: %s", why);
}

fovea_status fovea_graph_from_json(const char *text, fovea_graph **out) {
  json_t *root = NULL;
  fovea_graph *graph = NULL;
  fovea_status status = object_of(text, &root);
  if (status == FOVEA_OK) status = fovea_graph_create(&graph);
  if (status == FOVEA_OK) status = read_graph(graph, root);
  json_decref(root);
  if (status == FOVEA_OK)
    *out = graph;
  else
    fovea_graph_destroy(graph);
  return status == FOVEA_OK ? status : fovea_fail_in(status, "graph");
}
