/* A network of one's own: a small autoencoder, built layer by layer and trained on real images.
 *
 *     sample_custom_network [DATA [DEVICE]]
 *
 * Exits 1 when it did not learn, else with the status of what failed. */
#include <stdio.h>

#include "fovea/data.h"
#include "fovea/network.h"

enum { TRAIN = 2048, TEST = 512, BATCH = 64, EPOCHS = 4, CODE = 32 };

/* 28 x 28 -> 14 x 14 -> 7 x 7 -> 32 numbers -> 7 x 7 -> 14 x 14 -> 28 x 28. Any size that 4 divides will do. */
static void add_layers(fovea_graph *graph, int channels, int height, int width) {
  fovea_conv2d conv = {.kernel = 3, .stride = 2, .same = true};
  fovea_tensor x = fovea_add_input(graph, channels, height, width);
  conv.filters = 8;
  x = fovea_add_activation(graph, fovea_add_conv2d(graph, x, "down1", &conv), FOVEA_RELU);
  conv.filters = 16;
  x = fovea_add_conv2d(graph, x, "down2", &conv);
  x = fovea_add_activation(graph, fovea_add_batchnorm(graph, x, "norm", 0.9F, 1e-3F), FOVEA_RELU);

  x = fovea_add_dense(graph, x, "code", CODE, true);
  x = fovea_add_dense(graph, x, "spread", 16 * (height / 4) * (width / 4), true);
  x = fovea_add_activation(graph, x, FOVEA_RELU);
  x = fovea_add_reshape(graph, x, 16, height / 4, width / 4);

  conv.filters = 8;
  x = fovea_add_activation(graph, fovea_add_conv2d_transpose(graph, x, "up1", &conv), FOVEA_RELU);
  conv.filters = channels;
  conv.bias = true;
  x = fovea_add_conv2d_transpose(graph, x, "up2", &conv);
  fovea_add_sigmoid_bce(graph, x);
}

/* A new order of 0 .. count - 1 (Fisher and Yates; the generator is Knuth's MMIX). */
static void shuffle(uint32_t *order, uint32_t count, uint64_t *state) {
  for (uint32_t i = 0; i < count; i++) order[i] = i;
  for (uint32_t i = count; i-- > 1;) {
    *state = *state * 6364136223846793005U + 1442695040888963407U;
    const uint32_t j = (uint32_t)((*state >> 32) % (i + 1));
    const uint32_t swapped = order[i];
    order[i] = order[j];
    order[j] = swapped;
  }
}

static size_t batch_at(size_t start, size_t count) { return count - start < BATCH ? count - start : BATCH; }

/* Steps are only enqueued; the losses are fetched once, at the end. */
static fovea_status train(fovea_network *network, const fovea_dataset *data, uint64_t *state, fovea_losses *losses) {
  uint32_t order[TRAIN];
  fovea_status status = FOVEA_OK;
  shuffle(order, (uint32_t)data->count, state);
  for (size_t i = 0; i < data->count && !status; i += BATCH)
    status = fovea_network_train_step(network, data->pixels, order + i, batch_at(i, data->count), 0.003F);
  return status ? status : fovea_network_losses(network, losses);
}

static fovea_status test(fovea_network *network, const fovea_dataset *data, fovea_losses *losses) {
  const size_t image = (size_t)data->channels * (size_t)data->height * (size_t)data->width;
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < data->count && !status; i += BATCH)
    status = fovea_network_evaluate(network, data->pixels + i * image, NULL, batch_at(i, data->count),
                                    (uint32_t)(i / BATCH));
  return status ? status : fovea_network_losses(network, losses);
}

static fovea_status run(fovea_device *device, const char *folder, double *first, double *last) {
  fovea_dataset *images = NULL, *held_out = NULL;
  fovea_graph *graph = NULL;
  fovea_network *network = NULL;
  uint64_t state = 1;
  const fovea_network_options options = {.batch = BATCH, .seed = 1, .training = true};

  fovea_status status = fovea_dataset_load(folder, "train", TRAIN, &images);
  if (!status) status = fovea_dataset_load(folder, "test", TEST, &held_out);
  if (!status) status = fovea_graph_create(&graph);
  if (!status) {
    add_layers(graph, images->channels, images->height, images->width);
    status = fovea_network_create(device, graph, &options, &network);
  }
  if (!status) {
    printf("%s, %.1f MiB on it\n", fovea_device_get_info(device)->name,
           (double)fovea_network_memory(network) / (1024 * 1024));
    printf("epoch   train bce   test bce\n");
  }
  for (int epoch = 1; epoch <= EPOCHS && !status; epoch++) {
    fovea_losses training, testing;
    status = train(network, images, &state, &training);
    if (!status) status = test(network, held_out, &testing);
    if (status) break;
    printf("%5d   %9.4f   %8.4f\n", epoch, training.bce, testing.bce);
    fflush(stdout);
    if (epoch == 1) *first = testing.bce;
    *last = testing.bce;
  }

  fovea_network_destroy(network);
  fovea_graph_destroy(graph);
  fovea_dataset_destroy(held_out);
  fovea_dataset_destroy(images);
  return status;
}

int main(int argc, char **argv) {
  fovea_device *device = NULL;
  double first = 0, last = 0;
  fovea_status status = fovea_device_open(argc > 2 ? argv[2] : NULL, &device);
  if (!status) status = run(device, argc > 1 ? argv[1] : "/usr/share/datasets/fashion-mnist", &first, &last);
  fovea_device_close(device);
  if (status) {
    fprintf(stderr, "custom_network: %s\n", fovea_error_message());
    return (int)status;
  }
  if (!(last < first)) {
    fprintf(stderr, "custom_network: the test loss did not fall: %g, then %g\n", first, last);
    return 1;
  }
  return 0;
}
