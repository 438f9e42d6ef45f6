/* list_programs OUT: every program that a GPU would be given for the networks below, "FILE<tab>OPTIONS" a line: once as
 * for a device that divides correctly, once as for one that does not.
 *
 * The device under it is whatever is here. It takes a GPU's path and says of itself what a GPU might, so that the
 * options can only be those of a GPU. A file is built once, or once for each size of work-group that its kernels
 * require, and for each MERGED, which has another kernel: the linker's --wrap gives the first program to the launches
 * of the others too, since its kernels have the same arguments whatever the macros. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "fovea/vae.h"
#include "op/list.h"
#include "runtime/device.h"
#include "runtime/program.h"

enum { MOST = 500 };

static struct asked { char file[64], options[128]; } asked[MOST];
static size_t asked_count;

fovea_status __real_fovea_program_get(fovea_device *device, const char *file, const char *options, cl_program *program);
fovea_status __wrap_fovea_program_get(fovea_device *device, const char *file, const char *options, cl_program *program);

/* What says which size of work-groups a program's kernels require, GROUP or SUBS; else 0. */
static long required_group(const char *options) {
  const char *group = strstr(options, "-DGROUP="), *subs = strstr(options, "-DSUBS=");
  const char *value = strchr(group ? group + 2 : subs ? subs + 2 : "", '=');
  return value ? strtol(value + 1, NULL, 10) : 0;
}

static bool has_same_kernels(const char *options, const char *others) {
  return required_group(options) == required_group(others) &&
         (strstr(options, "-DMERGED=1") != NULL) == (strstr(others, "-DMERGED=1") != NULL);
}

fovea_status __wrap_fovea_program_get(fovea_device *device, const char *file, const char *options,
                                      cl_program *program) {
  const char *first = NULL;
  bool known = false;
  for (size_t i = 0; i < asked_count; i++) {
    if (strcmp(asked[i].file, file) != 0) continue;
    if (!first && has_same_kernels(asked[i].options, options)) first = asked[i].options;
    if (strcmp(asked[i].options, options) == 0) known = true;
  }
  if (!known) {
    if (asked_count == MOST) return fovea_fail(FOVEA_INVALID, "more than %d programs", MOST);
    struct asked *a = &asked[asked_count++];
    snprintf(a->file, sizeof a->file, "%s", file);
    if (snprintf(a->options, sizeof a->options, "%s", options) >= (int)sizeof a->options)
      return fovea_fail(FOVEA_INVALID, "%s: long options", file);
  }
  return __real_fovea_program_get(device, file, first ? first : options, program);
}

static void pretend_to_be_a_gpu(fovea_device_info *info) {
  info->type = FOVEA_DEVICE_GPU;
  info->native_float_width = 1;
  info->compute_units = 20;
  info->max_work_group_size = 256;
  info->local_memory = 32 << 10;
  info->unified_memory = false;
}

typedef struct variant {
  int channels, height, width;
  int units[4], unit_count;
  int latent;
  fovea_attention attention;
  bool batchnorm, dropout, training;
  fovea_activation activation;
  fovea_augmentation augment;
} variant;

/* Depth and batch are arguments of kernels, and no macros. The first is the seed network. */
static const variant variants[] = {
    {1, 28, 28, {35, 25, 15, 5}, 4, 2, FOVEA_ATTENTION_SPATIAL, true, true, true, FOVEA_RELU, {0}},
    {1, 28, 28, {35, 25, 15, 5}, 4, 2, FOVEA_ATTENTION_SPATIAL, true, true, false, FOVEA_ELU, {0}},
    {3, 32, 32, {12, 8, 4}, 3, 8, FOVEA_ATTENTION_CBAM, true, false, true, FOVEA_SELU, {.shift = 2}},
    {3, 12, 8, {7, 3, 2}, 3, 1, FOVEA_ATTENTION_CHANNEL, false, true, true, FOVEA_SIGMOID, {0}},
};

