/* Between the files of a sweep. */
#ifndef FOVEA_TOOLS_EXPERIMENT_SWEEP_H
#define FOVEA_TOOLS_EXPERIMENT_SWEEP_H

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>

#include "experiment/estimate.h"
#include "experiment/factors.h"
#include "experiment/recover.h"
#include "experiment/remarks.h"
#include "reach/devices.h"
#include "reach/ranks.h"
#include "reach/shard.h"
#include "train/csvlog.h"
#include "train/training.h"

enum { SWEEP_REASON = 1024 };

typedef struct sweep sweep;

/* How the training of one configuration ended: plain numbers and text, since it may travel to another process. */
typedef struct sweep_outcome {
  fovea_status status;
  int stopped;    /* by this signal; -1: it was told to; 0: it was not */
  bool begun;     /* its folder was there before */
  double seconds; /* that it took, compiling and evaluation too */
  training_result result;
  char reason[SWEEP_REASON]; /* of a status, a sentence */
} sweep_outcome;

/* What trains one configuration after the other: an open device, and a thread where there are several. */
typedef struct sweep_worker {
  sweep *sweep;
  fovea_device *device;
  int who;          /* its number at the desk, from 1 */
  const char *name; /* "device 1 (NAME)" */
  size_t place;     /* of the configuration under way */
  size_t images;    /* of it, that are done */
  pthread_t thread;
} sweep_worker;

/* Who has what to train. `take` waits until there is something, and is false at the end. */
typedef struct sweep_desk {
  bool (*take)(sweep_worker *w, size_t *place, bool *begun);
  void (*give)(sweep_worker *w, size_t place, const sweep_outcome *o);
} sweep_desk;

struct sweep {
  run_options options; /* of every configuration, but for the factors */
  factors_request request;
  const char *shard_given; /* --shard */
  bool merge;
  shard shard;
  char *recalled[RECOVER_TEXTS]; /* what request.factors, .fraction and .baselines may point to */
  char *shard_recalled;          /* what shard_given may point to */
  bool part_recalled;            /* --fraction or --random are the folder's, and not given again */
  json_t *config;                /* of the whole, as each configuration keeps it */
  run_data data;
  devices devices; /* of this process */
  sweep_worker workers[DEVICES_MOST];
  size_t worker_count;
  ranks ranks;
  const sweep_desk *desk;
  factors_plan plan;
  size_t unsharded; /* configurations of all shards */
  size_t failed;    /* training met a NaN: in failed.csv */
  size_t refused;   /* its folder's files are not its own */
  json_t *left_out; /* of those refused: {"config", "reason"} each */
  fovea_text said;  /* of what is announced, what the result is saved with: a sentence a line */
  int lock;
  char results[RUN_PATH], failures[RUN_PATH];
  /* Of several threads, under `changing`, but for the first. */
  atomic_bool ending; /* no configuration is begun any more */
  pthread_mutex_t changing;
  pthread_cond_t changed;
  int *taken;            /* of each configuration: the number of who trains it, or 0 */
  bool *begun, *settled; /* whether somebody had it before; whether nothing is to be done any more */
  estimate_record speed; /* of the configurations trained in this run from their first image on */
  size_t able;           /* workers that can go on, of all processes */
  size_t finished;       /* images of the configurations done in this run, for progress */
  size_t elsewhere;      /* and of those that other processes have under way */
  int stopped;           /* by this signal, or 0 */
  fovea_status status;   /* the first that ended it */
  char reason[SWEEP_REASON];
  char note[128 + FACTORS_NAME];  /* the last of progress */
  atomic_int at_work;             /* threads */
  struct sweep_courier *couriers; /* sweep_follow.c */
  bool welcomed;                  /* the ranks */
  bool alone;                     /* the first rank is gone */
  bool has_company;               /* a thread that tells the others that this one, the first, is there, */
  atomic_bool end_company;        /* which is to end */
  pthread_t company;
};

/* --- sweep_folder.c: what the folder has ------------------------------------------------------------------------- */

/* On --resume: options, factors and seeds are those of the folder, unless given again. */
fovea_status sweep_recall(sweep *s);

/* The same, from the text of a configuration; `path` names it. */
fovea_status sweep_recall_text(sweep *s, const char *path, const char *text);

/* The sweep's own configuration, and the names of the configurations' runs. */
fovea_status sweep_name(sweep *s);

/* Takes the folder, as run_lock. */
fovea_status sweep_take_folder(sweep *s);

/* Takes the folder, and marks the configurations that are done. */
fovea_status sweep_open_folder(sweep *s);

/* The folder's tables, which the caller frees; their configurations are marked. Nothing is changed. */
fovea_status sweep_read_tables(sweep *s, csvlog *results, csvlog *failures);
fovea_status sweep_write_tables(const sweep *s, const csvlog *results, const csvlog *failures);

