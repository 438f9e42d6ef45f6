/* The devices of this process at work: each trains one configuration after the other, every one in its own folder. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fail.h"
#include "cli/driver_death.h"
#include "cli/progress.h"
#include "cli/signals.h"
#include "experiment/sweep.h"
#include "fovea/safetensors.h"

size_t sweep_images_of(const sweep *s, size_t place) {
  return (size_t)s->plan.configs[place].options.epochs * s->data.train->count;
}

/* --- a configuration --------------------------------------------------------------------------------------------- */

void sweep_show_progress(const sweep *s, const char *note) {
  size_t images = s->finished + s->elsewhere;
  for (size_t i = 0; i < s->worker_count; i++) images += s->workers[i].images;
  progress_update(images, note);
}

static void show_progress(void *user, int epoch, size_t images_done, const fovea_losses *losses) {
  sweep_worker *w = user;
  sweep *s = w->sweep;
  const factors_config *c = &s->plan.configs[w->place];
  char note[sizeof s->note];
  int used = snprintf(note, sizeof note, "%zu/%zu %s epoch %d/%lld", w->place + 1, s->plan.count, c->name, epoch + 1,
                      c->options.epochs);
  if (losses != NULL) snprintf(note + used, sizeof note - (size_t)used, " loss %.4f", losses->total);
  pthread_mutex_lock(&s->changing);
  w->images = (size_t)epoch * s->data.train->count + images_done;
  memcpy(s->note, note, sizeof note);
  sweep_show_progress(s, note);
  pthread_mutex_unlock(&s->changing);
}

/* A name that no file has: checkpoint.damaged.safetensors, checkpoint.damaged2.safetensors, ... */
static fovea_status free_name(const char *dir, char name[64], char path[RUN_PATH]) {
  snprintf(name, 64, "checkpoint.damaged.safetensors");
  fovea_status status = run_path(dir, name, path);
  for (int i = 2; status == FOVEA_OK && run_exists(path); i++) {
    snprintf(name, 64, "checkpoint.damaged%d.safetensors", i);
    status = run_path(dir, name, path);
  }
  return status;
}

/* A checkpoint that is damaged is set aside, and its configuration trained anew: the others must not wait for it. */
static fovea_status set_damaged_aside(const char *dir, const char *config) {
  char path[RUN_PATH], aside[RUN_PATH], name[64];
  fovea_safetensors *file = NULL;
  fovea_status status = run_path(dir, "checkpoint.safetensors", path);
  if (status != FOVEA_OK || !run_exists(path)) return status;
  status = fovea_safetensors_open(path, &file);
  fovea_safetensors_close(file);
  if (status != FOVEA_INVALID) return status;
  progress_tell("fovea: %s: %s", config, fovea_error_message());
  status = free_name(dir, name, aside);
  if (status == FOVEA_OK && rename(path, aside) != 0)
    status = fovea_fail(FOVEA_IO, "%s: cannot be set aside: %s", path, strerror(errno));
  if (status == FOVEA_OK) progress_tell("fovea: %s: it is set aside as %s and trained anew", config, name);
  return status;
}

/* `begun`: somebody else had it in this sweep. */
static void run_configuration(sweep_worker *w, size_t place, bool begun, sweep_outcome *out) {
  const double start = fovea_seconds();
  sweep *s = w->sweep;
  char dir[RUN_PATH];
  const factors_config *c = &s->plan.configs[place];
  run_options o = sweep_options_of(s, place);
  const training_hooks hooks = {.user = w, .progress = show_progress, .stop = &s->ending};
  fovea_status status = run_path(s->options.out, c->name, dir);
  o.out = dir;
  o.resume = o.resume || begun;
  out->begun = o.resume && run_exists(dir);
  if (status == FOVEA_OK && out->begun) status = set_damaged_aside(dir, c->name);
  if (status == FOVEA_OK) status = training_run(&o, &s->data, w->device, &hooks, &out->result);
  if (status == FOVEA_OK && out->result.stopped) out->stopped = signals_received() != 0 ? signals_received() : -1;
  out->status = status;
  out->seconds = fovea_seconds() - start;
  if (status == FOVEA_OK) return;
  const bool told = status == FOVEA_MISMATCH || (status == FOVEA_INVALID && out->begun); /* with its name */
  if (!told) (void)fovea_fail_in(status, "%s", c->name);
  snprintf(out->reason, sizeof out->reason, "%s", fovea_error_message());
}

static void *work(void *user) {
  sweep_worker *w = user;
  sweep *s = w->sweep;
  bool begun = false, able = true;
  driver_death_blame(w->who - 1);
  while (able && s->desk->take(w, &w->place, &begun)) {
    sweep_outcome o = {.status = FOVEA_OK};
    if (signals_idle())
      o.stopped = signals_received();
    else
      run_configuration(w, w->place, begun, &o);
    able = o.status != FOVEA_DEVICE && o.status != FOVEA_NO_MEMORY;
    s->desk->give(w, w->place, &o);
  }
  driver_death_blame(-1);
  return NULL;
}

/* --- all of them ------------------------------------------------------------------------------------------------- */

