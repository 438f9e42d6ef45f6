/* fovea report DIR: one HTML file of a run or a sweep. */
#define _DEFAULT_SOURCE /* realpath's name of the folder */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/fail.h"
#include "base/file.h"
#include "cli/command.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/signals.h"
#include "report/folder.h"
#include "train/load.h"

typedef struct request {
  const char *dir, *out, *data, *device;
  bool watch, json;
  run_kind kind;
} request;

enum { RELOAD = 5 }; /* seconds, of a page that is watched */

/* --- one page ---------------------------------------------------------------------------------------------------- */

/* The folder's own name, also of "." and "sweep/". */
static void set_title(page *p, const char *dir) {
  char *real = realpath(dir, NULL);
  const char *path = real ? real : dir, *slash = strrchr(path, '/');
  page_set(p, p->root, "title", page_text(slash && slash[1] ? slash + 1 : path));
  free(real);
}

static fovea_status print_result(const request *r, const page *p, size_t size) {
  static const double mega = 1e6;
  if (!r->json) {
    printf("%s: a page of a %s, %.1f MB\n", r->out, r->kind == RUN_SWEEP ? "sweep" : "run", (double)size / mega);
    return FOVEA_OK;
  }
  json_t *json = json_pack("{s:o,s:O,s:I,s:O}", "report", page_text(r->out), "kind", json_object_get(p->root, "kind"),
                           "bytes", (json_int_t)size, "missing", p->missing);
  return json_result(json);
}

/* Writes the page, which reloads itself where `more` will come. */
static fovea_status make(const request *r, bool *done, bool last) {
  const folder_request folder = {r->dir, r->data, r->device, r->data != NULL, r->device != NULL};
  const bool sweep = r->kind == RUN_SWEEP;
  page p = {0};
  char *html = NULL;
  fovea_status status = page_begin(&p, sweep ? "sweep" : "run", r->dir);
  if (status == FOVEA_OK) set_title(&p, r->dir);
  if (status == FOVEA_OK) status = sweep ? sweep_show(&p, &folder, done) : run_show(&p, &folder, done);
  if (status == FOVEA_OK && r->watch && !*done && !last) page_set(&p, p.root, "reload", json_integer(RELOAD));
  if (status == FOVEA_OK) page_set(&p, p.root, "done", json_boolean(*done));
  if (status == FOVEA_OK) status = page_html(&p, &html);
  if (status == FOVEA_OK) status = fovea_file_write(r->out, html, strlen(html));
  if (status == FOVEA_OK && (!r->watch || *done || last)) status = print_result(r, &p, strlen(html));
  free(html);
  page_end(&p);
  return status;
}

/* --- watching ---------------------------------------------------------------------------------------------------- */

/* What a run and a sweep renew when an epoch or a configuration is complete: the last of it is the checkpoint. */
typedef struct stamp {
  struct timespec times[3];
} stamp;

static stamp stamp_of(const request *r) {
  static const char *const names[][3] = {{"checkpoint.safetensors", "metrics.csv", "config.json"},
                                         {"results.csv", "failed.csv", "regression.json"}};
  stamp s = {0};
  for (size_t i = 0; i < 3; i++) {
    char path[RUN_PATH];
    struct stat about;
    if (run_path(r->dir, names[r->kind == RUN_SWEEP][i], path) == FOVEA_OK && stat(path, &about) == 0)
      s.times[i] = about.st_mtim;
  }
  return s;
}

/* Whether the run is between the line of an epoch and its checkpoint, or before its line. */
static bool is_between(const request *r, const stamp *was, const stamp *now) {
  if (r->kind == RUN_SWEEP) return false;
  const struct timespec *checkpoint = &now->times[0], *metrics = &now->times[1];
  const bool line = memcmp(&was->times[1], metrics, sizeof *metrics) != 0;
  return !line || checkpoint->tv_sec < metrics->tv_sec ||
         (checkpoint->tv_sec == metrics->tv_sec && checkpoint->tv_nsec < metrics->tv_nsec);
}

static const signals_words watching = {"the page stays as it is", "writing the page once more, which no longer reloads",
                                       "the page stays as it is"};

