#include "net/network.h"

#include <Random123/philox.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/environment.h"
#include "base/fail.h"
#include "net/dense_products.h"
#include "net/not_finite.h"
#include "net/optimizer.h"
#include "plan/inspect.h"
#include "runtime/cache.h"
#include "runtime/guard.h"
#include "runtime/lock.h"

/* `state`: the words that change from step to step, which kernels read, so that their arguments never change: 0
 * Philox's step, 1 images in the batch, 2 Adam's alpha (float bits), 3 slot of the loss log, 4 unused, 5 and 6 the
 * seed. */
enum { STATE_WORDS = 8, LOSS_SLOTS = 4096, LANES = 16 };

/* Philox's op numbers of initial weights start here; ops of the graph count from 1. */
static const uint32_t INITIAL_WEIGHTS = 0x40000000u;

typedef struct parameter {
  fovea_parameter shown;
  const fovea_parameter_spec *spec;
  size_t offset; /* floats, on the device */
} parameter;

struct fovea_network {
  fovea_device *device;
  const fovea_graph *graph;
  fovea_network_options options;
  size_t image_size; /* bytes */
  parameter *parameters;
  size_t parameter_count;
  size_t *offsets;
  fovea_resources resources;
  uint64_t changes;  /* of the parameters, so far: weights are prepacked again after one */
  size_t *evaluated; /* of each tensor: how many images the last evaluation pass computed of it; 0: none */
  fovea_plan *training, *evaluation;
  uint8_t *gathered; /* one batch of images */
  uint32_t step;
  float kl_weight;
  /* losses since the last read: those still in the log, and the sums of those taken out of it */
  size_t slots, slot_images[LOSS_SLOTS];
  uint32_t slot_step[LOSS_SLOTS];
  bool slot_training[LOSS_SLOTS];
  double bce, kl;
  size_t images, passes;
};

/* --- parameters --------------------------------------------------------------------------------------------------- */

static fovea_status list_parameters(fovea_network *net) {
  const fovea_graph *graph = net->graph;
  size_t most = (size_t)graph->count * FOVEA_NODE_PARAMETERS, offset = 0;
  net->parameters = calloc(most, sizeof *net->parameters);
  net->offsets = calloc(most, sizeof *net->offsets);
  if (!net->parameters || !net->offsets) return fovea_fail(FOVEA_NO_MEMORY, "network: host memory ran out");
  for (int pass = 0; pass < 2; pass++) { /* trainable ones first */
    for (int i = 0; i < graph->count; i++)
      for (int j = 0; j < graph->nodes[i].parameter_count; j++) {
        const fovea_parameter_spec *spec = &graph->nodes[i].parameters[j];
        if (spec->trainable != (pass == 0)) continue;
        parameter *p = &net->parameters[net->parameter_count++];
        p->spec = spec;
        p->offset = net->offsets[i * FOVEA_NODE_PARAMETERS + j] = offset;
        p->shown = (fovea_parameter){.name = spec->name, .rank = spec->rank, .count = 1, .trainable = spec->trainable};
        for (int d = 0; d < spec->rank; d++) p->shown.dims[d] = spec->dims[d], p->shown.count *= (size_t)spec->dims[d];
        offset += (p->shown.count + LANES - 1) / LANES * LANES;
      }
    if (pass == 0) net->resources.trainable_count = offset;
  }
  net->resources.offsets = net->offsets;
  return fovea_buffer_create(net->device, 4 * (offset ? offset : LANES), "parameters", &net->resources.parameters);
}

size_t fovea_network_parameter_count(const fovea_network *net) { return net ? net->parameter_count : 0; }

const fovea_parameter *fovea_network_parameter(const fovea_network *net, size_t index) {
  return net && index < net->parameter_count ? &net->parameters[index].shown : NULL;
}

size_t fovea_device_index(const int shape[3], size_t file) {
  if (shape[0] == 0) return file;
  size_t c = (size_t)shape[0], h = (size_t)shape[1], w = (size_t)shape[2];
  return (file % c * h + file / c / w) * w + file / c % w;
}

/* Where value i of the file's order is on the device. */
static size_t device_place(const parameter *p, size_t i) {
  size_t columns = p->shown.count / (size_t)p->shown.dims[0];
  return fovea_device_index(p->spec->rows, i / columns) * columns + fovea_device_index(p->spec->columns, i % columns);
}

