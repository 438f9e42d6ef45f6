#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "net/internal.h"
#include "net/not_finite.h"
#include "plan/inspect.h"
#include "runtime/lock.h"

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

/* What this rank has of a batch of `count` images; and the whole of one that other ranks have nothing of. */
static fovea_part_of_batch part_of(const fovea_network *net, size_t count) {
  return fovea_cut_part(net->cut, net->cut ? net->options.ranks->rank : 0, count);
}
static fovea_part_of_batch own(size_t count) { return (fovea_part_of_batch){0, count, count}; }

/* With the numbers of `numbered` images after the words of every pass. */
static fovea_status write_words(fovea_network *net, uint32_t philox_step, fovea_part_of_batch part, float alpha,
                                size_t numbered) {
  uint32_t *state = net->state;
  state[0] = philox_step, state[1] = (uint32_t)part.count, state[3] = (uint32_t)net->slots;
  state[7] = (uint32_t)part.first, state[8] = (uint32_t)part.all;
  state[5] = (uint32_t)net->options.seed, state[6] = (uint32_t)(net->options.seed >> 32);
  memcpy(&state[2], &alpha, sizeof alpha);
  return fovea_buffer_write_async(net->resources.state, 0, sizeof *state * (STATE_WORDS + numbered), state);
}

static fovea_status write_state(fovea_network *net, uint32_t philox_step, fovea_part_of_batch part, float alpha) {
  return write_words(net, philox_step, part, alpha, 0);
}

/* What a training step augments by, too. */
static fovea_status write_training_state(fovea_network *net, const uint32_t *index, const fovea_numbering *numbering,
                                         fovea_part_of_batch part, float alpha) {
  const uint32_t *numbers = numbering && numbering->numbers ? numbering->numbers : index;
  if (!net->resources.augment) return write_state(net, net->step, part, alpha);
  net->state[4] = numbering ? numbering->epoch : net->step;
  for (size_t i = 0; i < part.count; i++) {
    const size_t image = part.first + i;
    net->state[STATE_WORDS + i] = numbers ? numbers[image] : (uint32_t)image;
  }
  return write_words(net, net->step, part, alpha, part.count);
}

/* Gathers and copies the next batch while the device computes, since nothing waits for a pass. The copy to a device
 * with memory of its own runs between two passes, in the same queue: an estimated 10 us for the seed network's 50 KB.
 */
