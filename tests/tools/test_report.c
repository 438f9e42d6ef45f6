/* fovea report: what a page has of a run and of a sweep, whole, unfinished and torn; and what is refused. The page
 * itself is looked at by a browser in tests/report/. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "fovea/safetensors.h"
#include "support/arrays.h"
#include "support/command.h"
#include "support/tempdir.h"
#include "train/run.h"

#define NET " --arch 4,3,2 --depth 1 --batch 16 --epochs 2 --seed 3 "

enum { MOST = 1 << 24, TEST_IMAGES = 20 };
static const char head[] = "<script type=\"application/json\" id=\"data\">";

/* What fovea/report of the folder has for the page's script; the caller frees it. */
static json_t *object_of(const char *html) {
  uint8_t *bytes = NULL;
  size_t size = 0;
  if (fovea_file_read(html, MOST, &bytes, &size) != FOVEA_OK) fail_msg("%s", fovea_error_message());
  assert_true(size < 5000000);
  char *from = strstr((char *)bytes, head);
  assert_non_null(from);
  from += sizeof head - 1;
  char *to = strstr(from, "</script>");
  assert_non_null(to);
  assert_null(memchr(from, '<', (size_t)(to - from)));
  *to = 0;
  json_error_t error;
  json_t *object = json_loads(from, 0, &error);
  if (!object) fail_msg("%s", error.text);
  free(bytes);
  return object;
}

static json_t *report_of(const char *dir) {
  char html[512];
  if (fovea("report %s", dir) != 0) fail_msg("%s", output);
  snprintf(html, sizeof html, "%s/report.html", dir);
  return object_of(html);
}

/* "a.b.2.c" of the object. */
static json_t *at(json_t *object, const char *path) {
  char part[64];
  for (; *path && object; path += path[0] == '.') {
    const size_t n = strcspn(path, ".");
    snprintf(part, sizeof part, "%.*s", (int)n, path);
    object = json_is_array(object) ? json_array_get(object, (size_t)atoi(part)) : json_object_get(object, part);
    path += n;
  }
  return object;
}

static void assert_missing(json_t *object, const char *part) {
  json_t *sentence;
  size_t i;
  json_array_foreach(at(object, "missing"), i, sentence) if (strstr(json_string_value(sentence), part)) return;
  fail_msg("nothing missing says '%s'", part);
}

static void assert_sprite(json_t *sprite, int width, int height, int count) {
  static const char png[] = "iVBORw0KGgo"; /* its signature in base64 */
  const char *text = json_string_value(at(sprite, "png"));
  assert_non_null(text);
  assert_int_equal(strncmp(text, png, sizeof png - 1), 0);
  assert_int_equal(strlen(text) % 4, 0);
  assert_int_equal(json_integer_value(at(sprite, "width")), width);
  assert_int_equal(json_integer_value(at(sprite, "height")), height);
  assert_int_equal(json_integer_value(at(sprite, "count")), count);
}

static int make_run(void **state) {
  (void)state;
  array_idx(array_name("set", "train-images-idx3-ubyte"), 8, 3, (uint32_t[]){70, 8, 8});
  array_idx(array_name("set", "train-labels-idx1-ubyte"), 8, 1, (uint32_t[]){70});
  array_idx(array_name("set", "t10k-images-idx3-ubyte"), 8, 3, (uint32_t[]){TEST_IMAGES, 8, 8});
  array_idx(array_name("set", "t10k-labels-idx1-ubyte"), 8, 1, (uint32_t[]){TEST_IMAGES});
  return fovea("train --data %s --out %s --attention cbam" NET, temp_path("set"), temp_path("run"));
}

/* A copy of the run, by the shell. */
static const char *copy(const char *name) {
  char line[1024];
  snprintf(line, sizeof line, "cp -r '%s' '%s'", temp_path("run"), temp_path(name));
  assert_int_equal(system(line), 0);
  return temp_path(name);
}

static void in_copy(const char *dir, const char *name, const char *text) {
  char path[512];
  snprintf(path, sizeof path, "%s/%s", dir, name);
  assert_int_equal(text ? fovea_file_write(path, text, strlen(text)) : (fovea_status)unlink(path), FOVEA_OK);
}