static fovea_status find_value(fovea_network *net, size_t index, fovea_value which, fovea_buffer **buffer) {
  if (index >= net->parameter_count)
    return fovea_fail(FOVEA_INVALID, "network: parameter %zu of %zu", index, net->parameter_count);
  if ((int)which < FOVEA_VALUE || (int)which > FOVEA_SECOND_MOMENT)
    return fovea_fail(FOVEA_INVALID, "network: value %d is not one of fovea_value", (int)which);
  const fovea_resources *r = &net->resources;
  fovea_buffer *buffers[] = {r->parameters, r->gradients, r->first_moments, r->second_moments};
  *buffer = buffers[which];
  if (which != FOVEA_VALUE && (!net->parameters[index].shown.trainable || !*buffer))
    return fovea_fail(FOVEA_INVALID, "network: %s has no gradient or moments here", net->parameters[index].shown.name);
  return FOVEA_OK;
}

static fovea_status get_locked(fovea_network *net, size_t index, fovea_value which, float *data) {
  fovea_buffer *buffer = NULL;
  fovea_status status = find_value(net, index, which, &buffer);
  if (status != FOVEA_OK) return status;
  const parameter *p = &net->parameters[index];
  float *device = malloc(p->shown.count * sizeof *device);
  if (!device) return fovea_fail(FOVEA_NO_MEMORY, "network: host memory ran out");
  status = fovea_buffer_read(buffer, 4 * p->offset, 4 * p->shown.count, device);
  for (size_t i = 0; i < p->shown.count && status == FOVEA_OK; i++) data[i] = device[device_place(p, i)];
  free(device);
  return status;
}

fovea_status fovea_network_get(fovea_network *net, size_t index, fovea_value which, float *data) {
  if (!net || !data) return fovea_fail_null(net ? "data" : "network");
  fovea_device_lock(net->device);
  return fovea_device_unlock(net->device, get_locked(net, index, which, data));
}

static fovea_status set_locked(fovea_network *net, size_t index, fovea_value which, const float *data) {
  fovea_buffer *buffer = NULL;
  fovea_status status = find_value(net, index, which, &buffer);
  if (status != FOVEA_OK) return status;
  const parameter *p = &net->parameters[index];
  float *device = malloc(p->shown.count * sizeof *device);
  if (!device) return fovea_fail(FOVEA_NO_MEMORY, "network: host memory ran out");
  for (size_t i = 0; i < p->shown.count; i++) device[device_place(p, i)] = data[i];
  status = fovea_buffer_write(buffer, 4 * p->offset, 4 * p->shown.count, device);
  if (which == FOVEA_VALUE) net->changes++;
  free(device);
  return status;
}

fovea_status fovea_network_set(fovea_network *net, size_t index, fovea_value which, const float *data) {
  if (!net || !data) return fovea_fail_null(net ? "data" : "network");
  fovea_device_lock(net->device);
  return fovea_device_unlock(net->device, set_locked(net, index, which, data));
}

/* Value i of parameter `index`, in the file's order: word i % 4 of philox({i / 4, 0, INITIAL_WEIGHTS + index, 0}, seed)
 * as u = (word >> 8) 2^-24, then limit (2 u - 1), limit = sqrt(6 / (fan_in + fan_out)) (Glorot & Bengio 2010). */
static fovea_status initialize(fovea_network *net, size_t index) {
  const parameter *p = &net->parameters[index];
  float *data = malloc(p->shown.count * sizeof *data);
  if (!data) return fovea_fail(FOVEA_NO_MEMORY, "network: host memory ran out");
  float limit = sqrtf((float)(6.0 / (p->spec->fan_in + p->spec->fan_out)));
  philox4x32_key_t key = {{(uint32_t)net->options.seed, (uint32_t)(net->options.seed >> 32)}};
  philox4x32_ctr_t words = {{0}};
  for (size_t i = 0; i < p->shown.count; i++) {
    if (p->spec->initial != FOVEA_GLOROT) {
      data[i] = p->spec->initial == FOVEA_ONES ? 1.0f : 0.0f;
      continue;
    }
    if (i % 4 == 0) {
      philox4x32_ctr_t counter = {{(uint32_t)(i / 4), 0, INITIAL_WEIGHTS + (uint32_t)index, 0}};
      words = philox4x32(counter, key);
    }
    data[i] = limit * (2.0f * ((float)(words.v[i % 4] >> 8) * 0x1p-24f) - 1.0f);
  }
  fovea_status status = fovea_network_set(net, index, FOVEA_VALUE, data);
  free(data);
  return status;
}

