#include <stdio.h>
#include <stdlib.h>

#include "command.h"
#include "core/fail.h"
#include "fovea/safetensors.h"
#include "identity.h"
#include "pictures.h"
#include "progress.h"

typedef struct request {
  const char *run, *data, *out, *device, *save;
  long long count;
  bool walk;
} request;

/* The run's test images, which must be of the size it was trained on. */
static fovea_status load_images(const request *r, const int dims[3], fovea_dataset **images) {
  fovea_dataset *d = NULL;
  fovea_status status = fovea_dataset_load(r->data, "test", (size_t)r->count, &d);
  if (status == FOVEA_OK && (d->channels != dims[0] || d->height != dims[1] || d->width != dims[2]))
    status = fovea_fail(FOVEA_INVALID,
                        "%s: images are %dx%dx%d (channels, height, width), the run was trained on "
                        "%dx%dx%d",
                        r->data, d->channels, d->height, d->width, dims[0], dims[1], dims[2]);
  if (status == FOVEA_OK)
    *images = d;
  else
    fovea_dataset_destroy(d);
  return status;
}

/* The numbers behind the picture, for other programs: originals and reconstructions [count, C, H, W], codes mu [count,
 * latent]. */
static fovea_status save_tensors(const char *path, fovea_vae *vae, const fovea_dataset *images,
                                 const pictures_pairs *pairs) {
  const fovea_vae_config *c = &vae->config;
  const size_t values = pairs->count * fovea_vae_image_size(vae), codes = pairs->count * (size_t)c->latent;
  const uint64_t n = pairs->count, ch = (uint64_t)c->channels, h = (uint64_t)c->height, w = (uint64_t)c->width;
  float *mu = malloc(codes * sizeof *mu);
  if (mu == NULL)
    return fovea_fail(FOVEA_NO_MEMORY, "reconstruct: no memory for the codes of %zu images", pairs->count);
  const fovea_safetensor tensors[] = {
      {.name = "originals",
       .dtype = "F32",
       .rank = 4,
       .dims = {n, ch, h, w},
       .data = pairs->originals,
       .size = 4 * values},
      {.name = "reconstructions",
       .dtype = "F32",
       .rank = 4,
       .dims = {n, ch, h, w},
       .data = pairs->reconstructions,
       .size = 4 * values},
      {.name = "mu", .dtype = "F32", .rank = 2, .dims = {n, (uint64_t)c->latent}, .data = mu, .size = 4 * codes}};
  fovea_status status = fovea_vae_encode(vae, images->pixels, pairs->count, mu);
  if (status == FOVEA_OK) status = fovea_safetensors_write(path, tensors, 3, NULL, 0);
  free(mu);
  return status;
}

static fovea_status draw_pairs(const request *r, fovea_vae *vae, const fovea_dataset *images) {
  pictures_pairs pairs = {0, NULL, NULL};
  fovea_status status = pictures_reconstruct(vae, images, (size_t)r->count, &pairs);
  if (status == FOVEA_OK) status = pictures_draw(vae, &pairs, r->out);
  if (status == FOVEA_OK && r->save != NULL) status = save_tensors(r->save, vae, images, &pairs);
  pictures_free(&pairs);
  return status;
}

static fovea_status draw(const request *r, const run_options *o, const int dims[3], const char *checkpoint) {
  fovea_dataset *images = NULL;
  fovea_device *device = NULL;
  fovea_vae *vae = NULL;
  const fovea_vae_config config = run_vae_config(o, dims[0], dims[1], dims[2]);
  fovea_status status = r->walk ? FOVEA_OK : load_images(r, dims, &images);
  if (status == FOVEA_OK) status = fovea_device_open(r->device, &device);
  if (status == FOVEA_OK) fovea_device_tell(device, progress_say);
  if (status == FOVEA_OK) status = fovea_vae_create(device, &config, false, &vae);
  if (status == FOVEA_OK) status = fovea_vae_load(vae, checkpoint, NULL);
  if (status == FOVEA_OK) status = r->walk ? pictures_walk(vae, r->out) : draw_pairs(r, vae, images);
  fovea_vae_destroy(vae);
  fovea_device_close(device);
  fovea_dataset_destroy(images);
  return status;
}

static fovea_status reconstruct(const request *r) {
  char path[RUN_PATH], *config = NULL;
  run_options o = run_options_default();
  int dims[3];
  if (r->data == NULL && !r->walk)
    return fovea_fail(FOVEA_INVALID, "--data DIR is required, unless --walk asks for the latent walk");
  if (r->save != NULL && r->walk) return fovea_fail(FOVEA_INVALID, "--save goes with reconstructions, not with --walk");
  fovea_status status = run_path(r->run, "checkpoint.safetensors", path);
  if (status == FOVEA_OK) status = run_config_of_checkpoint(path, &config, NULL);
  if (status == FOVEA_OK) status = run_config_parse(path, config, &o, dims);
  if (status == FOVEA_OK) status = draw(r, &o, dims, path);
  free(config);
  return status;
}

static int run(int argc, char **argv) {
  request r = {.count = PICTURES_COUNT};
  bool help = false;
  option options[] = {
      {.name = "run",
       .kind = OPTION_STRING,
       .value = &r.run,
       .argument = "RUN",
       .required = true,
       .help = "the folder of a trained run"},
      {.name = "data", .kind = OPTION_STRING, .value = &r.data, .argument = "DIR", .help = "images, as for train"},
      {.name = "out",
       .kind = OPTION_STRING,
       .value = &r.out,
       .argument = "FILE.png",
       .required = true,
       .help = "the picture"},
      {.name = "count", .kind = OPTION_INT, .value = &r.count, .min = 1, .max = 10000, .help = "test images"},
      {.name = "save",
       .kind = OPTION_STRING,
       .value = &r.save,
       .argument = "FILE.safetensors",
       .help = "also write originals, reconstructions and codes as numbers"},
      {.name = "walk", .kind = OPTION_FLAG, .value = &r.walk, .help = "draw the walk through the latent space instead"},
      {.name = "device",
       .kind = OPTION_STRING,
       .value = &r.device,
       .argument = "D",
       .help = "index, cpu, gpu, or part of a name; the fastest GPU, else the CPU"}};
  const size_t n = sizeof options / sizeof *options;
  fovea_status status = options_parse(argc, argv, options, n, NULL, 0, NULL, &help);
  if (status != FOVEA_OK) return command_fail(status);
  if (help) {
    options_print_help("fovea reconstruct --run RUN --data DIR --out FILE.png [options]",
                       "Draws test images beside what a trained network makes of them.", options, n);
    return FOVEA_OK;
  }
  status = reconstruct(&r);
  return status != FOVEA_OK ? command_fail(status) : FOVEA_OK;
}

const command command_reconstruct = {"reconstruct", "draw a trained network's reconstructions, or its latent walk",
                                     run};