/* --- a run ------------------------------------------------------------------------------------------------------- */

static void shows_a_run(void **state) {
  (void)state;
  json_t *o = report_of(temp_path("run"));
  assert_output("a page of a run");
  assert_int_equal(json_array_size(at(o, "missing")), 0);
  assert_true(json_is_true(at(o, "done")));
  assert_null(at(o, "reload"));
  assert_int_equal(json_array_size(at(o, "metrics.rows")), 2);
  assert_string_equal(json_string_value(at(o, "config.attention")), "cbam");
  assert_sprite(at(o, "walk.sprite"), 8, 8, 900);
  assert_true(json_real_value(at(o, "walk.x.0")) == -5 && json_real_value(at(o, "walk.y.29")) == -5);
  assert_sprite(at(o, "images.points.originals"), 8, 8, TEST_IMAGES);
  assert_sprite(at(o, "images.worst.reconstructions"), 8, 8, 12);
  assert_sprite(at(o, "epochs.1.sprite"), 8, 8, 16);
  assert_int_equal(json_array_size(at(o, "attention.layers")), 4); /* channels and pixels, of encoder and decoder */
  for (int i = 0; i < 4; i++) {
    json_t *layer = at(at(o, "attention.layers"), (const char *[]){"0", "1", "2", "3"}[i]);
    const double low = json_real_value(at(layer, "low")), high = json_real_value(at(layer, "high"));
    assert_true(low > 0 && low <= high && high < 1); /* a sigmoid's */
    const bool spatial = json_is_true(at(layer, "spatial"));
    assert_true(spatial == (i % 2 == 1));
    const int side = i < 2 ? 8 : 4; /* the decoder's block comes before it doubles the sides */
    assert_sprite(at(layer, "sprite"), spatial ? side : 3, spatial ? side : 1, 8);
  }
  json_decref(o);
}

/* Layers have the parameters that the checkpoint has. */
static void counts_parameters(void **state) {
  (void)state;
  json_t *o = report_of(temp_path("run")), *layer;
  size_t i;
  json_int_t trainable = 0;
  json_array_foreach(at(o, "layers"), i, layer) trainable += json_integer_value(at(layer, "4"));
  if (fovea("train --data %s --out %s --resume --json", temp_path("set"), temp_path("run")) != 0)
    fail_msg("%s", output);
  const char *said = strstr(output, "\"parameters\": ");
  assert_non_null(said);
  assert_int_equal(trainable, atoi(said + strlen("\"parameters\": ")));
  json_decref(o);
}

static const float *numbers_of(const fovea_safetensors *file, const char *name) {
  const fovea_safetensor *tensor = NULL;
  assert_int_equal(fovea_safetensors_find(file, name, &tensor), FOVEA_OK);
  return tensor->data;
}

/* Codes are those of `fovea reconstruct --save`, and so is what is best and worst. */
static void agrees_with_reconstruct(void **state) {
  (void)state;
  json_t *o = report_of(temp_path("run"));
  fovea_safetensors *file = NULL;
  assert_int_equal(fovea("reconstruct --run %s --data %s --count %d --out %s --save %s", temp_path("run"),
                         temp_path("set"), TEST_IMAGES, temp_path("p.png"), temp_path("p.safetensors")),
                   0);
  assert_int_equal(fovea_safetensors_open(temp_path("p.safetensors"), &file), FOVEA_OK);
  const float *mu = numbers_of(file, "mu"), *x = numbers_of(file, "originals"),
              *y = numbers_of(file, "reconstructions");
  double worst = 0;
  for (size_t i = 0; i < TEST_IMAGES; i++) {
    double loss = 0, entropy = 0;
    for (size_t k = i * 64; k < (i + 1) * 64; k++) {
      loss -= (double)x[k] * log((double)y[k]) + (1 - (double)x[k]) * log(1 - (double)y[k]);
      if (x[k] > 0 && x[k] < 1)
        entropy -= (double)x[k] * log((double)x[k]) + (1 - (double)x[k]) * log(1 - (double)x[k]);
    }
    const double excess = (loss - entropy) / 64;
    worst = fmax(worst, excess);
    assert_true(fabs(json_number_value(json_array_get(at(o, "images.points.bce"), i)) - loss / 64) < 1e-3 * loss / 64);
    assert_true(fabs(json_number_value(json_array_get(at(o, "images.points.excess"), i)) - excess) < 2e-3 * excess);
    for (size_t k = 0; k < 2; k++)
      assert_true(fabs(json_number_value(json_array_get(at(o, "images.points.mu"), 2 * i + k)) -
                       (double)mu[2 * i + k]) <= 1e-3 * fabs((double)mu[2 * i + k]));
  }
  assert_true(fabs(json_number_value(at(o, "images.worst.excess.0")) - worst) < 2e-3 * worst);
  fovea_safetensors_close(file);
  json_decref(o);
}

