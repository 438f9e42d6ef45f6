#include "model/graph_facts.h"

#include "base/fail.h"
#include "graph/op.h"
#include "graph/pads.h"

enum { PARAMETERS, PADS, ROWS, COLUMNS };
const char *const fovea_graph_facts[FOVEA_GRAPH_FACTS] = {"parameters", "pads", "rows", "columns"};

static bool put(json_t *object, int fact, json_t *value) {
  return json_object_set_new(object, fovea_graph_facts[fact], value) == 0;
}

static bool put_image(json_t *object, int fact, const int shape[3]) {
  return shape[0] == 0 || put(object, fact, json_pack("[i,i,i]", shape[0], shape[1], shape[2]));
}

bool fovea_graph_put_facts(json_t *object, const fovea_graph *graph, const fovea_node *node) {
  fovea_pads pads;
  json_t *names = json_array();
  bool good = put(object, PARAMETERS, names);
  for (int i = 0; i < node->parameter_count && good; i++)
    good = json_array_append_new(names, json_string(node->parameters[i].name)) == 0;
  if (good && fovea_graph_pads(graph, node, &pads))
    good = put(object, PADS, json_pack("[i,i,i,i]", pads.top, pads.left, pads.bottom, pads.right));
  const fovea_parameter_spec *first = &node->parameters[0]; /* zeros where there is none */
  return good && put_image(object, ROWS, first->rows) && put_image(object, COLUMNS, first->columns);
}

fovea_status fovea_graph_check_facts(const json_t *object, const fovea_graph *graph, const fovea_node *node) {
  json_t *facts = json_object();
  fovea_status status = facts && fovea_graph_put_facts(facts, graph, node)
                            ? FOVEA_OK
                            : fovea_fail(FOVEA_NO_MEMORY, "host memory ran out");
  for (size_t i = 0; i < FOVEA_GRAPH_FACTS && status == FOVEA_OK; i++) {
    const json_t *says = json_object_get(object, fovea_graph_facts[i]),
                 *is = json_object_get(facts, fovea_graph_facts[i]);
    if (says != is && !json_equal(says, is))
      status = fovea_fail(FOVEA_INVALID, "'%s' of this %s is %s", fovea_graph_facts[i], node->op->name,
                          says ? "not what follows from the rest" : "missing");
  }
  json_decref(facts);
  return status;
}
