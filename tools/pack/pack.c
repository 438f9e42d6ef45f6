/* fovea pack: a data set as one checked file, from which it is trained without being loaded. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fail.h"
#include "cli/command.h"
#include "cli/json.h"
#include "cli/progress.h"
#include "cli/signals.h"
#include "data/pack.h"
#include "fovea/vae.h"
#include "train/images.h"
#include "train/load.h"

typedef struct request {
  const char *data, *out;
  image_options images;
  long long seed, threads;
  size_t remarks[2]; /* that have been said, of train and of test */
  bool json;
  size_t counts[2];            /* images of train and of test */
  int channels, height, width; /* of each */
} request;

static fovea_status begin(void *user, const fovea_dataset *train, const fovea_dataset *test) {
  request *r = user;
  struct stat data, out;
  load_say(train, test);
  load_say_remarks(train, test);
  r->remarks[0] = train->report->remark_count;
  r->remarks[1] = test->report->remark_count;
  r->counts[0] = train->count;
  r->counts[1] = test->count;
  r->channels = train->channels, r->height = train->height, r->width = train->width;
  if (stat(r->data, &data) == 0 && stat(r->out, &out) == 0 && data.st_dev == out.st_dev && data.st_ino == out.st_ino)
    return fovea_fail(FOVEA_INVALID, "--out %s is the data themselves; choose another file", r->out);
  fovea_status status = load_check_file(r->data, "--out", r->out);
  if (status == FOVEA_OK && stat(r->out, &out) == 0 && S_ISREG(out.st_mode) && out.st_size > 0 &&
      !fovea_pack_is(r->out))
    status = fovea_fail(
        FOVEA_INVALID, "--out %s: this file is there, is no packed set and would be lost; choose another name", r->out);
  if (status != FOVEA_OK) return status;
  signals_busy();
  progress_begin("packing", train->count + test->count, "images");
  return FOVEA_OK;
}

/* What came to light while all was read. */
static void end(void *user, const fovea_dataset *train, const fovea_dataset *test) {
  const request *r = user;
  const fovea_data_report *reports[] = {train->report, test->report};
  for (size_t i = 0; i < 2; i++)
    for (size_t k = r->remarks[i]; k < reports[i]->remark_count; k++)
      progress_tell("fovea: %s", reports[i]->remarks[k]);
}

static bool progress(void *user, size_t images) {
  (void)user;
  progress_update(images, NULL);
  return signals_received() == 0;
}

static fovea_status put_json(const request *r, bool stopped, json_int_t bytes) {
  json_t *all = json_pack("{s:s,s:b}", "set", r->out, "stopped", stopped);
  json_t *more = stopped ? json_object()
                         : json_pack("{s:I,s:I,s:I,s:i,s:i,s:i}", "bytes", bytes, "train_images",
                                     (json_int_t)r->counts[0], "test_images", (json_int_t)r->counts[1], "channels",
                                     r->channels, "height", r->height, "width", r->width);
  const bool good = all != NULL && json_object_update(all, more) == 0;
  json_decref(more);
  if (good) return json_result(all);
  json_decref(all);
  return fovea_fail(FOVEA_INVALID, "--out is not UTF-8, or there is no memory for JSON");
}

static fovea_status pack(request *r, bool *stopped) {
  fovea_load_options load;
  struct stat about;
  fovea_status status = image_options_read(&r->images, r->data, 0, r->seed, &load);
  if (status == FOVEA_OK) status = load_check_images(r->data);
  if (status != FOVEA_OK) return status;
  image_options_say(&r->images, r->data);
  const fovea_pack_job job = {.from = r->data,
                              .path = r->out,
                              .options = &load,
                              .threads = (int)r->threads,
                              .user = r,
                              .begin = begin,
                              .progress = progress,
                              .end = end};
  status = fovea_pack_write(&job);
  progress_end();
  *stopped = signals_received() != 0 && status != FOVEA_OK;
  if (*stopped && r->json) return put_json(r, true, 0);
  const bool there = status == FOVEA_OK && stat(r->out, &about) == 0;
  if (there && r->json) status = put_json(r, false, (json_int_t)about.st_size);
  if (there)
    fprintf(stderr, "fovea: %s has %.1f MiB; --data %s trains from it\n", r->out,
            (double)about.st_size / (1024.0 * 1024), r->out);
  return status;
}

static const signals_words packing = {"no set was made", "stopping, without a set", "no set was made"};

static int run(int argc, char **argv) {
  const long processors = sysconf(_SC_NPROCESSORS_ONLN);
  request r = {.threads = processors > 0 ? processors : 1, .seed = (long long)fovea_vae_default().seed};
  const char *positional = NULL;
  size_t positionals = 0;
  bool done = false, stopped = false;
  option options[5 + IMAGE_OPTIONS] = {
      {.name = "data",
       .kind = OPTION_STRING,
       .value = &r.data,
       .argument = "DIR",
       .help = "images: a folder of pictures, IDX files or arrays; a .npz, .safetensors or table"},
      {.name = "out",
       .kind = OPTION_STRING,
       .value = &r.out,
       .argument = "SET",
       .required = true,
       .help = "the file, which is made anew"},
      {.name = "seed",
       .kind = OPTION_INT,
       .value = &r.seed,
       .max = 9007199254740992.0,
       .help = "of the split of a set that has none, as train's"},
      {.name = "threads",
       .kind = OPTION_INT,
       .value = &r.threads,
       .min = 1,
       .max = 64,
       .help = "that read images, where these are files of their own"},
      json_option(&r.json)};
  const size_t n = 5 + image_options_table(&r.images, options + 5);
  const command_line line = {.usage = "fovea pack DIR --out SET [options]",
                             .summary =
                                 "Writes images as one checked file, of which a training holds a few batches in "
                                 "memory.",
                             .options = options,
                             .count = n,
                             .positionals = &positional,
                             .max_positionals = 1,
                             .positional_count = &positionals};
  fovea_status status = command_begin(&line, argc, argv, &done);
  if (status != FOVEA_OK) return command_fail(status);
  if (done) return FOVEA_OK;
  if (positionals > 0 && r.data != NULL)
    return command_fail(fovea_fail(FOVEA_INVALID, "fovea pack %s --data %s: two sets; give one", positional, r.data));
  if (positionals > 0) r.data = positional;
  if (r.data == NULL)
    return command_fail(fovea_fail(FOVEA_INVALID, "what is to be packed is missing: fovea pack DIR --out SET"));
  status = json_check("--out", r.out);
  if (status != FOVEA_OK) return command_fail(status);
  signals_catch(&packing);
  status = pack(&r, &stopped);
  if (stopped) return signals_exit_code();
  return status != FOVEA_OK ? command_fail(status) : FOVEA_OK;
}

const command command_pack = {"pack", "write a data set as one file, to train from it without loading it", run};