/* A name may have anything in it. */
static void escapes_names(void **state) {
  (void)state;
  char dir[256], line[1024], html[512];
  copy("plain");
  snprintf(dir, sizeof dir, "%s", temp_path("a<script>&\"!--\xff\xc3\xa9"));
  assert_int_equal(rename(temp_path("plain"), dir), 0);
  snprintf(line, sizeof line, "report '%s'", dir);
  assert_int_equal(process_fovea("", line, output, sizeof output), 0);
  snprintf(html, sizeof html, "%s/report.html", dir);
  json_t *o = object_of(html);
  assert_string_equal(json_string_value(at(o, "title")), "a<script>&\"!--\xEF\xBF\xBD\xc3\xa9");
  json_decref(o);
}

/* --- what is torn, missing, or of another version -------------------------------------------------------------------
 */

static void names_what_is_missing(void **state) {
  (void)state;
  uint8_t *bytes = NULL;
  size_t size = 0;
  char path[512];
  const char *dir = copy("torn");
  snprintf(path, sizeof path, "%s/metrics.csv", dir);
  assert_int_equal(fovea_file_read(path, MOST, &bytes, &size), FOVEA_OK);
  bytes[size - 10] = 0;
  in_copy(dir, "metrics.csv", (char *)bytes);
  free(bytes);
  json_t *o = report_of(dir);
  assert_missing(o, "metrics.csv: 1 torn line is left out");
  assert_int_equal(json_array_size(at(o, "metrics.rows")), 1);
  assert_false(json_is_true(at(o, "done")));
  json_decref(o);

  in_copy(dir, "metrics.csv", NULL);
  in_copy(dir, "config.json", "{\"arch\": [4");
  o = report_of(dir);
  assert_missing(o, "has no metrics.csv");
  assert_missing(o, "config.json: cannot be read as JSON");
  assert_missing(o, "the settings are those of its checkpoint");
  assert_missing(o, "give --data"); /* which the checkpoint does not know */
  assert_sprite(at(o, "walk.sprite"), 8, 8, 900);
  assert_null(at(o, "images"));
  assert_non_null(json_object_get(at(o, "pictures"), "latent.png"));
  json_decref(o);
  assert_int_equal(fovea("report %s --data %s", dir, temp_path("set")), 0);
  snprintf(path, sizeof path, "%s/report.html", dir);
  o = object_of(path);
  assert_int_equal(json_integer_value(at(o, "images.count")), TEST_IMAGES);
  json_decref(o);
}

/* One of run's files in place of a copy's. */
static void put_other(const char *run, const char *dir, const char *name) {
  char line[1536];
  snprintf(line, sizeof line, "cp '%s/%s' '%s/%s'", run, name, dir, name);
  assert_int_equal(system(line), 0);
}

static void assert_curves(json_t *object, json_t *expected, size_t columns) {
  assert_int_equal(json_array_size(at(object, "metrics.rows")), 2);
  for (size_t i = 0; i < 2; i++)
    for (size_t k = 0; k < columns; k++)
      assert_string_equal(json_string_value(json_array_get(json_array_get(at(object, "metrics.rows"), i), k)),
                          json_string_value(json_array_get(json_array_get(at(expected, "metrics.rows"), i), k)));
  assert_true(json_is_true(at(object, "done")));
}

/* Files of another run, as --resume refuses them, are named and not shown; the checkpoint has the losses of its
 * epochs. */