/* --- creation -------------------------------------------------------------------------------------------------------
 */

/* No step has computed what is not finite: not_finite.h. */
static fovea_status forget_trouble(fovea_network *net) {
  static const uint32_t none[FOVEA_TROUBLE_WORDS] = {FOVEA_NO_TROUBLE, FOVEA_NO_TROUBLE, FOVEA_NO_TROUBLE};
  return fovea_buffer_write(net->resources.losses, 0, sizeof none, none);
}

static fovea_status check_options(const fovea_graph *graph, const fovea_network_options *options) {
  fovea_status status = fovea_graph_check(graph);
  if (status != FOVEA_OK) return status;
  if (options->batch < 1 || options->batch > FOVEA_MAX_BATCH)
    return fovea_fail(FOVEA_INVALID, "network: a batch of %d, expected 1 to %d", options->batch, FOVEA_MAX_BATCH);
  if (graph->input < 0) return fovea_fail(FOVEA_INVALID, "network: the graph has no input");
  if (options->training && (graph->loss < 0 || graph->loss != graph->count - 1))
    return fovea_fail(FOVEA_INVALID, "network: the last node of a graph to be trained must be sigmoid_bce");
  return FOVEA_OK;
}

static fovea_status create_buffers(fovea_network *net) {
  fovea_resources *r = &net->resources;
  size_t batch = ((size_t)net->options.batch + LANES - 1) / LANES * LANES;
  size_t trainable = 4 * (r->trainable_count ? r->trainable_count : LANES);
  const struct {
    bool wanted;
    size_t size;
    const char *what;
    fovea_buffer **buffer;
  } all[] = {{true, 4 * STATE_WORDS, "state", &r->state},
             {true, batch * net->image_size, "pixels", &r->pixels},
             {true, 4 * FOVEA_TROUBLE_WORDS + 8 * LOSS_SLOTS, "losses", &r->losses},
             {net->options.training, trainable, "gradients", &r->gradients},
             {net->options.training, trainable, "first moments", &r->first_moments},
             {net->options.training, trainable, "second moments", &r->second_moments}};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    if (!all[i].wanted) continue;
    fovea_status status = fovea_buffer_create(net->device, all[i].size, all[i].what, all[i].buffer);
    if (status != FOVEA_OK) return status;
  }
  net->gathered = malloc(batch * net->image_size);
  net->evaluated = calloc((size_t)net->graph->count, sizeof *net->evaluated);
  if (net->gathered && net->evaluated) return forget_trouble(net);
  return fovea_fail(FOVEA_NO_MEMORY, "network: host memory ran out");
}

static fovea_status create_plans(fovea_network *net) {
  fovea_status status =
      fovea_plan_create(net->device, net->graph, net->options.batch, false, &net->resources, &net->evaluation);
  if (status == FOVEA_OK && net->options.training)
    status = fovea_plan_create(net->device, net->graph, net->options.batch, true, &net->resources, &net->training);
  return status;
}

static fovea_status create(fovea_network *net) {
  fovea_status status = list_parameters(net);
  if (status == FOVEA_OK) status = create_buffers(net);
  for (size_t i = 0; i < net->parameter_count && status == FOVEA_OK; i++) status = initialize(net, i);
  if (status == FOVEA_OK) status = create_plans(net);
  return status;
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
  if (status == FOVEA_OK) status = fovea_network_create_using(device, graph, options, clblast, out);
  return fovea_device_unlock(device, status);
}

