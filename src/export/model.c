#include "export/model.h"

#include <onnx.pb-c.h> /* made by the build (CMakeLists.txt) */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/file.h"
#include "fovea/fovea.h"

/* All memory of a model, freed with it. */
typedef struct block {
  struct block *next;
  max_align_t data[];
} block;

struct fovea_onnx_model {
  block *blocks;
  bool failed; /* without memory */
  Onnx__ModelProto model;
  Onnx__GraphProto graph;
};

/* Zeros. */
static void *take(fovea_onnx_model *m, size_t size) {
  block *b = m->failed || size > SIZE_MAX - sizeof *b ? NULL : calloc(1, sizeof *b + size);
  if (!b) return m->failed = true, NULL;
  b->next = m->blocks, m->blocks = b;
  return b->data;
}

static char *copy(fovea_onnx_model *m, const char *text) {
  const size_t size = strlen(text) + 1;
  char *made = take(m, size);
  if (made) memcpy(made, text, size);
  return made;
}

/* Appends to a repeated field, whose room is the power of two from its count. */
static void append(fovea_onnx_model *m, void *list, size_t *count, void *message) {
  void **items, **more;
  if (!message) return;
  memcpy(&items, list, sizeof items);
  if ((*count & (*count - 1)) == 0) {
    more = take(m, (*count > 0 ? 2 * *count : 1) * sizeof *more);
    if (!more) return;
    if (*count > 0) memcpy(more, items, *count * sizeof *more);
    memcpy(list, &more, sizeof more);
    items = more;
  }
  items[(*count)++] = message;
}

/* The version of the format in which the operator set came out: what readers of that time know. */
static int ir_version(int opset) { return opset < 15 ? 7 : opset < 19 ? 8 : opset < 21 ? 9 : opset < 23 ? 10 : 11; }

fovea_status fovea_onnx_model_create(int opset, fovea_onnx_model **model) {
  fovea_onnx_model *m = calloc(1, sizeof *m);
  if (!m) return fovea_fail(FOVEA_NO_MEMORY, "onnx: host memory ran out");
  onnx__model_proto__init(&m->model);
  onnx__graph_proto__init(&m->graph);
  m->model.has_ir_version = true;
  m->model.ir_version = ir_version(opset);
  m->model.producer_name = copy(m, "fovea");
  m->model.producer_version = copy(m, FOVEA_VERSION);
  m->model.graph = &m->graph;
  m->graph.name = copy(m, "fovea");
  Onnx__OperatorSetIdProto *set = take(m, sizeof *set);
  if (set) {
    onnx__operator_set_id_proto__init(set);
    set->domain = copy(m, "");
    set->has_version = true;
    set->version = opset;
  }
  append(m, &m->model.opset_import, &m->model.n_opset_import, set);
  *model = m;
  return FOVEA_OK;
}

void fovea_onnx_model_destroy(fovea_onnx_model *m) {
  if (!m) return;
  for (block *b = m->blocks, *next; b; b = next) {
    next = b->next;
    free(b);
  }
  free(m);
}

/* --- nodes ---------------------------------------------------------------------------------------------------------
 */

fovea_onnx_node *fovea_onnx_add(fovea_onnx_model *m, const char *op, const char *output, const char *const *inputs,
                                size_t count) {
  Onnx__NodeProto *node = take(m, sizeof *node);
  if (!node) return NULL;
  onnx__node_proto__init(node);
  node->op_type = copy(m, op);
  node->name = copy(m, output);
  append(m, &node->output, &node->n_output, copy(m, output));
  for (size_t i = 0; i < count; i++) append(m, &node->input, &node->n_input, copy(m, inputs[i]));
  append(m, &m->graph.node, &m->graph.n_node, node);
  return node;
}

static Onnx__AttributeProto *attribute(fovea_onnx_model *m, fovea_onnx_node *node, const char *name,
                                       Onnx__AttributeProto__AttributeType type) {
  Onnx__AttributeProto *a = node ? take(m, sizeof *a) : NULL;
  if (!a) return NULL;
  onnx__attribute_proto__init(a);
  a->name = copy(m, name);
  a->has_type = true;
  a->type = type;
  append(m, &node->attribute, &node->n_attribute, a);
  return a;
}

void fovea_onnx_set_int(fovea_onnx_model *m, fovea_onnx_node *node, const char *name, int value) {
  Onnx__AttributeProto *a = attribute(m, node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);
  if (a) a->has_i = true, a->i = value;
}

void fovea_onnx_set_float(fovea_onnx_model *m, fovea_onnx_node *node, const char *name, float value) {
  Onnx__AttributeProto *a = attribute(m, node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);
  if (a) a->has_f = true, a->f = value;
}

void fovea_onnx_set_ints(fovea_onnx_model *m, fovea_onnx_node *node, const char *name, const int *values,
                         size_t count) {
  Onnx__AttributeProto *a = attribute(m, node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);
  if (a) a->ints = take(m, count * sizeof *a->ints);
  if (!a || !a->ints) return;
  for (size_t i = 0; i < count; i++) a->ints[a->n_ints++] = values[i];
}