static void leaves_other_runs_out(void **state) {
  (void)state;
  enum { LOSSES = 7, ALL = 9 };
  char other[256], path[512], line[1024];
  snprintf(other, sizeof other, "%s", temp_path("second"));
  assert_int_equal(fovea("train --data %s --out %s --attention cbam --shift 1" NET, temp_path("set"), other), 0);
  json_t *own = report_of(temp_path("run")), *o = report_of(other);
  assert_null(at(own, "augmented"));
  assert_null(json_object_get(at(own, "pictures"), "augmented.png"));
  assert_true(json_is_true(at(o, "augmented")));
  assert_non_null(json_object_get(at(o, "pictures"), "augmented.png"));
  json_decref(o);

  char dir[256];
  snprintf(dir, sizeof dir, "%s", copy("mixed"));
  snprintf(line, sizeof line, "tail -n 1 '%s/metrics.csv' >> '%s/metrics.csv'", other, dir);
  assert_int_equal(system(line), 0);
  o = report_of(dir);
  assert_missing(o, "metrics.csv: 1 line is of the run ");
  assert_curves(o, own, ALL);
  json_decref(o);

  put_other(other, dir, "metrics.csv");
  o = report_of(dir);
  assert_missing(o, "metrics.csv: 2 lines are of the run ");
  assert_missing(o, "no line of this run in its metrics.csv: the curves are those that its checkpoint keeps");
  assert_curves(o, own, LOSSES);
  json_decref(o);

  in_copy(dir, "metrics.csv", "step,loss\n1,2\n");
  o = report_of(dir);
  assert_missing(o, "metrics.csv: begins with 'step,loss', expected 'epoch,loss,");
  assert_curves(o, own, LOSSES);
  json_decref(o);

  in_copy(dir, "metrics.csv", NULL);
  o = report_of(dir);
  assert_missing(o, "has no metrics.csv: the curves are those that its checkpoint keeps");
  assert_curves(o, own, LOSSES);
  json_decref(o);

  put_other(other, dir, "checkpoint.safetensors");
  put_other(temp_path("run"), dir, "metrics.csv");
  o = report_of(dir);
  assert_missing(o, "the checkpoint is of another run than config.json");
  assert_curves(o, own, ALL);
  assert_null(at(o, "config.shift"));
  assert_null(at(o, "walk")); /* though its network would fit */
  assert_null(at(o, "images"));
  assert_null(at(o, "checkpoint_bytes"));
  json_decref(o);

  put_other(temp_path("run"), dir, "checkpoint.safetensors");
  put_other(other, dir, "config.json");
  o = report_of(dir);
  assert_missing(o, "the checkpoint is of another run than config.json");
  assert_int_equal(json_array_size(at(o, "metrics.rows")), 0);
  assert_null(at(o, "walk"));
  json_decref(o);
  json_decref(own);

  /* Without a config.json the name is made of the checkpoint's settings. */
  in_copy(dir, "config.json", NULL);
  put_other(other, dir, "metrics.csv");
  o = report_of(dir);
  assert_missing(o, "metrics.csv: 2 lines are of the run ");
  json_decref(o);
  snprintf(path, sizeof path, "%s/config.json", dir);
  assert_int_equal(access(path, F_OK), -1);
}

/* What a training says of its end is on its page, and ends a watch; an epoch without a time is told. */
static void tells_how_it_went(void **state) {
  (void)state;
  char failed[256], line[1024];
  snprintf(failed, sizeof failed, "%s", temp_path("failed"));
  assert_int_equal(fovea("train --data %s --out %s --lr 1000 --min-lr 1000 --kl 1e6" NET, temp_path("set"), failed), 1);
  assert_int_equal(fovea("report %s --watch", failed), 0);
  json_t *o = report_of(failed);
  assert_non_null(strstr(json_string_value(at(o, "config.failed")), "is not finite"));
  assert_true(json_integer_value(at(o, "config.memory")) > 0);
  assert_true(json_is_true(at(o, "done")));
  json_decref(o);
  snprintf(line, sizeof line, "rm -f '%s/checkpoint.safetensors'", failed);
  assert_int_equal(system(line), 0);
  o = report_of(failed);
  assert_missing(o, "failed before it had a checkpoint");
  json_decref(o);
  const char *dir = copy("untimed");
  snprintf(line, sizeof line, "sed -i '2s/,[0-9.]*,\\([0-9a-f]*\\)$/,,\\1/' '%s/metrics.csv'", dir);
  assert_int_equal(system(line), 0);
  o = report_of(dir);
  assert_missing(o, "has no images/s of 1 of 2 epochs");
  json_decref(o);
}