fovea_status fovea_network_create_using(fovea_device *device, const fovea_graph *graph,
                                        const fovea_network_options *options, bool clblast, fovea_network **out) {
  fovea_status status = FOVEA_OK;
  fovea_network *net = calloc(1, sizeof *net);
  if (!net) return fovea_fail(FOVEA_NO_MEMORY, "network: host memory ran out");
  const fovea_node *input = &graph->nodes[graph->input];
  net->device = device, net->graph = graph, net->options = *options, net->resources.clblast = clblast;
  net->resources.inspect = options->inspect;
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
  fovea_plan_destroy(net->training);
  fovea_plan_destroy(net->evaluation);
  fovea_resources *r = &net->resources;
  fovea_buffer *buffers[] = {r->parameters, r->gradients, r->first_moments, r->second_moments,
                             r->state,      r->pixels,    r->losses};
  for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++) fovea_buffer_destroy(buffers[i]);
  (void)fovea_device_unlock(net->device, FOVEA_OK);
  free(net->parameters);
  free(net->offsets);
  free(net->gathered);
  free(net->evaluated);
  free(net);
}

size_t fovea_network_memory(const fovea_network *net) {
  if (!net) return 0;
  const fovea_resources *r = &net->resources;
  const fovea_buffer *buffers[] = {r->parameters, r->gradients, r->first_moments, r->second_moments,
                                   r->state,      r->pixels,    r->losses};
  size_t total = fovea_plan_memory(net->evaluation) + (net->training ? fovea_plan_memory(net->training) : 0);
  for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++) total += buffers[i] ? buffers[i]->size : 0;
  return total;
}

fovea_plan *fovea_network_plan(fovea_network *net, bool training) { return training ? net->training : net->evaluation; }

const fovea_network_options *fovea_network_get_options(const fovea_network *net) { return &net->options; }

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

const char *fovea_network_blas(const fovea_network *net) {
  return !net ? "" : net->resources.clblast ? "clblast" : "builtin";
}

/* --- passes
 * ----------------------------------------------------------------------------------------------------------- */

fovea_status fovea_network_set_step(fovea_network *net, uint32_t step) {
  if (!net) return fovea_fail_null("network");
  fovea_device_lock(net->device);
  net->step = step;
  return fovea_device_unlock(net->device, FOVEA_OK);
}

uint32_t fovea_network_get_step(const fovea_network *net) {
  if (!net) return 0;
  fovea_device_lock(net->device);
  const uint32_t step = net->step;
  (void)fovea_device_unlock(net->device, FOVEA_OK);
  return step;
}

static fovea_status write_state(fovea_network *net, uint32_t philox_step, size_t count, float alpha) {
  uint32_t state[STATE_WORDS] = {philox_step,
                                 (uint32_t)count,
                                 0,
                                 (uint32_t)net->slots,
                                 0,
                                 (uint32_t)net->options.seed,
                                 (uint32_t)(net->options.seed >> 32),
                                 0};
  memcpy(&state[2], &alpha, sizeof alpha);
  return fovea_buffer_write_async(net->resources.state, 0, sizeof state, state);
}

/* Gathers and copies the next batch while the device computes, since nothing waits for a pass. The copy to a device
 * with memory of its own runs between two passes, in the same queue: an estimated 10 us for the seed network's 50 KB.
 */
static fovea_status write_pixels(fovea_network *net, const uint8_t *pixels, const uint32_t *index, size_t count) {
  if (count < 1 || count > (size_t)net->options.batch)
    return fovea_fail(FOVEA_INVALID, "network: %zu images, expected 1 to the batch's %d", count, net->options.batch);
  for (size_t i = 0; i < count; i++)
    memcpy(net->gathered + i * net->image_size, pixels + (index ? index[i] : i) * net->image_size, net->image_size);
  return fovea_buffer_write_async(net->resources.pixels, 0, count * net->image_size, net->gathered);
}

static fovea_pass pass_of(const fovea_network *net, const float *log, size_t slot) {
  return (fovea_pass){net->slot_training[slot], net->slot_step[slot], net->slot_images[slot], log[2 * slot],
                      log[2 * slot + 1]};
}

/* The slot of the training step; net->slots: none. */
static size_t slot_of(const fovea_network *net, uint32_t step) {
  size_t i = 0;
  while (i < net->slots && !(net->slot_training[i] && net->slot_step[i] == step)) i++;
  return i;
}

/* The failure of slot i, whose loss is not finite. The state words are written again for the search; the images on the
 * device are those of the last pass. */
