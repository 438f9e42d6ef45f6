#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "export/network.h"
#include "graph/op.h"

int fovea_export_inputs(const fovea_node *node) {
  return fovea_node_is(node, FOVEA_IS_LOSS | FOVEA_IS_SAMPLE) ? 1 : node->input_count;
}

static fovea_status check_part(const fovea_graph *graph, fovea_onnx_part part) {
  if ((int)part < FOVEA_ONNX_BOTH || (int)part > FOVEA_ONNX_DECODER)
    return fovea_fail(FOVEA_INVALID, "onnx: part %d is not one of fovea_onnx_part", (int)part);
  if (graph->input < 0) return fovea_fail(FOVEA_INVALID, "onnx: the graph has no input");
  if (part == FOVEA_ONNX_BOTH || graph->latent >= 0) return FOVEA_OK;
  return fovea_fail(FOVEA_INVALID,
                    "onnx: the graph has no code z (fovea_add_reparameterize), so neither encoder nor decoder; export "
                    "both in one");
}

/* --- names and ranks -----------------------------------------------------------------------------------------------
 */

/* By an input, an output, a parameter or another node. */
static bool name_taken(const fovea_export *e, int self, const char *name) {
  static const char *const reserved[] = {"images", "z", "mu", "logvar", "reconstructions", "output"};
  for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
    if (strcmp(reserved[i], name) == 0) return true;
  for (int i = 0; i < e->graph->count; i++) {
    const fovea_node *n = &e->graph->nodes[i];
    if (i != self && (strcmp(n->name, name) == 0 || strcmp(e->nodes[i].name, name) == 0)) return true;
    for (int k = 0; k < n->parameter_count; k++)
      if (strcmp(n->parameters[k].name, name) == 0) return true;
  }
  return false;
}

static void name_node(fovea_export *e, int i) {
  const fovea_node *n = &e->graph->nodes[i];
  fovea_export_node *x = &e->nodes[i];
  if (*n->name)
    snprintf(x->name, sizeof x->name, "%s", n->name);
  else
    snprintf(x->name, sizeof x->name, "%s_%d", n->op->name, i);
  for (size_t end = strlen(x->name); name_taken(e, i, x->name) && end + 1 < sizeof x->name; end++) x->name[end] = '_';
}

static int rank_of(const fovea_export *e, int i) {
  const fovea_node *n = &e->graph->nodes[i];
  if (fovea_node_is(n, FOVEA_MAKES_UNITS | FOVEA_IS_SAMPLE)) return 2;
  if (fovea_node_is(n, FOVEA_KEEPS_UNITS | FOVEA_IS_LOSS)) return e->nodes[n->inputs[0]].rank;
  return 4;
}

/* --- inputs and outputs --------------------------------------------------------------------------------------------
 */

bool fovea_export_is_output(const fovea_export *e, fovea_tensor tensor) {
  for (int i = 0; i < e->output_count; i++)
    if (e->outputs[i].tensor == tensor) return true;
  return false;
}

/* The first that a tensor is becomes its name; it keeps its own where it has none. */
static void add_output(fovea_export *e, fovea_tensor tensor, const char *name, bool units) {
  fovea_export_node *x = &e->nodes[tensor];
  if (!fovea_export_is_output(e, tensor) && tensor != e->given && !(units && x->rank == 4)) {
    if (name) snprintf(x->name, sizeof x->name, "%s", name);
    x->result = true;
  }
  e->outputs[e->output_count++] = (fovea_export_output){tensor, name ? name : x->name, units};
}

static void add_outputs(fovea_export *e, fovea_onnx_part part) {
  const fovea_graph *g = e->graph;
  if (part != FOVEA_ONNX_DECODER && g->latent >= 0) {
    add_output(e, g->nodes[g->latent].inputs[0], "mu", true);
    add_output(e, g->nodes[g->latent].inputs[1], "logvar", true);
  }
  if (part != FOVEA_ONNX_ENCODER) add_output(e, g->count - 1, g->loss >= 0 ? "reconstructions" : "output", false);
  for (int i = 0; i < g->count && part == FOVEA_ONNX_BOTH; i++)
    if (g->nodes[i].kept && i != e->given && !fovea_export_is_output(e, i)) add_output(e, i, NULL, false);
}

/* From the last node to the first. */
static void mark_needed(fovea_export *e) {
  for (int i = 0; i < e->output_count; i++) e->nodes[e->outputs[i].tensor].needed = true;
  for (int i = e->graph->count - 1; i >= 0; i--) {
    const fovea_node *n = &e->graph->nodes[i];
    if (!e->nodes[i].needed || i == e->given) continue;
    for (int k = 0; k < fovea_export_inputs(n); k++) e->nodes[n->inputs[k]].needed = true;
  }
}

/* What a decoder reads of the images besides z cannot be had from z. */
static fovea_status check_decoder(const fovea_export *e) {
  const fovea_graph *g = e->graph;
  if (g->latent == g->count - 1)
    return fovea_fail(FOVEA_INVALID, "onnx: nothing comes after z, so there is no decoder");
  for (int i = 0; i < g->count; i++) {
    if (!e->nodes[i].needed || i == e->given) continue;
    for (int k = 0; k < fovea_export_inputs(&g->nodes[i]); k++)
      if (g->nodes[i].inputs[k] == g->input)
        return fovea_fail(FOVEA_INVALID,
                          "onnx: '%s' reads the images and is read by the decoder, which has z alone; export both in "
                          "one",
                          e->nodes[i].name);
  }
  return FOVEA_OK;
}

fovea_status fovea_export_choose(fovea_export *e, const fovea_graph *graph, fovea_onnx_part part) {
  *e = (fovea_export){.graph = graph};
  fovea_status status = fovea_graph_check(graph);
  if (status == FOVEA_OK) status = check_part(graph, part);
  if (status != FOVEA_OK) return status;
  e->nodes = calloc((size_t)graph->count, sizeof *e->nodes);
  e->outputs = calloc((size_t)graph->count + 3, sizeof *e->outputs);
  if (!e->nodes || !e->outputs) return fovea_fail(FOVEA_NO_MEMORY, "onnx: host memory ran out");
  for (int i = 0; i < graph->count; i++) name_node(e, i), e->nodes[i].rank = rank_of(e, i);
  e->given = part == FOVEA_ONNX_DECODER ? graph->latent : graph->input;
  snprintf(e->nodes[e->given].name, sizeof e->nodes->name, "%s", part == FOVEA_ONNX_DECODER ? "z" : "images");
  add_outputs(e, part);
  mark_needed(e);
  return part == FOVEA_ONNX_DECODER ? check_decoder(e) : FOVEA_OK;
}

void fovea_export_free(fovea_export *e) {
  for (int i = 0; e->nodes && i < e->graph->count; i++)
    for (int k = 0; k < FOVEA_NODE_PARAMETERS; k++) free(e->nodes[i].parameters[k]);
  free(e->nodes);
  free(e->outputs);
}