/* A damaged number is not drawn in silence: the checkpoint has it, or its line is left out. */
static void mends_damaged_lines(void **state) {
  (void)state;
  char line[1024];
  const char *dir = copy("damaged");
  json_t *own = report_of(temp_path("run"));
  snprintf(line, sizeof line, "sed -i -e '2s/,0\\./,nan/' -e '3s/,0\\./,9./' '%s/metrics.csv'", dir);
  assert_int_equal(system(line), 0);
  json_t *o = report_of(dir);
  assert_missing(o, "metrics.csv: 2 lines are damaged, and shown as the checkpoint has them");
  assert_curves(o, own, 7);
  json_decref(o);
  json_decref(own);
  in_copy(dir, "checkpoint.safetensors", NULL);
  o = report_of(dir);
  assert_missing(o, "metrics.csv: 1 damaged line is left out");
  assert_int_equal(json_array_size(at(o, "metrics.rows")), 1);
  json_decref(o);
}

/* A run that was killed: how far it came, and whether anyone trains it. */
static void tells_what_is_unfinished(void **state) {
  (void)state;
  char line[1024];
  const char *dir = copy("killed");
  snprintf(line, sizeof line, "sed -i '$d' '%s/metrics.csv' && rm '%s'/reconstructions-*", dir, dir);
  assert_int_equal(system(line), 0);
  json_t *o = report_of(dir);
  assert_missing(o, "is unfinished: 1 of 2 epochs are done, and no process is at work there; go on with fovea train");
  assert_missing(o, "the pictures of reconstructions of 1 of 1 epochs are missing");
  json_decref(o);
  int lock = -1;
  assert_int_equal(run_lock(dir, &lock), FOVEA_OK);
  o = report_of(dir);
  assert_missing(o, "1 of 2 epochs are done, and a process is at work there");
  json_decref(o);
  run_unlock(lock);
}

/* Images that have moved: what to do, and no package of others. */
static void names_moved_images(void **state) {
  (void)state;
  char line[1024];
  const char *dir = copy("moved");
  snprintf(line, sizeof line, "sed -i 's#\"data\": \".*\"#\"data\": \"/nowhere/set\"#' '%s/config.json'", dir);
  assert_int_equal(system(line), 0);
  json_t *o = report_of(dir);
  assert_missing(o, "'/nowhere/set', which the run was trained on, cannot be opened");
  assert_missing(o, "say with --data where it is");
  assert_null(strstr(output, "Debian"));
  json_decref(o);
}

static void shows_pictures_without_a_network(void **state) {
  (void)state;
  char path[512];
  const char *dir = copy("cut");
  snprintf(path, sizeof path, "%s/checkpoint.safetensors", dir);
  assert_int_equal(truncate(path, 3000), 0);
  json_t *o = report_of(dir);
  assert_missing(o, "No walk, codes, reconstructions and attention: ");
  assert_null(at(o, "walk"));
  assert_non_null(json_object_get(at(o, "pictures"), "walk.png"));
  assert_non_null(json_object_get(at(o, "pictures"), "latent.png"));
  assert_true(json_array_size(at(o, "layers")) > 10);
  json_decref(o);
  in_copy(dir, "walk.png", "\x89PNG\r\n\x1a\n cut off");
  in_copy(dir, "config.json", "{\"arch\": \"of another version\", \"epochs\": 2, \"<b>\": \"&\"}");
  o = report_of(dir);
  assert_missing(o, "it may be of another version");
  assert_missing(o, "walk.png");
  assert_string_equal(json_string_value(json_object_get(at(o, "config"), "<b>")), "&");
  assert_null(at(o, "layers"));
  json_decref(o);
}

