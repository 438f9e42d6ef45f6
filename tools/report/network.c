#include "report/network.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fail.h"
#include "cli/progress.h"
#include "draw/pictures.h"
#include "model/vae.h"
#include "train/identity.h"
#include "train/load.h"

enum { WALK_BYTES = 800000 };

/* A part that could not be had: an error where it was asked for by name or memory ran out, else missing. */
static fovea_status part(page *p, fovea_status status, bool asked, const char *what) {
  if (status == FOVEA_OK || asked || status == FOVEA_NO_MEMORY) return status;
  page_miss(p, "%s: %s", what, fovea_error_message());
  return FOVEA_OK;
}

/* --- the walk ---------------------------------------------------------------------------------------------------- */

/* Every `step`th code both ways. */
static fovea_status show_walk(page *p, const pictures_walked *walk, int latent, size_t step, sprite *s) {
  const size_t size = (size_t)s->of.channels * (size_t)s->of.height * (size_t)s->of.width;
  const size_t columns = (walk->columns + step - 1) / step, rows = (walk->rows + step - 1) / step;
  json_t *object = json_object();
  page_set(p, p->root, "walk", object);
  json_t *x = json_array(), *y = json_array();
  for (size_t i = 0; i < rows * columns; i++) {
    const size_t at = i / columns * step * walk->columns + i % columns * step;
    sprite_put(s, i, walk->images + at * size);
    if (i < columns) page_add(p, x, page_short(walk->z[at * (size_t)latent]));
    if (i % columns == 0 && latent > 1) page_add(p, y, page_short(walk->z[at * (size_t)latent + 1]));
  }
  page_set(p, object, "x", x);
  page_set(p, object, "y", y);
  page_set(p, object, "latent", json_integer(latent));
  page_set(p, object, "sprite", sprite_json(s));
  return FOVEA_OK;
}

static fovea_status walk(page *p, fovea_vae *vae, const sprite_source *images) {
  pictures_walked walked = {0};
  sprite s = {0};
  fovea_status status = pictures_walk_decode(vae, &walked);
  const size_t all = walked.rows * walked.columns;
  const size_t step = all * fovea_vae_image_size(vae) <= WALK_BYTES ? 1 : 2;
  const size_t columns = (walked.columns + step - 1) / step, count = (walked.rows + step - 1) / step * columns;
  if (status == FOVEA_OK) status = sprite_begin(&s, images, count, columns, WALK_BYTES);
  if (status == FOVEA_OK) status = show_walk(p, &walked, vae->config.latent, step, &s);
  sprite_end(&s);
  pictures_walked_free(&walked);
  return status;
}

/* --- the images -------------------------------------------------------------------------------------------------- */

static fovea_status check_images(page *p, const network_run *r, const fovea_dataset *set) {
  char hash[RUN_HASH];
  uint64_t value = 0;
  if (set->channels != r->dims[0] || set->height != r->dims[1] || set->width != r->dims[2])
    return fovea_fail(FOVEA_INVALID,
                      "%s: images are %dx%dx%d (channels, height, width), the run was trained on %dx%dx%d", r->data,
                      set->channels, set->height, set->width, r->dims[0], r->dims[1], r->dims[2]);
  fovea_status status = fovea_dataset_hash(set, &value);
  identity_hash_text(value, hash);
  if (status == FOVEA_OK && r->test_hash && strcmp(hash, r->test_hash) != 0)
    page_miss(
        p, "%s: its test images are not those that the run was tested on, by their hash; they are shown all the same",
        r->data);
  return status;
}

static fovea_status load(page *p, const network_run *r, fovea_dataset **set) {
  fovea_load_options how;
  struct stat about;
  if (!r->data) return fovea_fail(FOVEA_INVALID, "the run's files do not say where its data are; give --data");
  if (!r->data_asked && stat(r->data, &about) != 0)
    return fovea_fail(FOVEA_IO, "'%s', which the run was trained on, cannot be opened: %s; say with --data where it is",
                      r->data, strerror(errno));
  fovea_status status =
      image_options_read(&r->options->images, r->data, r->options->limit_test, r->options->seed, &how);
  if (status == FOVEA_OK) status = fovea_dataset_load_as(r->data, "test", &how, set);
  return status == FOVEA_OK ? check_images(p, r, *set) : status;
}

static fovea_status show_images(page *p, const network_run *r, fovea_vae *vae, const fovea_dataset *set) {
  codes c = {0};
  fovea_status status = codes_make(vae, set, &c);
  if (status == FOVEA_OK)
    page_set(p, json_object_get(p->root, "network"), "tested", json_integer((json_int_t)set->count));
  if (status == FOVEA_OK) status = codes_show(p, &c, vae, &r->images);
  if (status == FOVEA_OK) status = attention_show(p, vae, &c, &r->images);
  codes_free(&c);
  return status;
}

/* --- all of it --------------------------------------------------------------------------------------------------- */

static fovea_status make_network(fovea_device *device, const network_run *r, fovea_vae *vae) {
  const fovea_network_options options = {.batch = vae->config.batch, .seed = vae->config.seed};
  fovea_status status = attention_keep(vae->graph);
  if (status == FOVEA_OK) status = fovea_network_create(device, vae->graph, &options, &vae->network);
  return status == FOVEA_OK ? fovea_vae_load(vae, r->checkpoint, NULL) : status;
}

static void describe(page *p, const fovea_device *device, const fovea_vae *vae) {
  const fovea_device_info *info = fovea_device_get_info(device);
  json_t *object = json_object();
  page_set(p, p->root, "network", object);
  page_set(p, object, "device", page_text(info->name));
  page_set(p, object, "memory", json_integer((json_int_t)fovea_network_memory(vae->network)));
  page_set(p, object, "latent", json_integer(vae->config.latent));
}

static fovea_status on_device(page *p, const network_run *r, fovea_vae *vae) {
  fovea_device *device = NULL;
  fovea_dataset *set = NULL;
  fovea_status status =
      part(p, load(p, r, &set), r->data_asked, "No images, so no codes, reconstructions and attention");
  if (status == FOVEA_OK)
    status = part(p, fovea_device_open(r->device, &device), r->device_asked, "Nothing is computed anew");
  if (device) fovea_device_tell(device, progress_hear, NULL);
  fovea_status made = device && status == FOVEA_OK ? make_network(device, r, vae) : FOVEA_OK;
  if (device && made == FOVEA_OK && status == FOVEA_OK) {
    describe(p, device, vae);
    status = part(p, walk(p, vae, &r->images), false, "No walk through the latent space");
    if (status == FOVEA_OK && set)
      status = part(p, show_images(p, r, vae, set), false, "Not all of the test images could be shown");
  }
  if (status == FOVEA_OK) status = part(p, made, false, "No walk, codes, reconstructions and attention");
  fovea_network_destroy(vae->network);
  vae->network = NULL;
  fovea_device_close(device);
  fovea_dataset_destroy(set);
  return status;
}

fovea_status network_show(page *p, const network_run *r) {
  fovea_vae *vae = NULL;
  const fovea_vae_config config = run_vae_config(r->options, r->dims[0], r->dims[1], r->dims[2]);
  fovea_status status = fovea_vae_build(&config, &vae);
  if (status == FOVEA_OK) layers_show(p, vae->graph);
  if (status == FOVEA_OK && r->checkpoint) status = on_device(p, r, vae);
  fovea_vae_destroy(vae);
  return status;
}
