#include "base/environment.h"
#include "base/fail.h"
#include "graph/graph.h"
#include "net/augment.h"
#include "net/dense_products.h"
#include "net/network.h"
#include "net/ranks.h"
#include "runtime/cache.h"
#include "runtime/lock.h"

static fovea_status check_options(const fovea_graph *graph, const fovea_network_options *options) {
  fovea_status status = fovea_graph_check(graph);
  if (status != FOVEA_OK) return status;
  if (options->batch < 1 || options->batch > FOVEA_MAX_BATCH)
    return fovea_fail(FOVEA_INVALID, "network: a batch of %d, expected 1 to %d", options->batch, FOVEA_MAX_BATCH);
  if (graph->input < 0) return fovea_fail(FOVEA_INVALID, "network: the graph has no input");
  const fovea_node *input = &graph->nodes[graph->input];
  status = fovea_augmentation_check(&options->augment, input->h, input->w);
  if (status != FOVEA_OK) return status;
  status = fovea_ranks_check(options->ranks);
  if (status != FOVEA_OK) return status;
  if (options->training && (graph->loss < 0 || graph->loss != graph->count - 1))
    return fovea_fail(FOVEA_INVALID, "network: the last node of a graph to be trained must be sigmoid_bce");
  return FOVEA_OK;
}

fovea_status fovea_network_create(fovea_device *device, const fovea_graph *graph, const fovea_network_options *options,
                                  fovea_network **out) {
  bool clblast = false;
  if (!device) return fovea_fail_null("device");
  if (!graph) return fovea_fail_null("graph");
  if (!options || !out) return fovea_fail_null(options ? "network" : "options");
  fovea_status status = check_options(graph, options);
  if (status == FOVEA_OK) status = fovea_environment_check(FOVEA_READ_BY_DEVICES);
  if (status == FOVEA_OK) status = fovea_cache_check();
  if (status != FOVEA_OK) return status;
  fovea_device_lock(device);
  status = fovea_choose_blas(device, graph, options->batch, &clblast);
  if (status == FOVEA_OK && clblast && options->ranks && options->ranks->count > 1)
    status =
        fovea_fail(FOVEA_INVALID, "network: %d ranks have the same bits with our own products only; unset FOVEA_BLAS",
                   options->ranks->count);
  if (status == FOVEA_OK) status = fovea_network_create_using(device, graph, options, clblast, out);
  return fovea_device_unlock(device, status);
}