/* Other images than the run was tested on are shown, and told. */
static void tells_other_images(void **state) {
  (void)state;
  array_idx(array_name("other", "train-images-idx3-ubyte"), 8, 3, (uint32_t[]){70, 8, 8});
  array_idx(array_name("other", "t10k-images-idx3-ubyte"), 8, 3, (uint32_t[]){33, 8, 8});
  assert_int_equal(fovea("report %s --data %s --out %s", temp_path("run"), temp_path("other"), temp_path("o.html")), 0);
  json_t *o = object_of(temp_path("o.html"));
  assert_missing(o, "are not those that the run was tested on");
  assert_int_equal(json_integer_value(at(o, "images.points.labels.0")), -1);
  json_decref(o);
}

static void refuses(void **state) {
  (void)state;
  array_idx(array_name("large", "train-images-idx3-ubyte"), 8, 3, (uint32_t[]){4, 9, 9});
  array_idx(array_name("large", "t10k-images-idx3-ubyte"), 8, 3, (uint32_t[]){4, 9, 9});
  temp_file("mine.html", "<p>mine", 7);
  mkdir(temp_path("empty"), 0777);
  const struct {
    const char *line, *says;
    int code;
  } cases[] = {
      {"report", "a folder is missing", 2},
      {"report %1$s/none", "none: No such file or directory", 5},
      {"report %1$s/none --json", "\"exit_code\": 5", 5},
      {"reconstruct --run %1$s/run --data %1$s/set --out %1$s/run/curves.png", "is the run's or the sweep's own", 2},
      {"reconstruct --run %1$s/run --data %1$s/set --out %1$s/x.png --save %1$s/run/checkpoint2", "own; choose", 2},
      {"reconstruct --run %1$s/run --walk --out %1$s/run/walk.png", "own; choose another name", 2},
      {"regress %1$s/none.csv --plot %1$s/run/reconstructions-epoch001.png", "own; choose another name", 2},
      {"report %1$s/mine.html", "is no folder", 2},
      {"report %1$s/empty", "is no folder of a run or a sweep", 2},
      {"report %1$s/run --out %1$s/mine.html", "is no report and would be lost", 2},
      {"report %1$s/run --out %1$s/none/x.html", "x.html", 5},
      {"report %1$s/run --out %1$s/x.png", "this is an HTML page, and no png; choose a name that ends in .html", 2},
      {"reconstruct --run %1$s/run --data %1$s/set --out %1$s/x.html", "this is a PNG, and no html", 2},
      {"report %1$s/run --out %1$s/set/train/x.html --data %1$s/set", "a folder that would be taken for images", 2},
      {"report %1$s/run --out %1$s/x.html --data %1$s/none", "cannot open the data folder", 5},
      {"report %1$s/run --out %1$s/x.html --data %1$s/large", "the run was trained on 1x8x8", 2},
      {"report %1$s/run --out %1$s/x.html --device nosuchdevice", "no device matches", 2}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const int code = fovea(cases[i].line, temp_path("."));
    if (code != cases[i].code) fail_msg("%s: exit code %d: %s", cases[i].line, code, output);
    assert_output(cases[i].says);
  }
  assert_int_equal(access(temp_path("x.html"), F_OK), -1);
  struct stat about;
  assert_int_equal(stat(temp_path("mine.html"), &about), 0);
  assert_int_equal(about.st_size, 7);
}

/* --- a sweep ----------------------------------------------------------------------------------------------------- */

