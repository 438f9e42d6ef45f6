#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fail.h"
#include "cli/command.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "draw/pictures.h"
#include "fovea/safetensors.h"
#include "train/identity.h"
#include "train/load.h"

typedef struct request {
  const char *run, *data, *out, *device, *save;
  long long count;
  int latent; /* fovea_latent */
  bool walk, json;
  image_options images;
  option_ints show;
  const grid_channels *shown; /* as `show` asks; NULL where it does not */
} request;

/* Results must not overwrite what they come from, or each other. */
static fovea_status check_places(const request *r, const char *checkpoint) {
  const char *const options[] = {"--out", "--save"}, *const files[] = {r->out, r->save};
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < 2 && files[i] != NULL && status == FOVEA_OK; i++) {
    status = load_check_file(r->data, options[i], files[i]);
    if (status == FOVEA_OK && output_same_file(files[i], checkpoint))
      status = fovea_fail(FOVEA_INVALID, "%s %s is the run's checkpoint; choose another file", options[i], files[i]);
    if (status == FOVEA_OK) status = run_refuse_own(options[i], files[i]);
    if (status == FOVEA_OK)
      status = i == 0 ? output_check_png(options[i], files[i]) : output_check_tensors(options[i], files[i]);
  }
  if (status == FOVEA_OK && r->out != NULL && r->save != NULL && output_same_file(r->out, r->save))
    status = fovea_fail(FOVEA_INVALID, "--out and --save are the same file, %s", r->save);
  return status;
}

