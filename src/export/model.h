/* An ONNX model while it is made: protobuf-c's structures of ONNX's own description, onnx.proto. Texts are copied.
 * Without memory the calls do nothing, and the last one, which writes, fails. */
#ifndef FOVEA_EXPORT_MODEL_H
#define FOVEA_EXPORT_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "fovea/status.h"

typedef struct fovea_onnx_model fovea_onnx_model;
typedef struct Onnx__NodeProto fovea_onnx_node;

enum { FOVEA_ONNX_BATCH = -1 }; /* a side that is the batch, of any size */

fovea_status fovea_onnx_model_create(int opset, fovea_onnx_model **model);
void fovea_onnx_model_destroy(fovea_onnx_model *model); /* takes NULL */

/* Appends a node with one output; NULL without memory, which the functions for attributes take. */
fovea_onnx_node *fovea_onnx_add(fovea_onnx_model *model, const char *op, const char *output, const char *const *inputs,
                                size_t count);
void fovea_onnx_set_int(fovea_onnx_model *model, fovea_onnx_node *node, const char *name, int value);
void fovea_onnx_set_ints(fovea_onnx_model *model, fovea_onnx_node *node, const char *name, const int *values,
                         size_t count);
void fovea_onnx_set_float(fovea_onnx_model *model, fovea_onnx_node *node, const char *name, float value);

/* Constants. The floats are borrowed until the model is written. */
void fovea_onnx_add_floats(fovea_onnx_model *model, const char *name, const int *dims, int rank, const float *data);
void fovea_onnx_add_ints(fovea_onnx_model *model, const char *name, const int64_t *values, size_t count);

/* Says a tensor's shape: of an input, an output, or one in between. `about` may be NULL. */
typedef enum fovea_onnx_place { FOVEA_ONNX_INPUT, FOVEA_ONNX_OUTPUT, FOVEA_ONNX_BETWEEN } fovea_onnx_place;
void fovea_onnx_declare(fovea_onnx_model *model, fovea_onnx_place place, const char *name, const int *dims, int rank,
                        const char *about);

void fovea_onnx_add_metadata(fovea_onnx_model *model, const char *key, const char *value);

size_t fovea_onnx_node_count(const fovea_onnx_model *model);

/* FOVEA_NO_MEMORY, FOVEA_INVALID when it would be larger than protobuf's 2^31 - 1 bytes, FOVEA_IO. */
fovea_status fovea_onnx_model_write(const fovea_onnx_model *model, const char *path, size_t *bytes);

#endif