static void shows_a_sweep(void **state) {
  (void)state;
  char path[512];
  assert_int_equal(fovea("sweep --data %s --out %s --factors 'activation=elu|relu,dropout' --attention none" NET,
                         temp_path("set"), temp_path("sweep")),
                   0);
  json_t *o = report_of(temp_path("sweep")), *run;
  assert_output("a page of a sweep");
  assert_int_equal(json_array_size(at(o, "missing")), 0);
  assert_int_equal(json_array_size(at(o, "results.rows")), 4);
  assert_int_equal(json_array_size(at(o, "analysis.factors")), 2);
  assert_non_null(strstr(json_string_value(at(o, "analysis.factors.0.sentence")), "test loss"));
  assert_int_equal(json_array_size(at(o, "analysis.cells.0.cells")), 4);
  assert_non_null(strstr(json_string_value(at(o, "regression")), "OLS Regression Results"));
  assert_true(json_array_size(at(o, "remarks")) > 0);
  const char *name;
  size_t runs = 0;
  json_object_foreach(at(o, "runs"), name, run) {
    assert_int_equal(json_array_size(at(run, "curve")), 2);
    assert_int_equal(json_array_size(at(run, "curve.1")), 7);
    assert_sprite(at(run, "sprite"), 8, 8, 16);
    runs++;
  }
  assert_int_equal(runs, 4);
  json_decref(o);

  /* Unfinished: no regression yet, a torn line, a run's folder gone. */
  in_copy(temp_path("sweep"), "regression.json", NULL);
  FILE *file = fopen(temp_path("sweep/results.csv"), "a");
  assert_non_null(file);
  fputs("../evil,elu", file);
  fclose(file);
  in_copy(temp_path("sweep/relu-none-bn-drop-s3"), "metrics.csv", NULL);
  put_other(temp_path("run"), temp_path("sweep/elu-none-bn-drop-s3"), "metrics.csv");
  o = report_of(temp_path("sweep"));
  assert_missing(o, "elu-none-bn-drop-s3/metrics.csv: 2 lines are of the run ");
  assert_int_equal(json_array_size(at(o, "runs.elu-none-bn-drop-s3.curve")), 0);
  assert_missing(o, "results.csv: 1 torn line is left out");
  assert_missing(o, "is unfinished");
  assert_missing(o, "1 of 4 runs have no epoch");
  assert_missing(o, "relu-none-bn-drop-s3 has no metrics.csv: the curves are those that its checkpoint keeps");
  assert_int_equal(json_array_size(at(o, "runs.relu-none-bn-drop-s3.curve")), 2);
  json_decref(o);
  in_copy(temp_path("sweep/relu-none-bn-drop-s3"), "checkpoint.safetensors", NULL);
  o = report_of(temp_path("sweep"));
  assert_missing(o, "2 of 4 runs have no epoch");
  assert_int_equal(json_array_size(at(o, "runs.relu-none-bn-drop-s3.curve")), 0);
  json_decref(o);
  assert_int_equal(fovea("report %s --json", temp_path("sweep")), 0);
  assert_output("\"kind\": \"sweep\"");
  for (int i = 0; i < 2; i++) {
    const int code = fovea("report %s --%s nowhere", temp_path("sweep"), i ? "device" : "data");
    assert_int_equal(code, 2);
    assert_output("is a sweep's, whose page is made of its files alone");
  }
  snprintf(path, sizeof path, "sed -i '3,$d' '%s/results.csv'", temp_path("sweep"));
  assert_int_equal(system(path), 0);
  o = report_of(temp_path("sweep"));
  assert_int_equal(json_integer_value(at(o, "configurations")), 4);
  json_decref(o);
  assert_output(
      "is unfinished: 3 of 4 configurations are missing, and no process is at work there; go on with fovea sweep");
  in_copy(temp_path("sweep"), "results.csv", "config,a,test_loss\n");
  o = report_of(temp_path("sweep"));
  assert_missing(o, "fewer than two results");
  json_decref(o);
}

/* The last line of a shard is its end; a merged sweep has the curves of its shards. */
static void shows_shards(void **state) {
  (void)state;
  static const char *const parts[] = {"1/2", "2/2"};
  char dirs[2][256], merged[256], lost[512];
  for (int i = 0; i < 2; i++) {
    snprintf(dirs[i], sizeof dirs[i], "%s", temp_path(i ? "second2" : "first2"));
    assert_int_equal(fovea("sweep --data %s --out %s --factors dropout,batchnorm --attention none --shard %s" NET,
                           temp_path("set"), dirs[i], parts[i]),
                     0);
  }
  assert_int_equal(fovea("report %s --watch", dirs[1]), 0);
  json_t *o = report_of(dirs[1]);
  assert_true(json_is_true(at(o, "done")));
  assert_missing(o, "is shard 2/2 of its sweep: its regression");
  json_decref(o);
  snprintf(merged, sizeof merged, "%s", temp_path("both"));
  assert_int_equal(fovea("sweep --merge --out %s %s %s", merged, dirs[0], dirs[1]), 0);
  assert_output("stay in the shards' folders, where fovea report finds them");
  o = report_of(merged);
  assert_int_equal(json_array_size(at(o, "missing")), 0);
  assert_int_equal(json_array_size(at(o, "runs.relu-none-bn-drop-s3.curve")), 2);
  assert_int_equal(json_array_size(at(o, "runs.relu-none-nobn-drop-s3.curve")), 2);
  json_decref(o);

  snprintf(lost, sizeof lost, "sed -i '$d' '%s/results.csv'", dirs[1]);
  assert_int_equal(system(lost), 0);
  o = report_of(dirs[1]);
  assert_false(json_is_true(at(o, "done")));
  assert_missing(o, "is shard 2/2 of its sweep, and unfinished");
  json_decref(o);
}

