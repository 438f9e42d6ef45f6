#include "net/network.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/fail.h"
#include "net/augment.h"
#include "net/internal.h"
#include "net/not_finite.h"
#include "net/optimizer.h"
#include "plan/inspect.h"
#include "runtime/autotune.h"
#include "runtime/device.h"
#include "runtime/guard.h"
#include "runtime/lock.h"

static fovea_status create_buffers(fovea_network *net) {
  fovea_resources *r = &net->resources;
  size_t batch = ((size_t)net->batch + LANES - 1) / LANES * LANES;
  size_t trainable = 4 * (r->trainable_count ? r->trainable_count : LANES);
  size_t state = STATE_WORDS + (r->augment ? batch : 0);
  const size_t merges = net->cut ? (size_t)(net->cut->ranks - 1) * sizeof *net->cut->merges : 0;
  const struct {
    bool wanted;
    size_t size;
    const char *what;
    fovea_buffer **buffer;
  } all[] = {{true, 4 * state, "state", &r->state},
             {true, batch * net->image_size, "pixels", &r->pixels},
             {true, 4 * FOVEA_TROUBLE_WORDS + 8 * LOSS_SLOTS, "losses", &r->losses},
             {net->cut, merges, "merges", &r->merges},
             {net->options.training, trainable, "gradients", &r->gradients},
             {net->options.training, trainable, "first moments", &r->first_moments},
             {net->options.training, trainable, "second moments", &r->second_moments}};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    if (!all[i].wanted) continue;
    fovea_status status = fovea_buffer_create(net->device, all[i].size, all[i].what, all[i].buffer);
    if (status != FOVEA_OK) return status;
  }
  if (net->cut) {
    const fovea_status status = fovea_buffer_write(r->merges, 0, merges, net->cut->merges);
    if (status != FOVEA_OK) return status;
  }
  net->gathered = malloc(batch * net->image_size);
  net->state = calloc(state, sizeof *net->state);
  net->evaluated = calloc((size_t)net->graph->count, sizeof *net->evaluated);
  if (net->gathered && net->state && net->evaluated) return fovea_forget_trouble(net);
  return fovea_fail(FOVEA_NO_MEMORY, "network: host memory ran out");
}

/* --- the plans, within the device's memory ------------------------------------------------------------------------ */

static void destroy_plans(fovea_network *net) {
  fovea_plan_destroy(net->training);
  fovea_plan_destroy(net->evaluation);
  net->training = net->evaluation = NULL;
}

static fovea_status plan_passes(fovea_network *net, size_t workspace) {
  destroy_plans(net);
  net->resources.workspace = workspace;
  fovea_status status =
      fovea_plan_create(net->device, net->graph, net->batch, false, &net->resources, &net->evaluation);
  if (status == FOVEA_OK && net->options.training)
    status = fovea_plan_create(net->device, net->graph, net->batch, true, &net->resources, &net->training);
  return status;
}

/* Bytes that the plans will take of what is left. */
static bool is_room(const fovea_network *net, size_t *wanted, size_t *left) {
  const uint64_t all = net->device->info.global_memory, used = net->device->allocated;
  *left = used < all ? (size_t)(all - used) : 0;
  *wanted = fovea_plan_memory(net->evaluation) + (net->training ? fovea_plan_memory(net->training) : 0);
  return *wanted <= *left;
}

/* The memory is nearly in proportion to the batch. */
static fovea_status refuse(const fovea_network *net, size_t wanted, size_t left) {
  char need[FOVEA_SIZE_TEXT], has[FOVEA_SIZE_TEXT], all[FOVEA_SIZE_TEXT], advice[64] = "network or smaller images";
  const fovea_device_info *info = &net->device->info;
  const int batch = (net->batch + LANES - 1) / LANES * LANES;
  const int fits = (int)((double)left / (double)wanted * batch) / LANES * LANES;
  if (fits >= LANES) snprintf(advice, sizeof advice, "batch, some %d", fits);
  return fovea_fail(FOVEA_NO_MEMORY, "network: a batch of %d needs %s, %s has %s left of its %s; use a smaller %s",
                    net->batch, fovea_size_text(wanted, need), info->name, fovea_size_text(left, has),
                    fovea_size_text(info->global_memory, all), advice);
}

static void tell_smallest(const fovea_device *device) {
  char line[256];
  snprintf(line, sizeof line, "little memory on %.100s: training takes the least of it, and longer", device->info.name);
  if (device->say) device->say(device->user, line);
}

/* A workspace may have a sixteenth of the memory, or the least that will do, where the passes do not fit else. */
static fovea_status create_plans_once(fovea_network *net) {
  const fovea_device_info *info = &net->device->info;
  const uint64_t part = info->global_memory / 16, most = part < info->max_allocation ? part : info->max_allocation;
  size_t wanted = 0, left = 0;
  fovea_status status = plan_passes(net, (size_t)(most / 4));
  if (status == FOVEA_OK && !is_room(net, &wanted, &left)) {
    const size_t more = wanted;
    status = plan_passes(net, 0);
    if (status == FOVEA_OK && !is_room(net, &wanted, &left)) status = refuse(net, wanted, left);
    if (status == FOVEA_OK && wanted < more) tell_smallest(net->device);
  }
  if (status == FOVEA_OK) status = fovea_plan_make(net->evaluation);
  if (status == FOVEA_OK && net->training) status = fovea_plan_make(net->training);
  return status;
}

/* Again where a kernel's program was found to allow smaller groups than its op asked for: the ops then ask for others.
 * Not while tiles are forced, of which one that the device cannot run is left out. */