static fovea_status build_variant(fovea_device *device, const variant *v) {
  fovea_vae *vae = NULL;
  fovea_vae_config config = fovea_vae_default();
  config.channels = v->channels, config.height = v->height, config.width = v->width;
  memcpy(config.units, v->units, sizeof v->units);
  config.unit_count = v->unit_count;
  config.latent = v->latent;
  config.attention = v->attention;
  config.batchnorm = v->batchnorm;
  config.activation = v->activation;
  config.augment = v->augment;
  if (!v->dropout) config.dropout = 0;
  fovea_status status = fovea_vae_create(device, &config, v->training, &vae);
  fovea_vae_destroy(vae);
  return status;
}

static fovea_status build_graph(fovea_device *device, fovea_graph *graph, bool training) {
  fovea_network *network = NULL;
  const fovea_network_options options = {.batch = 16, .training = training};
  fovea_status status = fovea_network_create(device, graph, &options, &network);
  fovea_network_destroy(network);
  return status;
}

/* Tiles depend on the number of units, and where work-groups are small, kernels do. */
static fovea_status build_seed_network_for(fovea_device *device, uint32_t units, size_t group) {
  const fovea_device_info info = device->info;
  const fovea_tuning tuning = device->tuning;
  device->info.compute_units = units;
  device->info.max_work_group_size = group;
  if (group < tuning.group) device->tuning.group = group;
  const fovea_status status = build_variant(device, &variants[0]);
  device->info = info;
  device->tuning = tuning;
  return status;
}

static fovea_tensor add_conv(fovea_graph *graph, fovea_tensor x, const char *name) {
  return fovea_add_conv2d(graph, x, name, &(fovea_conv2d){.filters = 5, .kernel = 3, .stride = 1, .same = true});
}

/* What is in the middle, of images of 16x16, between the images and the loss. */
static fovea_status build_one(fovea_device *device, bool training,
                              fovea_tensor (*add)(fovea_graph *, fovea_tensor, int), int which) {
  fovea_graph *graph = NULL;
  fovea_status status = fovea_graph_create(&graph);
  if (status != FOVEA_OK) return status;
  fovea_tensor x = add_conv(graph, fovea_add_input(graph, 3, 16, 16), "head");
  x = fovea_add_dense(graph, add(graph, x, which), "tail", 3 * 16 * 16, true);
  fovea_add_sigmoid_bce(graph, fovea_add_reshape(graph, x, 3, 16, 16));
  status = build_graph(device, graph, training);
  fovea_graph_destroy(graph);
  return status;
}

/* After a convolution, after a normalization and its dropout, and alone. */
static fovea_tensor add_activation(fovea_graph *graph, fovea_tensor x, int which) {
  const fovea_activation activation = (fovea_activation)which;
  x = fovea_add_batchnorm(graph, fovea_add_activation(graph, x, activation), "norm", 0.9f, 1e-3f);
  x = fovea_add_activation(graph, fovea_add_dropout(graph, x, 0.25), activation);
  return fovea_add_activation(graph, x, activation);
}

static fovea_tensor add_example(fovea_graph *graph, fovea_tensor x, int which) {
  return fovea_graph_add_example(graph, fovea_ops[which], x, x);
}

/* Every op and every activation of the list. */
static fovea_status build_list(fovea_device *device, bool training) {
  fovea_status status = FOVEA_OK;
  for (int i = 0; i < FOVEA_ACTIVATION_COUNT && status == FOVEA_OK; i++)
    status = build_one(device, training, add_activation, i);
  for (int i = 0; i < FOVEA_OP_KINDS && status == FOVEA_OK; i++)
    if (fovea_op_has_example(fovea_ops[i])) status = build_one(device, training, add_example, i);
  return status;
}

/* A kernel that the autoencoder does not have, with both strides and both ways. */
static fovea_status build_large_kernel(fovea_device *device) {
  fovea_graph *graph = NULL;
  fovea_status status = fovea_graph_create(&graph);
  if (status != FOVEA_OK) return status;
  fovea_tensor x = fovea_add_input(graph, 3, 16, 16);
  x = fovea_add_conv2d(graph, x, "down", &(fovea_conv2d){.filters = 8, .kernel = 7, .stride = 2, .same = true});
  x = fovea_add_conv2d_transpose(graph, x, "up", &(fovea_conv2d){.filters = 3, .kernel = 7, .stride = 2, .same = true});
  fovea_add_sigmoid_bce(graph, x);
  status = build_graph(device, graph, true);
  fovea_graph_destroy(graph);
  return status;
}