static fovea_status report_loss(fovea_network *net, const float *log, size_t i) {
  const size_t last = i > 0 ? i - 1 : 0;
  const bool after_a_step = last < i && net->slot_training[i] && net->slot_training[last];
  fovea_pass pass = pass_of(net, log, i), before = pass_of(net, log, last);
  pass.images = net->slot_images[net->slots - 1];
  fovea_status status = write_state(net, pass.step, pass.images, 0.0f);
  if (status != FOVEA_OK) return status;
  return fovea_report_loss(net, &net->resources, &pass, after_a_step ? &before : NULL, i == net->slots - 1);
}

/* FOVEA_MISMATCH about the first of the log's passes that was not finite, if one was. */
static fovea_status look_for_trouble(fovea_network *net, const uint32_t trouble[FOVEA_TROUBLE_WORDS],
                                     const float *log) {
  const uint32_t earlier = trouble[FOVEA_TROUBLE_ADAM], now = trouble[FOVEA_TROUBLE_NOW];
  const uint32_t step = earlier < now ? earlier : now;
  const bool learned = step == FOVEA_NO_TROUBLE;
  const size_t adam = learned ? net->slots : slot_of(net, step);
  size_t loss = 0;
  while (loss < net->slots && isfinite(log[2 * loss]) && isfinite(log[2 * loss + 1])) loss++;
  if (learned && loss == net->slots) return FOVEA_OK;
  fovea_status status = forget_trouble(net);
  if (status != FOVEA_OK) return status;
  if (loss < net->slots && (learned || loss <= adam)) return report_loss(net, log, loss);
  const bool logged = adam < net->slots;
  const fovea_pass pass = logged ? pass_of(net, log, adam) : (fovea_pass){0};
  return fovea_report_gradient(net, step, logged ? &pass : NULL);
}

/* Adds the log's losses to the sums. */
static fovea_status drain(fovea_network *net) {
  if (net->slots == 0) return FOVEA_OK;
  uint32_t trouble[FOVEA_TROUBLE_WORDS];
  float *log = malloc(sizeof trouble + 2 * net->slots * sizeof *log);
  if (!log) return fovea_fail(FOVEA_NO_MEMORY, "network: host memory ran out");
  const float *losses = log + FOVEA_TROUBLE_WORDS;
  fovea_status status = fovea_buffer_read(net->resources.losses, 0, sizeof trouble + 8 * net->slots, log);
  if (status == FOVEA_OK) memcpy(trouble, log, sizeof trouble), status = look_for_trouble(net, trouble, losses);
  for (size_t i = 0; i < net->slots && status == FOVEA_OK; i++) {
    net->bce += (double)losses[2 * i] * (double)net->slot_images[i];
    net->kl += (double)losses[2 * i + 1] * (double)net->slot_images[i];
    net->images += net->slot_images[i];
    net->passes++;
  }
  net->slots = 0;
  free(log);
  return status;
}

static fovea_status next_slot(fovea_network *net, size_t count, uint32_t step, bool training) {
  fovea_status status = net->slots == LOSS_SLOTS - 1 ? drain(net) : FOVEA_OK; /* the last slot is evaluate_from's */
  net->slot_images[net->slots] = count;
  net->slot_step[net->slots] = step;
  net->slot_training[net->slots] = training;
  return status;
}

static fovea_status train_step_locked(fovea_network *net, const uint8_t *pixels, const uint32_t *index, size_t count,
                                      float learning_rate) {
  if (!net->training) return fovea_fail(FOVEA_INVALID, "network: made for evaluation only");
  if (!isfinite(learning_rate) || learning_rate < 0.0f)
    return fovea_fail(FOVEA_INVALID, "fovea_network_train_step: learning_rate is %g, expected 0 or more",
                      (double)learning_rate);
  if (net->step == UINT32_MAX) return fovea_fail(FOVEA_INVALID, "network: step %u is the last one", net->step);
  double t = (double)net->step + 1.0;
  float alpha = (float)((double)learning_rate * sqrt(1.0 - pow(0.999, t)) / (1.0 - pow(0.9, t)));
  fovea_status status = next_slot(net, count, net->step, true);
  if (status == FOVEA_OK) status = write_pixels(net, pixels, index, count);
  if (status == FOVEA_OK) status = write_state(net, net->step, count, alpha);
  if (status == FOVEA_OK) status = fovea_plan_run(net->training);
  if (status == FOVEA_OK) net->step++, net->slots++;
  return status;
}