static fovea_status create_plans(fovea_network *net) {
  for (;;) {
    const int found = net->device->limits_found;
    const fovea_status status = create_plans_once(net);
    if (status != FOVEA_DEVICE || net->device->limits_found == found || fovea_autotune_forces(net->device))
      return status;
  }
}

static fovea_status cut_batch(fovea_network *net) {
  const fovea_ranks *ranks = net->options.ranks;
  const fovea_status status = fovea_ranks_cut(ranks, net->options.batch, &net->cut);
  if (status != FOVEA_OK) return status;
  net->batch = (int)fovea_cut_part(net->cut, ranks ? ranks->rank : 0, (size_t)net->options.batch).count;
  net->resources.cut = net->cut, net->resources.ranks = ranks;
  return FOVEA_OK;
}

static fovea_status create(fovea_network *net) {
  fovea_status status = cut_batch(net);
  if (status == FOVEA_OK) status = fovea_list_parameters(net);
  if (status == FOVEA_OK) status = create_buffers(net);
  for (size_t i = 0; i < net->parameter_count && status == FOVEA_OK; i++) status = fovea_initialize_parameter(net, i);
  if (status == FOVEA_OK) status = create_plans(net);
  return status;
}

fovea_status fovea_network_create_using(fovea_device *device, const fovea_graph *graph,
                                        const fovea_network_options *options, bool clblast, fovea_network **out) {
  fovea_status status = FOVEA_OK;
  fovea_network *net = calloc(1, sizeof *net);
  if (!net) return fovea_fail(FOVEA_NO_MEMORY, "network: host memory ran out");
  const fovea_node *input = &graph->nodes[graph->input];
  net->device = device, net->graph = graph, net->options = *options, net->resources.clblast = clblast;
  net->resources.inspect = options->inspect;
  if (options->training && fovea_augments(&options->augment)) net->resources.augment = &net->options.augment;
  net->resources.changes = &net->changes;
  net->resources.record_optimizer = fovea_record_adam;
  net->image_size = (size_t)input->c * (size_t)input->h * (size_t)input->w;
  if (graph->latent >= 0) net->kl_weight = graph->nodes[graph->latent].kl_weight;
  status = create(net);
  if (status == FOVEA_OK)
    fovea_graph_freeze(graph), *out = net;
  else
    fovea_network_destroy(net);
  return status;
}

void fovea_network_destroy(fovea_network *net) {
  if (!net) return;
  fovea_device_lock(net->device);
  destroy_plans(net);
  fovea_resources *r = &net->resources;
  fovea_buffer *buffers[] = {r->parameters, r->gradients, r->first_moments, r->second_moments,
                             r->state,      r->pixels,    r->losses,        r->merges};
  for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++) fovea_buffer_destroy(buffers[i]);
  (void)fovea_device_unlock(net->device, FOVEA_OK);
  free(net->parameters);
  free(net->offsets);
  free(net->gathered);
  free(net->state);
  free(net->evaluated);
  fovea_cut_destroy(net->cut);
  free(net);
}

size_t fovea_network_memory(const fovea_network *net) {
  if (!net) return 0;
  const fovea_resources *r = &net->resources;
  const fovea_buffer *buffers[] = {r->parameters, r->gradients, r->first_moments, r->second_moments,
                                   r->state,      r->pixels,    r->losses,        r->merges};
  size_t total = fovea_plan_memory(net->evaluation) + (net->training ? fovea_plan_memory(net->training) : 0);
  for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++) total += buffers[i] ? buffers[i]->size : 0;
  return total;
}

fovea_plan *fovea_network_plan(fovea_network *net, bool training) { return training ? net->training : net->evaluation; }

const fovea_network_options *fovea_network_get_options(const fovea_network *net) { return net ? &net->options : NULL; }

fovea_tensor fovea_network_input(const fovea_network *net) {
  if (!net) return (void)fovea_fail_null("network"), -1;
  return net->graph->input;
}

fovea_tensor fovea_network_output(const fovea_network *net) {
  if (!net) return (void)fovea_fail_null("network"), -1;
  return net->graph->count - 1;
}

const fovea_graph *fovea_network_graph(const fovea_network *net) { return net->graph; }

fovea_status fovea_network_check_canaries(fovea_network *net) {
  const fovea_resources *r = &net->resources;
  const struct {
    fovea_buffer *buffer;
    const char *what;
  } all[] = {{r->parameters, "parameters"},
             {r->gradients, "gradients"},
             {r->first_moments, "first moments"},
             {r->second_moments, "second moments"},
             {r->state, "state"},
             {r->pixels, "pixels"},
             {r->losses, "losses"}};
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < sizeof all / sizeof *all && status == FOVEA_OK; i++)
    status = fovea_guard_check(all[i].buffer, all[i].what);
  for (int training = 0; training < 2 && status == FOVEA_OK && net->options.inspect; training++) {
    const fovea_plan *plan = fovea_network_plan(net, training);
    if (plan) status = fovea_plan_check_canaries(plan);
  }
  return status;
}

fovea_status fovea_network_traffic(const fovea_network *net, size_t *meetings, size_t *bytes) {
  if (!net || !meetings) return fovea_fail_null(net ? "meetings" : "network");
  if (!bytes) return fovea_fail_null("bytes");
  fovea_plan_traffic(net->training ? net->training : net->evaluation, meetings, bytes);
  return FOVEA_OK;
}

const char *fovea_network_blas(const fovea_network *net) {
  return !net ? "" : net->resources.clblast ? "clblast" : "builtin";
}