static fovea_status write_pixels(fovea_network *net, const uint8_t *pixels, const uint32_t *index,
                                 fovea_part_of_batch part) {
  for (size_t i = 0; i < part.count; i++) {
    const size_t image = index ? index[part.first + i] : part.first + i;
    memcpy(net->gathered + i * net->image_size, pixels + image * net->image_size, net->image_size);
  }
  return fovea_buffer_write_async(net->resources.pixels, 0, part.count * net->image_size, net->gathered);
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
  fovea_status status = write_state(net, pass.step, part_of(net, pass.images), 0.0f);
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
  fovea_status status = fovea_forget_trouble(net);
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

static fovea_status check_count(size_t count, int batch) {
  if (count >= 1 && count <= (size_t)batch) return FOVEA_OK;
  return fovea_fail(FOVEA_INVALID, "network: %zu images, expected 1 to the batch's %d", count, batch);
}

static fovea_status next_slot(fovea_network *net, size_t count, uint32_t step, bool training) {
  fovea_status status = net->slots == LOSS_SLOTS - 1 ? drain(net) : FOVEA_OK; /* the last slot is evaluate_from's */
  net->slot_images[net->slots] = count;
  net->slot_step[net->slots] = step;
  net->slot_training[net->slots] = training;
  return status;
}

static fovea_status train_step_locked(fovea_network *net, const uint8_t *pixels, const uint32_t *index,
                                      const fovea_numbering *numbering, size_t count, float learning_rate) {
  if (!net->training) return fovea_fail(FOVEA_INVALID, "network: made for evaluation only");
  if (!isfinite(learning_rate) || learning_rate < 0.0f)
    return fovea_fail(FOVEA_INVALID, "fovea_network_train_step: learning_rate is %g, expected 0 or more",
                      (double)learning_rate);
  if (net->step == UINT32_MAX) return fovea_fail(FOVEA_INVALID, "network: step %u is the last one", net->step);
  double t = (double)net->step + 1.0;
  float alpha = (float)((double)learning_rate * sqrt(1.0 - pow(0.999, t)) / (1.0 - pow(0.9, t)));
  const fovea_part_of_batch part = part_of(net, count);
  fovea_status status = check_count(count, net->options.batch);
  if (status == FOVEA_OK) status = next_slot(net, count, net->step, true);
  if (status == FOVEA_OK) status = write_pixels(net, pixels, index, part);
  if (status == FOVEA_OK) status = write_training_state(net, index, numbering, part, alpha);
  if (status == FOVEA_OK) status = fovea_plan_run(net->training);
  if (status == FOVEA_OK) net->step++, net->slots++;
  return status;
}

fovea_status fovea_network_train_step(fovea_network *net, const uint8_t *pixels, const uint32_t *index, size_t count,
                                      float learning_rate) {
  if (!net || !pixels) return fovea_fail_null(net ? "pixels" : "network");
  return fovea_network_train_numbered(net, pixels, index, NULL, count, learning_rate);
}

fovea_status fovea_network_train_numbered(fovea_network *net, const uint8_t *pixels, const uint32_t *index,
                                          const fovea_numbering *numbering, size_t count, float learning_rate) {
  if (!net || !pixels) return fovea_fail_null(net ? "pixels" : "network");
  fovea_device_lock(net->device);
  return fovea_device_unlock(net->device, train_step_locked(net, pixels, index, numbering, count, learning_rate));
}

/* A tensor that is at `slice` on the device, image after image. */
static fovea_status read_images(const fovea_network *net, fovea_slice slice, size_t size, size_t pixels, size_t count,
                                float *data) {
  const size_t batch = ((size_t)net->batch + LANES - 1) / LANES * LANES;
  float *device = malloc(size * batch * sizeof *device);
  if (!device) return fovea_fail(FOVEA_NO_MEMORY, "network: host memory ran out");
  const fovea_status status = fovea_buffer_read(slice.buffer, 4 * slice.offset, 4 * size * batch, device);
  for (size_t n = 0; n < count && status == FOVEA_OK; n++)
    for (size_t e = 0; e < size; e++) data[n * size + e] = device[fovea_device_place(e, pixels, n, batch)];
  free(device);
  return status;
}

/* The losses are read first: what looks for the first number that is not finite needs the last pass's images. */
static fovea_status augment_locked(fovea_network *net, const uint8_t *pixels, const uint32_t *index,
                                   const fovea_numbering *numbering, size_t count, float *images) {
  if (!net->training) return fovea_fail(FOVEA_INVALID, "network: made for evaluation only");
  const fovea_tensor input = net->graph->input;
  const fovea_node *node = &net->graph->nodes[input];
  int launches;
  double flops, bytes;
  fovea_status status = check_count(count, net->batch);
  if (status == FOVEA_OK) status = drain(net);
  if (status == FOVEA_OK) status = write_pixels(net, pixels, index, own(count));
  if (status == FOVEA_OK) status = write_training_state(net, index, numbering, own(count), 0.0f);
  if (status == FOVEA_OK) status = fovea_plan_run_node(net->training, input, false, &launches, &flops, &bytes);
  if (status != FOVEA_OK) return status;
  return read_images(net, fovea_plan_made(net->training, input), net->image_size, (size_t)(node->h * node->w), count,
                     images);
}

fovea_status fovea_network_augment(fovea_network *net, const uint8_t *pixels, const uint32_t *index,
                                   const fovea_numbering *numbering, size_t count, float *images) {
  if (!net || !pixels || !images) return fovea_fail_null(!net ? "network" : pixels ? "images" : "pixels");
  fovea_device_lock(net->device);
  return fovea_device_unlock(net->device, augment_locked(net, pixels, index, numbering, count, images));
}

/* Notes which tensors an evaluation pass from node `first` on has computed; none after a failure. */
static fovea_status remember_pass(fovea_network *net, fovea_tensor first, size_t count, fovea_status status) {
  for (fovea_tensor i = first; i < net->graph->count; i++) net->evaluated[i] = status == FOVEA_OK ? count : 0;
  return status;
}

static fovea_status evaluate_locked(fovea_network *net, const uint8_t *pixels, const uint32_t *index, size_t count,
                                    uint32_t noise_step) {
  const fovea_part_of_batch part = part_of(net, count);
  fovea_status status = check_count(count, net->options.batch);
  if (status == FOVEA_OK) status = next_slot(net, count, noise_step, false);
  if (status == FOVEA_OK) status = write_pixels(net, pixels, index, part);
  if (status == FOVEA_OK) status = write_state(net, noise_step, part, 0.0f);
  if (status == FOVEA_OK) status = remember_pass(net, 0, part.count, fovea_plan_run(net->evaluation));
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

static fovea_status value_of(fovea_network *net, fovea_tensor tensor, size_t count, fovea_slice *slice, size_t *size,
                             size_t *pixels) {
  int dims[3];
  fovea_status status = fovea_tensor_shape(net->graph, tensor, dims);
  if (status == FOVEA_OK) status = check_count(count, net->batch);
  if (status != FOVEA_OK) return status;
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
  size_t size = 0, pixels = 1;
  fovea_status status = value_of(net, tensor, count, &slice, &size, &pixels);
  if (status == FOVEA_OK) status = check_evaluated(net, tensor, count);
  return status == FOVEA_OK ? read_images(net, slice, size, pixels, count, data) : status;
}

fovea_status fovea_network_read(fovea_network *net, fovea_tensor tensor, size_t count, float *data) {
  if (!net || !data) return fovea_fail_null(net ? "data" : "network");
  fovea_device_lock(net->device);
  return fovea_device_unlock(net->device, read_locked(net, tensor, count, data));
}

bool fovea_network_keeps(const fovea_network *net, fovea_tensor tensor) {
  if (!net || tensor < 0 || tensor >= net->graph->count) return false;
  const bool all = net->options.inspect && fovea_plan_fused_by(net->evaluation, tensor) < 0;
  return all || fovea_graph_is_result(net->graph, tensor);
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
  size_t size = 0, pixels = 1, batch = ((size_t)net->batch + LANES - 1) / LANES * LANES;
  fovea_status status = value_of(net, tensor, count, &slice, &size, &pixels);
  if (status == FOVEA_OK) status = check_made_before(net, tensor, count);
  if (status != FOVEA_OK) return status;
  float *device = calloc(size * batch, sizeof *device);
  if (!device) return fovea_fail(FOVEA_NO_MEMORY, "network: host memory ran out");
  for (size_t n = 0; n < count; n++)
    for (size_t e = 0; e < size; e++) device[fovea_device_place(e, pixels, n, batch)] = data[n * size + e];
  size_t slots = net->slots;
  net->slots = LOSS_SLOTS - 1; /* its loss, against no images, goes to a slot that is not read */
  status = write_state(net, 0, own(count), 0.0f);
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