static fovea_status watch(const request *r) {
  const struct timespec second = {.tv_sec = 1};
  bool done = false;
  fovea_status status = FOVEA_OK;
  while (status == FOVEA_OK && !done) {
    const stamp was = stamp_of(r);
    signals_busy(); /* a page is finished before a signal ends this */
    status = make(r, &done, signals_received() != 0);
    if (status != FOVEA_OK || done || signals_received()) break;
    progress_tell("fovea: %s is renewed; waiting for more, Ctrl-C ends it", r->out);
    for (stamp now = was; !signals_received();) {
      nanosleep(&second, NULL);
      now = stamp_of(r);
      if (memcmp(&was, &now, sizeof now) != 0 && !is_between(r, &was, &now)) break;
    }
    if (signals_received()) {
      status = make(r, &done, true);
      break;
    }
  }
  return status;
}

/* --- the command ------------------------------------------------------------------------------------------------- */

static fovea_status check(request *r, char path[RUN_PATH]) {
  struct stat about;
  if (!r->dir) return fovea_fail(FOVEA_INVALID, "a folder is missing: fovea report DIR");
  if (stat(r->dir, &about) != 0) return fovea_fail(FOVEA_IO, "%s: %s", r->dir, strerror(errno));
  if (!S_ISDIR(about.st_mode))
    return fovea_fail(FOVEA_INVALID, "%s is no folder; a report is made of the folder of a run or a sweep", r->dir);
  r->kind = run_kind_of(r->dir);
  if (r->kind == RUN_OTHER)
    return fovea_fail(
        FOVEA_INVALID,
        "%s is no folder of a run or a sweep: it has no config.json, checkpoint.safetensors, metrics.csv or "
        "results.csv",
        r->dir);
  if (r->kind == RUN_SWEEP && (r->data || r->device))
    return fovea_fail(FOVEA_INVALID,
                      "--%s: %s is a sweep's, whose page is made of its files alone; give it with the folder of a run",
                      r->data ? "data" : "device", r->dir);
  fovea_status status = run_path(r->dir, "report.html", path);
  if (status == FOVEA_OK && !r->out) r->out = path;
  if (status == FOVEA_OK) status = load_check_file(r->data, "--out", r->out);
  return status == FOVEA_OK ? output_check_report("--out", r->out) : status;
}

static int run(int argc, char **argv) {
  request r = {0};
  char path[RUN_PATH];
  bool done = false;
  size_t count = 0;
  option options[] = {
      {.name = "out",
       .kind = OPTION_STRING,
       .value = &r.out,
       .argument = "FILE.html",
       .help = "the page; else DIR/report.html"},
      {.name = "data",
       .kind = OPTION_STRING,
       .value = &r.data,
       .argument = "DIR",
       .help = "a run's images, where they are no longer where the training found them"},
      {.name = "device",
       .kind = OPTION_STRING,
       .value = &r.device,
       .argument = "D",
       .help = "index, cpu, gpu, or part of a name; the fastest GPU, else the CPU"},
      {.name = "watch",
       .kind = OPTION_FLAG,
       .value = &r.watch,
       .help = "renew the page after every epoch, or configuration of a sweep, to the end; the page reloads itself"},
      json_option(&r.json)};
  const command_line line = {.usage = "fovea report DIR [options]",
                             .summary = "Makes one HTML file of a run or a sweep, to be opened in any browser.",
                             .options = options,
                             .count = sizeof options / sizeof *options,
                             .positionals = &r.dir,
                             .max_positionals = 1,
                             .positional_count = &count};
  fovea_status status = command_begin(&line, argc, argv, &done);
  if (status != FOVEA_OK) return command_fail(status);
  if (done) return FOVEA_OK;
  status = json_check("--out", r.out);
  if (status == FOVEA_OK) status = check(&r, path);
  if (status == FOVEA_OK && r.watch) signals_catch(&watching);
  if (status == FOVEA_OK) status = r.watch ? watch(&r) : make(&r, &done, false);
  if (status != FOVEA_OK) return command_fail(status);
  return r.watch && signals_received() ? signals_exit_code() : FOVEA_OK;
}

const command command_report = {"report", "make one HTML page of a run or a sweep", run};