/* --- watching ---------------------------------------------------------------------------------------------------- */

/* A run after its first epoch, watched until the second is there; and until a signal. */
static void watches(void **state) {
  (void)state;
  static char said[1 << 14];
  char line[1024], html[512], *rest = NULL;
  uint8_t *bytes = NULL;
  size_t size = 0;
  for (int interrupted = 0; interrupted < 2; interrupted++) {
    const char *dir = copy(interrupted ? "stopped" : "watched");
    snprintf(html, sizeof html, "%s/metrics.csv", dir);
    assert_int_equal(fovea_file_read(html, MOST, &bytes, &size), FOVEA_OK);
    rest = strchr(strchr((char *)bytes, '\n') + 1, '\n') + 1;
    char *second = strdup(rest);
    *rest = 0;
    in_copy(dir, "metrics.csv", (char *)bytes);
    free(bytes);
    snprintf(html, sizeof html, "%s/report.html", dir);
    snprintf(line, sizeof line, "report %s --watch", dir);
    process p = process_start(line, said, sizeof said);
    assert_int_equal(process_wait_for(&p, "is renewed"), 0);
    json_t *o = object_of(html);
    assert_int_equal(json_integer_value(at(o, "reload")), 5);
    assert_int_equal(json_array_size(at(o, "metrics.rows")), 1);
    json_decref(o);
    if (interrupted) {
      kill(p.pid, SIGTERM);
    } else {
      second[strlen(second) - 1] = 0;
      snprintf(line, sizeof line, "%s/metrics.csv", dir);
      assert_int_equal(fovea_file_append_line(line, second), FOVEA_OK);
      snprintf(line, sizeof line, "touch %s/checkpoint.safetensors", dir);
      assert_int_equal(system(line), 0);
    }
    free(second);
    assert_int_equal(process_end(&p), interrupted ? 128 + SIGTERM : 0);
    if (interrupted) {
      char *signal_line = strstr(said, "SIGTERM: writing the page once more");
      assert_non_null(signal_line);
      signal_line[strcspn(signal_line, "\n")] = 0;
      assert_null(strstr(signal_line, "resume")); /* which is for those that train */
    }
    o = object_of(html);
    assert_null(at(o, "reload"));
    assert_int_equal(json_array_size(at(o, "metrics.rows")), interrupted ? 1 : 2);
    json_decref(o);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(shows_a_run),
                                     cmocka_unit_test(counts_parameters),
                                     cmocka_unit_test(agrees_with_reconstruct),
                                     cmocka_unit_test(escapes_names),
                                     cmocka_unit_test(names_what_is_missing),
                                     cmocka_unit_test(leaves_other_runs_out),
                                     cmocka_unit_test(tells_how_it_went),
                                     cmocka_unit_test(mends_damaged_lines),
                                     cmocka_unit_test(tells_what_is_unfinished),
                                     cmocka_unit_test(names_moved_images),
                                     cmocka_unit_test(shows_pictures_without_a_network),
                                     cmocka_unit_test(tells_other_images),
                                     cmocka_unit_test(refuses),
                                     cmocka_unit_test(shows_a_sweep),
                                     cmocka_unit_test(shows_shards),
                                     cmocka_unit_test(watches)};
  return cmocka_run_group_tests(tests, make_run, NULL);
}