/* config.json; FOVEA_IO and the like. */
fovea_status sweep_write_config(const sweep *s, const fovea_device_info *device);

/* The options of a configuration, as its training has them. */
run_options sweep_options_of(const sweep *s, size_t place);

/* failed.csv: its header, and its lines, which the caller frees. */
enum { SWEEP_FAILED_HEADER = FACTORS_COLUMNS + 20 };
const char *sweep_failed_header(const sweep *s, char header[SWEEP_FAILED_HEADER]);
fovea_status sweep_read_failures(const sweep *s, csvlog *log);

size_t sweep_count_done(const sweep *s);

/* --- sweep_announce.c -------------------------------------------------------------------------------------------- */

/* Says what will be done, before any of it; *images in all. */
fovea_status sweep_announce(sweep *s, size_t *images);

/* Says what the result is to be read with. */
void sweep_announce_result(sweep *s);

/* That this configuration was trained from its first image on, in so many seconds: says it where the estimate was
 * wrong. Under the lock. */
void sweep_correct_estimate(sweep *s, size_t place, double seconds);

/* --- sweep_desk.c ------------------------------------------------------------------------------------------------ */

extern const sweep_desk sweep_desk_here;

/* FOVEA_NO_MEMORY. */
fovea_status sweep_desk_open(sweep *s);
void sweep_desk_close(sweep *s);

typedef enum sweep_answer { SWEEP_WORK, SWEEP_WAIT, SWEEP_END } sweep_answer;

/* For worker `who`, without waiting. */
sweep_answer sweep_desk_ask(sweep *s, int who, size_t *place, bool *begun);

/* Takes an outcome down: in results.csv, in failed.csv, or as the sweep's end. `name` is who says so. */
void sweep_desk_put(sweep *s, int who, const char *name, size_t place, const sweep_outcome *o);

/* The workers of these numbers are gone, so many of which were able: what they had is for others. Returns the place of
 * one of that, or SIZE_MAX. */
size_t sweep_desk_lose(sweep *s, int first, int last, size_t workers);

/* Ends the sweep, unless something ended it before. */
void sweep_desk_end(sweep *s, fovea_status status, const char *reason);

/* The same, for this signal. */
void sweep_desk_stop(sweep *s, int number);

/* --- sweep_work.c ------------------------------------------------------------------------------------------------ */

/* Opens the devices: as fovea_device_open where none can be opened, else those that cannot are named. */
fovea_status sweep_open_devices(sweep *s);
void sweep_close_devices(sweep *s);

/* Trains: a thread a device where there are several, or `apart`; the second waits for their end. */
fovea_status sweep_begin_work(sweep *s, bool apart);
void sweep_end_work(sweep *s, bool apart);

/* Where a driver ends the process: that it starts again, without that device. argv of the subcommand; it stays. */
fovea_status sweep_survive_drivers(const sweep *s, int argc, char **argv);

/* That progress has changed, and what it says; under the lock. */
void sweep_show_progress(const sweep *s, const char *note);

/* Images of a configuration that it is trained on. */
size_t sweep_images_of(const sweep *s, size_t place);

/* --- sweep_meet.c, sweep_lead.c, sweep_follow.c ------------------------------------------------------------------ */

/* Whether all ranks could prepare themselves, which `status` says of this one, with the same program, settings and
 * images. The others return when the first has begun, or been refused: then with its status. */
fovea_status sweep_meet(sweep *s, fovea_status status);

/* Of the first: the others hear that it is there until they meet it at work or are dismissed. FOVEA_NO_MEMORY. */
fovea_status sweep_begin_company(sweep *s);

/* Of the first: sends the others home, where sweep_work_with_ranks was not come to; of the others: goes. */
void sweep_dismiss(sweep *s, fovea_status status);

/* Instead of sweep_begin_work and sweep_end_work, where there are several ranks. */
void sweep_work_with_ranks(sweep *s);

/* --- sweep_merge.c ----------------------------------------------------------------------------------------------- */

/* Joins the folders of a sweep's shards in s->options.out, as that of one sweep, whose end is the caller's. */
fovea_status sweep_merge(sweep *s, const char *const *folders, size_t count);

/* --- sweep_end.c ------------------------------------------------------------------------------------------------- */

/* What stdout says of a sweep that was stopped. */
void sweep_stopped_text(const sweep *s, char *text, size_t size);

/* Where it stands, for --json, and the members of `regression` (or NULL), an object's text. The caller frees it; NULL
 * without memory, and where --out is no UTF-8. */
char *sweep_state(const sweep *s, bool stopped, const char *regression);

/* The regression, or where it was stopped. */
fovea_status sweep_conclude(sweep *s);

#endif
