/* The public functions: from a file's numbers, or a network's, to an ONNX file. */
#include "export/onnx.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "export/translate.h"
#include "fovea/safetensors.h"
#include "model/graph_json.h"
#include "model/tensors.h"
#include "net/network.h"

bool fovea_onnx_built_in(void) { return true; }

typedef struct request {
  const char *path;
  fovea_onnx_options options;
  fovea_export_source *source;
  void *of;
} request;

static fovea_status check_options(const fovea_onnx_options *asked, fovea_onnx_options *options) {
  *options = asked ? *asked : (fovea_onnx_options){.part = FOVEA_ONNX_BOTH};
  if (options->opset == 0) options->opset = FOVEA_ONNX_USUAL;
  if (options->opset >= FOVEA_ONNX_OLDEST && options->opset <= FOVEA_ONNX_NEWEST) return FOVEA_OK;
  return fovea_fail(FOVEA_INVALID, "onnx: operator set %d, expected %d to %d", options->opset, FOVEA_ONNX_OLDEST,
                    FOVEA_ONNX_NEWEST);
}

/* `texts` ends with a pair of NULL. */
static fovea_status write_model(const request *r, fovea_export *e, const fovea_safetensor_text *texts,
                                fovea_onnx_summary *summary) {
  fovea_onnx_model *model = NULL;
  fovea_status status = fovea_onnx_model_create(r->options.opset, &model);
  if (status == FOVEA_OK) status = fovea_export_translate(e, r->options.opset, model);
  for (; status == FOVEA_OK && texts->key; texts++)
    if (texts->value) fovea_onnx_add_metadata(model, texts->key, texts->value);
  if (status == FOVEA_OK) status = fovea_onnx_model_write(model, r->path, &summary->bytes);
  if (status == FOVEA_OK) summary->nodes = fovea_onnx_node_count(model);
  fovea_onnx_model_destroy(model);
  return status;
}

static fovea_status export_graph(const request *r, const fovea_graph *graph, const fovea_safetensor_text *texts,
                                 fovea_onnx_summary *summary) {
  fovea_export e;
  fovea_onnx_summary made = {.nodes = 0};
  fovea_status status = fovea_export_choose(&e, graph, r->options.part);
  if (status == FOVEA_OK) status = fovea_export_read(&e, r->source, r->of);
  if (status == FOVEA_OK) status = fovea_export_fold(&e, r->options.fold_batchnorm, &made);
  if (status == FOVEA_OK) status = write_model(r, &e, texts, &made);
  fovea_export_free(&e);
  if (status == FOVEA_OK && summary) *summary = made;
  return status;
}

/* --- of a file -----------------------------------------------------------------------------------------------------
 */

static fovea_status read_file(void *of, const fovea_parameter_spec *p, float *data) {
  return fovea_tensors_read(of, p->name, p->rank, p->dims, false, data);
}

static fovea_status export_file(request *r, const char *checkpoint, fovea_safetensors *file,
                                const fovea_graph *otherwise, fovea_onnx_summary *summary) {
  const char *keys[] = {"config", "run", "network", "data_hash", "graph"}, *text = NULL;
  fovea_safetensor_text texts[sizeof keys / sizeof *keys + 1] = {{NULL, NULL}};
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
    texts[i] = (fovea_safetensor_text){keys[i], text = fovea_safetensors_metadata(file, keys[i])};
  fovea_graph *graph = NULL;
  if (!text && !otherwise)
    return fovea_fail(FOVEA_INVALID,
                      "%s has no graph in its metadata: it is no file of fovea_network_save, nor a checkpoint that has "
                      "one",
                      checkpoint);
  fovea_status status = text ? fovea_graph_from_json(text, &graph) : FOVEA_OK;
  r->source = read_file, r->of = file;
  if (status == FOVEA_OK) status = export_graph(r, text ? graph : otherwise, texts, summary);
  fovea_graph_destroy(graph);
  return status == FOVEA_INVALID ? fovea_fail_in(status, "%s", checkpoint) : status;
}

fovea_status fovea_onnx_export_or(const char *checkpoint, const fovea_graph *otherwise, const char *path,
                                  const fovea_onnx_options *options, fovea_onnx_summary *summary) {
  request r = {.path = path};
  fovea_safetensors *file = NULL;
  fovea_status status = check_options(options, &r.options);
  if (status == FOVEA_OK) status = fovea_safetensors_open(checkpoint, &file);
  if (status == FOVEA_OK) status = export_file(&r, checkpoint, file, otherwise, summary);
  fovea_safetensors_close(file);
  return status;
}

fovea_status fovea_onnx_export(const char *checkpoint, const char *path, const fovea_onnx_options *options,
                               fovea_onnx_summary *summary) {
  if (!checkpoint || !path) return fovea_fail_null(checkpoint ? "path" : "checkpoint");
  return fovea_onnx_export_or(checkpoint, NULL, path, options, summary);
}

/* --- of a network --------------------------------------------------------------------------------------------------
 */

static fovea_status read_network(void *of, const fovea_parameter_spec *p, float *data) {
  for (size_t i = 0; i < fovea_network_parameter_count(of); i++)
    if (strcmp(fovea_network_parameter(of, i)->name, p->name) == 0) return fovea_network_get(of, i, FOVEA_VALUE, data);
  return fovea_fail(FOVEA_INVALID, "onnx: the network has no parameter %s", p->name);
}

fovea_status fovea_network_export_onnx(fovea_network *network, const char *path, const fovea_onnx_options *options,
                                       fovea_onnx_summary *summary) {
  if (!network || !path) return fovea_fail_null(network ? "path" : "network");
  request r = {.path = path, .source = read_network, .of = network};
  char *text = NULL;
  fovea_status status = check_options(options, &r.options);
  if (status == FOVEA_OK) status = fovea_graph_to_json(fovea_network_graph(network), &text); /* and checks its names */
  const fovea_safetensor_text texts[] = {{"graph", text}, {NULL, NULL}};
  if (status == FOVEA_OK) status = export_graph(&r, fovea_network_graph(network), texts, summary);
  free(text);
  return status;
}