fovea_status fovea_network_train_step(fovea_network *net, const uint8_t *pixels, const uint32_t *index, size_t count,
                                      float learning_rate) {
  if (!net || !pixels) return fovea_fail_null(net ? "pixels" : "network");
  fovea_device_lock(net->device);
  return fovea_device_unlock(net->device, train_step_locked(net, pixels, index, count, learning_rate));
}

/* Notes which tensors an evaluation pass from node `first` on has computed; none after a failure. */
static fovea_status remember_pass(fovea_network *net, fovea_tensor first, size_t count, fovea_status status) {
  for (fovea_tensor i = first; i < net->graph->count; i++) net->evaluated[i] = status == FOVEA_OK ? count : 0;
  return status;
}

static fovea_status evaluate_locked(fovea_network *net, const uint8_t *pixels, const uint32_t *index, size_t count,
                                    uint32_t noise_step) {
  fovea_status status = next_slot(net, count, noise_step, false);
  if (status == FOVEA_OK) status = write_pixels(net, pixels, index, count);
  if (status == FOVEA_OK) status = write_state(net, noise_step, count, 0.0f);
  if (status == FOVEA_OK) status = remember_pass(net, 0, count, fovea_plan_run(net->evaluation));
  if (status == FOVEA_OK && net->graph->loss >= 0) net->slots++;
  return status;
}

fovea_status fovea_network_evaluate(fovea_network *net, const uint8_t *pixels, const uint32_t *index, size_t count,
                                    uint32_t noise_step) {
  if (!net || !pixels) return fovea_fail_null(net ? "pixels" : "network");
  fovea_device_lock(net->device);
  return fovea_device_unlock(net->device, evaluate_locked(net, pixels, index, count, noise_step));
}

static fovea_status losses_locked(fovea_network *net, fovea_losses *losses) {
  fovea_status status = drain(net);
  double images = net->images ? (double)net->images : 1.0;
  if (status == FOVEA_OK)
    *losses = (fovea_losses){.bce = net->bce / images,
                             .kl = net->kl / images,
                             .total = (net->bce + (double)net->kl_weight * net->kl) / images,
                             .images = net->images,
                             .passes = net->passes};
  net->bce = net->kl = 0.0;
  net->images = net->passes = 0;
  return status;
}

fovea_status fovea_network_losses(fovea_network *net, fovea_losses *losses) {
  if (!net || !losses) return fovea_fail_null(net ? "losses" : "network");
  fovea_device_lock(net->device);
  return fovea_device_unlock(net->device, losses_locked(net, losses));
}

/* --- tensors in and out
 * ------------------------------------------------------------------------------------------------ */

size_t fovea_device_place(size_t element, size_t pixels, size_t image, size_t batch) {
  return ((element / pixels * (batch / LANES) + image / LANES) * pixels + element % pixels) * LANES + image % LANES;
}

static fovea_status value_of(fovea_network *net, fovea_tensor tensor, size_t count, fovea_slice *slice, size_t *size,
                             size_t *pixels) {
  int dims[3];
  fovea_status status = fovea_tensor_shape(net->graph, tensor, dims);
  if (status != FOVEA_OK) return status;
  if (count < 1 || count > (size_t)net->options.batch)
    return fovea_fail(FOVEA_INVALID, "network: %zu images, expected 1 to the batch's %d", count, net->options.batch);
  *pixels = (size_t)dims[1] * (size_t)dims[2];
  *size = (size_t)dims[0] * *pixels;
  const fovea_tensor by = fovea_plan_fused_by(net->evaluation, tensor);
  if (by >= 0)
    return fovea_fail(FOVEA_INVALID,
                      "network: tensor %d (%s) is not made, but tensor %d (%s) in one with it, unless fovea_graph_keep "
                      "is told to",
                      tensor, net->graph->nodes[tensor].op->name, by, net->graph->nodes[by].op->name);
  return fovea_plan_value(net->evaluation, tensor, slice);
}

static fovea_status check_evaluated(const fovea_network *net, fovea_tensor tensor, size_t count) {
  const size_t made = net->evaluated[tensor];
  if (made == 0)
    return fovea_fail(FOVEA_INVALID, "network: no evaluation pass has made tensor %d (%s) yet", tensor,
                      net->graph->nodes[tensor].op->name);
  if (count <= made) return FOVEA_OK;
  return fovea_fail(FOVEA_INVALID, "network: %zu images of tensor %d (%s), of which the last evaluation pass made %zu",
                    count, tensor, net->graph->nodes[tensor].op->name, made);
}