/* --- constants and shapes ------------------------------------------------------------------------------------------
 */

/* raw_data is little-endian, as this machine is (src/data/safetensors.c). */
static Onnx__TensorProto *tensor(fovea_onnx_model *m, const char *name, Onnx__TensorProto__DataType type, int rank) {
  Onnx__TensorProto *t = take(m, sizeof *t);
  if (!t) return NULL;
  onnx__tensor_proto__init(t);
  t->name = copy(m, name);
  t->has_data_type = true;
  t->data_type = (int32_t)type;
  t->has_raw_data = true;
  t->dims = take(m, (size_t)rank * sizeof *t->dims);
  append(m, &m->graph.initializer, &m->graph.n_initializer, t);
  return t->dims ? t : NULL;
}

void fovea_onnx_add_floats(fovea_onnx_model *m, const char *name, const int *dims, int rank, const float *data) {
  Onnx__TensorProto *t = tensor(m, name, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, rank);
  if (!t) return;
  size_t count = 1;
  for (int i = 0; i < rank; i++) t->dims[t->n_dims++] = dims[i], count *= (size_t)dims[i];
  t->raw_data = (ProtobufCBinaryData){count * sizeof *data, (uint8_t *)(uintptr_t)data};
}

void fovea_onnx_add_ints(fovea_onnx_model *m, const char *name, const int64_t *values, size_t count) {
  Onnx__TensorProto *t = tensor(m, name, ONNX__TENSOR_PROTO__DATA_TYPE__INT64, 1);
  uint8_t *data = t ? take(m, count * sizeof *values) : NULL;
  if (!data) return;
  memcpy(data, values, count * sizeof *values);
  t->dims[t->n_dims++] = (int64_t)count;
  t->raw_data = (ProtobufCBinaryData){count * sizeof *values, data};
}

static Onnx__TensorShapeProto__Dimension *dimension(fovea_onnx_model *m, int side) {
  Onnx__TensorShapeProto__Dimension *d = take(m, sizeof *d);
  if (!d) return NULL;
  onnx__tensor_shape_proto__dimension__init(d);
  if (side == FOVEA_ONNX_BATCH) {
    d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
    d->dim_param = copy(m, "batch");
  } else {
    d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
    d->dim_value = side;
  }
  return d;
}

/* Floats of that shape. */
static Onnx__TypeProto *type_of(fovea_onnx_model *m, const int *dims, int rank) {
  Onnx__TypeProto *type = take(m, sizeof *type);
  Onnx__TypeProto__Tensor *t = take(m, sizeof *t);
  Onnx__TensorShapeProto *shape = take(m, sizeof *shape);
  if (!type || !t || !shape) return NULL;
  onnx__type_proto__init(type);
  onnx__type_proto__tensor__init(t);
  onnx__tensor_shape_proto__init(shape);
  for (int i = 0; i < rank; i++) append(m, &shape->dim, &shape->n_dim, dimension(m, dims[i]));
  t->has_elem_type = true;
  t->elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
  t->shape = shape;
  type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
  type->tensor_type = t;
  return type;
}

void fovea_onnx_declare(fovea_onnx_model *m, fovea_onnx_place place, const char *name, const int *dims, int rank,
                        const char *about) {
  Onnx__ValueInfoProto *value = take(m, sizeof *value);
  if (!value) return;
  onnx__value_info_proto__init(value);
  value->name = copy(m, name);
  if (about) value->doc_string = copy(m, about);
  value->type = type_of(m, dims, rank);
  if (place == FOVEA_ONNX_INPUT) append(m, &m->graph.input, &m->graph.n_input, value);
  if (place == FOVEA_ONNX_OUTPUT) append(m, &m->graph.output, &m->graph.n_output, value);
  if (place == FOVEA_ONNX_BETWEEN) append(m, &m->graph.value_info, &m->graph.n_value_info, value);
}

void fovea_onnx_add_metadata(fovea_onnx_model *m, const char *key, const char *value) {
  Onnx__StringStringEntryProto *entry = take(m, sizeof *entry);
  if (!entry) return;
  onnx__string_string_entry_proto__init(entry);
  entry->key = copy(m, key);
  entry->value = copy(m, value);
  append(m, &m->model.metadata_props, &m->model.n_metadata_props, entry);
}

/* --- the file ------------------------------------------------------------------------------------------------------
 */

size_t fovea_onnx_node_count(const fovea_onnx_model *m) { return m->graph.n_node; }

fovea_status fovea_onnx_model_write(const fovea_onnx_model *m, const char *path, size_t *bytes) {
  size_t size = m->failed ? 0 : onnx__model_proto__get_packed_size(&m->model);
  if (size > INT32_MAX)
    return fovea_fail(FOVEA_INVALID, "'%s' would have %zu bytes, an ONNX file has at most %d", path, size, INT32_MAX);
  uint8_t *data = m->failed ? NULL : malloc(size + 1);
  if (!data) return fovea_fail(FOVEA_NO_MEMORY, "no memory to write '%s'", path);
  onnx__model_proto__pack(&m->model, data);
  const fovea_status status = fovea_file_write(path, data, size);
  free(data);
  *bytes = size;
  return status;
}