static bool is_listed(const char *file, const char *option) {
  for (size_t i = 0; i < asked_count; i++)
    if (strcmp(asked[i].file, file) == 0 && strstr(asked[i].options, option)) return true;
  return false;
}

/* Each op with a kernel file of its own, each activation. */
static fovea_status expect_every_op(void) {
  char text[64];
  for (int i = 0; i < FOVEA_OP_KINDS; i++) {
    snprintf(text, sizeof text, "%s.cl", fovea_ops[i]->name);
    if (!(fovea_ops[i]->flags & FOVEA_SHARES_KERNELS) && !is_listed(text, ""))
      return fovea_fail(FOVEA_INVALID, "no program of %s", text);
  }
  for (int i = 0; i < FOVEA_ACTIVATION_COUNT; i++) {
    snprintf(text, sizeof text, "-DACTIVATION=%d", i);
    if (!is_listed("activation.cl", text))
      return fovea_fail(FOVEA_INVALID, "no program of activation %s", fovea_activation_name((fovea_activation)i));
  }
  return FOVEA_OK;
}

/* Those that no network launches here: bench tries these widths; a network with ranks has these. */
static fovea_status build_others(fovea_device *device) {
  static const char *const others[][2] = {
      {"bench.cl", "-DV=1"}, {"bench.cl", "-DV=4"}, {"bench.cl", "-DV=8"},      {"bench.cl", "-DV=16"},
      {"arithmetic.cl", ""}, {"ranks.cl", ""},      {"losses.cl", "-DRANKS=1"},
  };
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < sizeof others / sizeof *others && status == FOVEA_OK; i++) {
    cl_program program;
    status = fovea_program_get(device, others[i][0], others[i][1], &program);
  }
  return status;
}

static fovea_status list(fovea_device *device, const char *path) {
  FILE *out = fopen(path, "w");
  if (!out) return fovea_fail(FOVEA_IO, "cannot write %s", path);
  for (int correct = 0; correct < 2; correct++) {
    device->info.correctly_rounded_divide_sqrt = correct;
    for (size_t i = 0; i < asked_count; i++) {
      char options[512];
      fovea_program_options(device, asked[i].options, options, sizeof options);
      fprintf(out, "%s\t%s\n", asked[i].file, options);
    }
  }
  return fclose(out) == 0 ? FOVEA_OK : fovea_fail(FOVEA_IO, "cannot write %s", path);
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: list_programs OUT\n");
    return 2;
  }
  fovea_device *device = NULL;
  setenv("FOVEA_VECTOR", "1", 1);
  setenv("FOVEA_BLAS", "builtin", 1);
  fovea_status status = fovea_device_open(NULL, &device);
  if (status == FOVEA_OK) pretend_to_be_a_gpu(&device->info);
  for (size_t i = 0; i < sizeof variants / sizeof *variants && status == FOVEA_OK; i++)
    status = build_variant(device, &variants[i]);
  if (status == FOVEA_OK) status = build_seed_network_for(device, 132, 256);
  if (status == FOVEA_OK) status = build_seed_network_for(device, 20, 32);
  if (status == FOVEA_OK) status = build_large_kernel(device);
  for (int training = 0; training < 2 && status == FOVEA_OK; training++) status = build_list(device, training);
  if (status == FOVEA_OK) status = build_others(device);
  if (status == FOVEA_OK) status = expect_every_op();
  if (status == FOVEA_OK) status = list(device, argv[1]);
  if (status != FOVEA_OK) fprintf(stderr, "list_programs: %s\n", fovea_error_message());
  fovea_device_close(device);
  return status == FOVEA_OK ? 0 : 1;
}