/* The run's test images, which must be of the size it was trained on. */
static fovea_status load_images(const request *r, const run_options *o, const int dims[3], fovea_dataset **images) {
  fovea_dataset *sets[2] = {NULL, NULL};
  fovea_load_options load;
  fovea_status status = image_options_read(&r->images, r->data, r->count, o->seed, &load);
  if (status == FOVEA_OK) image_options_say(&r->images, r->data);
  if (status == FOVEA_OK) status = load_sets(r->data, (const fovea_load_options *const[]){NULL, &load}, &sets);
  fovea_dataset *d = sets[1];
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

static const char latents[] = "mean|sample"; /* in the order of fovea_latent */

/* What --save writes: images [count, C, H, W] or codes [count, latent]. */
typedef struct numbers {
  const char *name;
  bool images;
  const float *data;
} numbers;

/* The numbers behind a picture, for other programs; `latent` says in the metadata what their z are. */
static fovea_status save_numbers(const char *path, const fovea_vae *vae, const char *latent, size_t count,
                                 const numbers *all, size_t tensor_count) {
  enum { MOST = 5 };
  const fovea_vae_config *c = &vae->config;
  fovea_safetensor tensors[MOST];
  for (size_t i = 0; i < tensor_count; i++) {
    const bool images = all[i].images;
    tensors[i] = (fovea_safetensor){.name = all[i].name, .dtype = "F32", .rank = images ? 4 : 2, .data = all[i].data};
    tensors[i].dims[0] = count;
    tensors[i].dims[1] = (uint64_t)(images ? c->channels : c->latent);
    tensors[i].dims[2] = (uint64_t)(images ? c->height : 0);
    tensors[i].dims[3] = (uint64_t)(images ? c->width : 0);
  }
  return fovea_safetensors_write(path, tensors, tensor_count, &(fovea_safetensor_text){"latent", latent}, 1);
}

static fovea_status save_pairs(const char *path, const fovea_vae *vae, fovea_latent latent, const pictures_pairs *p) {
  char word[RUN_WORD];
  const numbers all[] = {{"originals", true, p->originals},
                         {"reconstructions", true, p->reconstructions},
                         {"mu", false, p->codes.mu},
                         {"logvar", false, p->codes.logvar},
                         {"z", false, p->codes.z}};
  return save_numbers(path, vae, options_choice(latents, (int)latent, word, sizeof word), p->count, all,
                      sizeof all / sizeof *all);
}

static void say_walk(const pictures_walked *walk, int latent) {
  if (latent == 1)
    fprintf(stderr, "fovea: decoded from %zu codes z over [-5, 5]\n", walk->columns);
  else
    fprintf(stderr, "fovea: decoded from %zu x %zu codes z over [-5, 5] of the first two numbers%s\n", walk->rows,
            walk->columns, latent > 2 ? "; the others are 0" : "");
}

/* latent: "mean", "sample" or "walk"; images: so many pairs, or decoded codes. */
static fovea_status put_json(const request *r, const char *latent, size_t images) {
  json_t *all = json_pack("{s:s,s:s,s:s,s:I,s:s*}", "run", r->run, "picture", r->out, "latent", latent, "images",
                          (json_int_t)images, "saved", r->save);
  return all != NULL ? json_result(all) : fovea_fail(FOVEA_INVALID, "a path is not UTF-8, or no memory for JSON");
}

static fovea_status draw_walk(const request *r, fovea_vae *vae) {
  pictures_walked walk = {0};
  fovea_status status = pictures_walk_decode(vae, &walk);
  if (status == FOVEA_OK) say_walk(&walk, vae->config.latent);
  if (status == FOVEA_OK) status = pictures_walk_draw(vae, &walk, r->shown, r->out);
  const numbers all[] = {{"images", true, walk.images}, {"z", false, walk.z}};
  if (status == FOVEA_OK && r->save != NULL)
    status = save_numbers(r->save, vae, "walk", walk.rows * walk.columns, all, sizeof all / sizeof *all);
  if (status == FOVEA_OK && r->json) status = put_json(r, "walk", walk.rows * walk.columns);
  pictures_walked_free(&walk);
  return status;
}

static void say_latent(const request *r) {
  if (r->latent == FOVEA_LATENT_MEAN)
    fputs("fovea: reconstructed from the mean of each image's code, z = mu\n", stderr);
  else
    fputs(
        "fovea: reconstructed from a sample of each image's code, z = mu + exp(logvar / 2) eps, drawn with the run's "
        "seed\n",
        stderr);
}

static fovea_status draw_pairs(const request *r, fovea_vae *vae, const fovea_dataset *images) {
  const fovea_latent latent = (fovea_latent)r->latent;
  pictures_pairs pairs = {0};
  say_latent(r);
  fovea_status status = pictures_reconstruct(vae, images, (size_t)r->count, latent, &pairs);
  if (status == FOVEA_OK) status = pictures_draw(vae, &pairs, r->shown, r->out);
  if (status == FOVEA_OK && r->save != NULL) status = save_pairs(r->save, vae, latent, &pairs);
  if (status == FOVEA_OK && r->json) {
    char word[RUN_WORD];
    status = put_json(r, options_choice(latents, r->latent, word, sizeof word), pairs.count);
  }
  pictures_free(&pairs);
  return status;
}

static fovea_status draw(const request *r, const run_options *o, const int dims[3], const char *checkpoint) {
  fovea_dataset *images = NULL;
  fovea_device *device = NULL;
  fovea_vae *vae = NULL;
  const fovea_vae_config config = run_vae_config(o, dims[0], dims[1], dims[2]);
  fovea_status status = r->walk ? FOVEA_OK : load_images(r, o, dims, &images);
  if (status == FOVEA_OK) status = fovea_device_open(r->device, &device);
  if (status == FOVEA_OK) fovea_device_tell(device, progress_hear, NULL);
  if (status == FOVEA_OK) status = fovea_vae_create(device, &config, false, &vae);
  if (status == FOVEA_OK) status = fovea_vae_load(vae, checkpoint, NULL);
  if (status == FOVEA_OK) status = r->walk ? draw_walk(r, vae) : draw_pairs(r, vae, images);
  fovea_vae_destroy(vae);
  fovea_device_close(device);
  fovea_dataset_destroy(images);
  return status;
}

static fovea_status reconstruct(request *r) {
  char path[RUN_PATH], *config = NULL;
  run_options o = run_options_default();
  grid_channels room;
  int dims[3];
  if (r->data == NULL && !r->walk)
    return fovea_fail(FOVEA_INVALID, "--data DIR is required, unless --walk asks for the latent walk");
  fovea_status status = run_path(r->run, "checkpoint.safetensors", path);
  if (status == FOVEA_OK) status = run_config_of_checkpoint(path, &config, NULL);
  if (status == FOVEA_OK) status = run_config_parse(path, config, &o, dims);
  if (status == FOVEA_OK) status = check_places(r, path);
  if (status == FOVEA_OK) status = show_channels(&r->show, dims[0], &room, &r->shown);
  if (status == FOVEA_OK) pictures_say_channels(dims[0], r->shown);
  if (status == FOVEA_OK) status = draw(r, &o, dims, path);
  free(config);
  return status;
}

/* Images are read and shown as the run's were; which channels, only its config.json has. */
static fovea_status recall_images(request *r) {
  char path[RUN_PATH], *config = NULL, *folder = NULL;
  run_options o = run_options_default();
  fovea_status status = run_path(r->run, "checkpoint.safetensors", path);
  if (status == FOVEA_OK) status = run_config_of_checkpoint(path, &config, NULL);
  if (status == FOVEA_OK) status = run_config_parse(path, config, &o, NULL);
  if (status == FOVEA_OK) r->images = o.images;
  if (status == FOVEA_OK) status = run_config_read(r->run, &folder);
  json_t *json = folder != NULL ? json_loads(folder, 0, NULL) : NULL;
  if (status == FOVEA_OK && json != NULL && !show_get(json, &r->show))
    status = fovea_fail(FOVEA_INVALID, "%s/config.json: what it shows is no list of one or three channels", r->run);
  json_decref(json);
  free(folder);
  free(config);
  return status;
}

/* The latent walk has no images; --data may stand beside it, as everywhere. */
static fovea_status check_walk(const option *options, size_t count) {
  static const char *const others[] = {"count", "latent"};
  for (size_t i = 0; i < count; i++)
    for (size_t k = 0; k < sizeof others / sizeof *others; k++)
      if (options[i].given && strcmp(options[i].name, others[k]) == 0)
        return fovea_fail(FOVEA_INVALID, "--%s goes with reconstructions, not with --walk", others[k]);
  return FOVEA_OK;
}

static int run(int argc, char **argv) {
  request r = {.count = PICTURES_COUNT};
  bool done = false;
  const option own[] = {
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
      {.name = "count",
       .kind = OPTION_INT,
       .value = &r.count,
       .min = 1,
       .max = 10000,
       .help = "test images, a fair sample of each class"},
      {.name = "save",
       .kind = OPTION_STRING,
       .value = &r.save,
       .argument = "FILE.safetensors",
       .help = "also write as numbers the images and the codes z that they come from, with mu and logvar where they "
               "have them"},
      {.name = "latent",
       .kind = OPTION_CHOICE,
       .value = &r.latent,
       .choices = latents,
       .help = "what images are decoded from: the mean of their codes, or a sample as in the test loss"},
      {.name = "walk", .kind = OPTION_FLAG, .value = &r.walk, .help = "draw the walk through the latent space instead"},
      {.name = "device",
       .kind = OPTION_STRING,
       .value = &r.device,
       .argument = "D",
       .help = "index, cpu, gpu, or part of a name; the fastest GPU, else the CPU"},
      show_option(&r.show),
      json_option(&r.json)};
  option options[sizeof own / sizeof *own + IMAGE_OPTIONS];
  memcpy(options, own, sizeof own);
  const size_t n = sizeof own / sizeof *own + image_options_table(&r.images, options + sizeof own / sizeof *own);
  const command_line line = {.usage = "fovea reconstruct --run RUN --data DIR --out FILE.png [options]",
                             .summary = "Draws test images beside what a trained network makes of them.",
                             .options = options,
                             .count = n};
  fovea_status status = command_begin(&line, argc, argv, &done);
  if (status != FOVEA_OK) return command_fail(status);
  if (done) return FOVEA_OK;
  status = json_check("--run", r.run);
  if (status == FOVEA_OK) status = json_check("--out", r.out);
  if (status == FOVEA_OK) status = json_check("--save", r.save);
  if (status == FOVEA_OK) status = recall_images(&r); /* what is given again counts */
  if (status == FOVEA_OK) status = command_parse(&line, argc, argv);
  if (status == FOVEA_OK && r.walk) status = check_walk(options, n);
  if (status == FOVEA_OK) status = reconstruct(&r);
  return status != FOVEA_OK ? command_fail(status) : FOVEA_OK;
}

const command command_reconstruct = {"reconstruct", "draw a trained network's reconstructions, or its latent walk",
                                     run};