static fovea_status read_locked(fovea_network *net, fovea_tensor tensor, size_t count, float *data) {
  fovea_slice slice;
  size_t size = 0, pixels = 1, batch = ((size_t)net->options.batch + LANES - 1) / LANES * LANES;
  fovea_status status = value_of(net, tensor, count, &slice, &size, &pixels);
  if (status == FOVEA_OK) status = check_evaluated(net, tensor, count);
  if (status != FOVEA_OK) return status;
  float *device = malloc(size * batch * sizeof *device);
  if (!device) return fovea_fail(FOVEA_NO_MEMORY, "network: host memory ran out");
  status = fovea_buffer_read(slice.buffer, 4 * slice.offset, 4 * size * batch, device);
  for (size_t n = 0; n < count && status == FOVEA_OK; n++)
    for (size_t e = 0; e < size; e++) data[n * size + e] = device[fovea_device_place(e, pixels, n, batch)];
  free(device);
  return status;
}

fovea_status fovea_network_read(fovea_network *net, fovea_tensor tensor, size_t count, float *data) {
  if (!net || !data) return fovea_fail_null(net ? "data" : "network");
  fovea_device_lock(net->device);
  return fovea_device_unlock(net->device, read_locked(net, tensor, count, data));
}

/* The first tensor before `tensor` that is read after it; -1: none. The loss's images are not asked for: see below. */
static fovea_tensor read_across(const fovea_graph *graph, fovea_tensor tensor) {
  for (int i = tensor + 1; i < graph->count; i++)
    for (int k = 0; k < graph->nodes[i].input_count; k++)
      if (graph->nodes[i].inputs[k] < tensor && !(i == graph->loss && k == 1)) return graph->nodes[i].inputs[k];
  return -1;
}

/* What a pass from `tensor` on reads that was made before has to be there, of as many images. */
static fovea_status check_made_before(const fovea_network *net, fovea_tensor tensor, size_t count) {
  const fovea_tensor across = read_across(net->graph, tensor);
  size_t made = SIZE_MAX;
  for (fovea_tensor i = 0; i < tensor && across >= 0; i++)
    if (net->evaluated[i] < made) made = net->evaluated[i];
  if (made >= count) return FOVEA_OK;
  return fovea_fail(FOVEA_INVALID,
                    "network: tensor %d (%s) is read after tensor %d, and the last evaluation pass made %zu images of "
                    "what is before that, not %zu",
                    across, net->graph->nodes[across].op->name, tensor, made, count);
}

static fovea_status evaluate_from_locked(fovea_network *net, fovea_tensor tensor, const float *data, size_t count) {
  fovea_slice slice;
  size_t size = 0, pixels = 1, batch = ((size_t)net->options.batch + LANES - 1) / LANES * LANES;
  fovea_status status = value_of(net, tensor, count, &slice, &size, &pixels);
  if (status == FOVEA_OK) status = check_made_before(net, tensor, count);
  if (status != FOVEA_OK) return status;
  float *device = calloc(size * batch, sizeof *device);
  if (!device) return fovea_fail(FOVEA_NO_MEMORY, "network: host memory ran out");
  for (size_t n = 0; n < count; n++)
    for (size_t e = 0; e < size; e++) device[fovea_device_place(e, pixels, n, batch)] = data[n * size + e];
  size_t slots = net->slots;
  net->slots = LOSS_SLOTS - 1; /* its loss, against no images, goes to a slot that is not read */
  status = write_state(net, 0, count, 0.0f);
  net->slots = slots;
  if (status == FOVEA_OK) status = fovea_buffer_write(slice.buffer, 4 * slice.offset, 4 * size * batch, device);
  if (status == FOVEA_OK) status = remember_pass(net, tensor, count, fovea_plan_run_after(net->evaluation, tensor));
  free(device);
  return status;
}

fovea_status fovea_network_evaluate_from(fovea_network *net, fovea_tensor tensor, const float *data, size_t count) {
  if (!net || !data) return fovea_fail_null(net ? "data" : "network");
  fovea_device_lock(net->device);
  return fovea_device_unlock(net->device, evaluate_from_locked(net, tensor, data, count));
}