/* blamed: its number among those that sweep_survive_drivers knows. */
static fovea_status open_device(sweep *s, size_t i, int blamed) {
  char index[24];
  sweep_worker *w = &s->workers[s->worker_count];
  *w = (sweep_worker){.sweep = s, .who = (int)s->worker_count + 1, .name = s->devices.name[i]};
  snprintf(index, sizeof index, "%zu", s->devices.index[i]);
  driver_death_blame(blamed);
  fovea_status status = fovea_device_open(index, &w->device);
  driver_death_blame(-1);
  if (status == FOVEA_OK) fovea_device_tell(w->device, progress_hear, NULL);
  if (status == FOVEA_OK) s->worker_count++;
  return status;
}

/* Their order stays, so that a worker's number is its device's place in the list. */
static void forget_device(devices *d, size_t i) {
  d->count--;
  memmove(d->index + i, d->index + i + 1, (d->count - i) * sizeof *d->index);
  memmove(d->name + i, d->name + i + 1, (d->count - i) * sizeof *d->name);
}

fovea_status sweep_open_devices(sweep *s) {
  for (size_t i = 0, number = 0; i < s->devices.count; number++) {
    const fovea_status status = open_device(s, i, (int)number);
    if (status == FOVEA_OK) {
      i++;
    } else if (s->devices.count > 1) {
      progress_tell("fovea: %s cannot be opened and is left out: %s", s->devices.name[i], fovea_error_message());
      forget_device(&s->devices, i);
    } else {
      return status;
    }
  }
  s->able = s->worker_count;
  return FOVEA_OK;
}

void sweep_close_devices(sweep *s) {
  for (size_t i = 0; i < s->worker_count; i++) {
    driver_death_blame((int)i);
    fovea_device_close(s->workers[i].device);
  }
  driver_death_blame(-1);
}

static void *work_apart(void *user) {
  sweep_worker *w = user;
  work(w);
  signals_rest();
  atomic_fetch_sub(&w->sweep->at_work, 1);
  return NULL;
}

fovea_status sweep_begin_work(sweep *s, bool apart) {
  if (s->worker_count == 1 && !apart) return work(&s->workers[0]), FOVEA_OK;
  if (!apart && signals_idle()) {
    s->stopped = signals_received();
    atomic_store(&s->ending, true);
  }
  for (size_t i = 0; i < s->worker_count; i++) {
    atomic_fetch_add(&s->at_work, 1);
    const int error = pthread_create(&s->workers[i].thread, NULL, work_apart, &s->workers[i]);
    if (error == 0) continue;
    atomic_fetch_sub(&s->at_work, 1);
    fovea_status status = fovea_fail(FOVEA_NO_MEMORY, "no thread for %s: %s", s->workers[i].name, strerror(error));
    sweep_desk_end(s, status, fovea_error_message());
    while (i-- > 0) pthread_join(s->workers[i].thread, NULL);
    return status;
  }
  return FOVEA_OK;
}

void sweep_end_work(sweep *s, bool apart) {
  if (s->worker_count == 1 && !apart) return;
  for (size_t i = 0; i < s->worker_count; i++) pthread_join(s->workers[i].thread, NULL);
  signals_busy(); /* until it is told how it ended */
}

/* --- when a driver dies ------------------------------------------------------------------------------------------ */

enum { ADDED = 4, LIST = 24 * DEVICES_MOST };

/* The command line, before an end of options, with --resume and the devices that are left: of an option that is given
 * twice the last one counts. */
static char **arguments_without(const char *list, int argc, char **argv) {
  static char program[] = "fovea", resume[] = "--resume", device_option[] = "--device";
  const size_t count = (size_t)argc;
  char **all = calloc(count + ADDED + 1, sizeof *all);
  size_t n = 0, end = 1;
  if (!all) return NULL;
  while (end < count && strcmp(argv[end], "--") != 0) end++;
  all[n++] = program;
  for (size_t i = 0; i < end; i++) all[n++] = argv[i];
  all[n++] = resume;
  all[n++] = device_option;
  all[n++] = (char *)(uintptr_t)list; /* execv's type */
  for (size_t i = end; i < count; i++) all[n++] = argv[i];
  return all;
}

/* They stay until the next call: a signal's handler reads them. */
fovea_status sweep_survive_drivers(const sweep *s, int argc, char **argv) {
  static char *names[DEVICES_MOST], **arguments[DEVICES_MOST], *lists[DEVICES_MOST];
  const size_t count = s->devices.count > 1 ? s->devices.count : 0;
  driver_death_others(NULL, NULL, 0);
  for (size_t i = 0; i < DEVICES_MOST; i++) {
    free(names[i]);
    free(arguments[i]);
    free(lists[i]);
    names[i] = lists[i] = NULL;
    arguments[i] = NULL;
  }
  for (size_t i = 0; i < count; i++) {
    names[i] = strdup(s->devices.name[i]);
    lists[i] = malloc(LIST);
    arguments[i] = lists[i] ? arguments_without(devices_list(&s->devices, i, lists[i], LIST), argc, argv) : NULL;
    if (!names[i] || !arguments[i]) return fovea_fail(FOVEA_NO_MEMORY, "no memory for %zu devices", count);
  }
  driver_death_others((const char *const *)names, (char *const *const *)arguments, (int)count);
  return FOVEA_OK;
}
