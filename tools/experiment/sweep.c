/* The factorial experiment: every configuration trained in its own folder, a line of results.csv each, and least
 * squares on that. A configuration whose loss stops being finite goes to failed.csv instead, with the reason, so that
 * results.csv stays a table of numbers for any tool. */
#include "experiment/sweep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "cli/command.h"
#include "cli/driver_death.h"
#include "cli/json.h"
#include "cli/launcher.h"
#include "cli/progress.h"
#include "cli/signals.h"
#include "experiment/given.h"

/* Nothing is made where one of the networks cannot have such images. */
static fovea_status check_networks(const sweep *s) {
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < s->plan.count && status == FOVEA_OK; i++) {
    status = run_check_network(&s->plan.configs[i].options, s->data.train);
    if (status != FOVEA_OK) status = fovea_fail_in(status, "the configuration %s", s->plan.configs[i].name);
  }
  return status;
}

/* Its own part of the list alone; the seeds stay those of the whole. */
static void keep_shard(sweep *s) {
  size_t kept = 0;
  s->unsharded = s->plan.count;
  for (size_t i = 0; i < s->plan.count; i++)
    if (shard_has(&s->shard, i)) s->plan.configs[kept++] = s->plan.configs[i];
  s->plan.count = kept;
}

static fovea_status plan(sweep *s) {
  char text[SHARD_TEXT];
  fovea_status status = run_options_check(&s->options);
  if (status == FOVEA_OK) status = shard_parse(s->shard_given, &s->shard);
  if (status == FOVEA_OK) status = factors_make(&s->request, &s->options, &s->plan);
  if (status != FOVEA_OK) return status;
  const char *fill = factors_say_fill(&s->plan);
  if (fill != NULL && s->ranks.index == 0) progress_tell("fovea: %s", fill);
  keep_shard(s);
  if (s->plan.count > 0) return FOVEA_OK;
  return fovea_fail(FOVEA_INVALID, "--shard %s has none of the %zu configurations; take no more shards than that",
                    shard_text(&s->shard, text), s->unsharded);
}

/* Of several ranks each has its own of the host's devices. */
static fovea_status find_devices(sweep *s) {
  const ranks *r = &s->ranks;
  fovea_status status = devices_find(s->options.device, r->count > 1, &s->devices);
  if (status == FOVEA_OK && r->count > 1) (void)devices_divide(&s->devices, (size_t)r->local, (size_t)r->local_count);
  return status;
}

static fovea_status train(sweep *s) {
  size_t images = 0;
  fovea_status status = s->ranks.index == 0 ? sweep_announce(s, &images) : FOVEA_OK;
  if (status != FOVEA_OK) return status;
  if (s->ranks.index == 0) progress_begin("sweep", images, "images");
  if (s->ranks.count > 1)
    sweep_work_with_ranks(s);
  else if (sweep_begin_work(s, false) == FOVEA_OK)
    sweep_end_work(s, false);
  progress_end();
  return s->status == FOVEA_OK ? FOVEA_OK : fovea_fail(s->status, "%s", s->reason);
}

/* Everything that can be refused without its folder. */
static fovea_status prepare(sweep *s, int argc, char **argv) {
  fovea_status status = plan(s);
  if (status == FOVEA_OK) status = run_data_load(&s->options, &s->data);
  if (status == FOVEA_OK) status = check_networks(s);
  if (status == FOVEA_OK) status = find_devices(s);
  const bool again = s->ranks.count == 1; /* a rank cannot join the others again */
  if (status == FOVEA_OK && again) status = sweep_survive_drivers(s, argc, argv);
  if (status == FOVEA_OK) status = sweep_open_devices(s);
  if (status == FOVEA_OK && again) status = sweep_survive_drivers(s, argc, argv); /* with those that are open */
  return status == FOVEA_OK ? sweep_name(s) : status;
}

static fovea_status run_sweep(sweep *s, fovea_status status) {
  const bool first = s->ranks.index == 0;
  if (s->ranks.count > 1) status = sweep_meet(s, status);
  if (status == FOVEA_OK && first) status = sweep_open_folder(s);
  if (status == FOVEA_OK) status = sweep_desk_open(s);
  if (status == FOVEA_OK) status = train(s);
  if (s->ranks.count > 1 && !s->welcomed) sweep_dismiss(s, status);
  if (status == FOVEA_OK && first) status = sweep_conclude(s);
  run_unlock(s->lock);
  sweep_close_devices(s);
  driver_death_others(NULL, NULL, 0);
  return status;
}

static void forget(sweep *s) {
  sweep_desk_close(s);
  run_data_free(&s->data);
  json_decref(s->config);
  json_decref(s->left_out);
  free(s->said.bytes);
  free(s->plan.configs);
  for (size_t i = 0; i < RECOVER_TEXTS; i++) free(s->recalled[i]);
  free(s->shard_recalled);
  pthread_mutex_destroy(&s->changing);
  pthread_cond_destroy(&s->changed);
}

static bool is_given(const option *table, size_t count, const char *name) {
  for (size_t i = 0; i < count; i++)
    if (strcmp(table[i].name, name) == 0) return table[i].given;
  return false;
}

/* On --resume: either of --fraction 1/1 and --random 0 completes a sweep that was begun with either. */
static void settle_part(sweep *s, const option *table, size_t count) {
  factors_request *r = &s->request;
  const bool fraction = is_given(table, count, "fraction"), random = is_given(table, count, "random");
  if (fraction && !random && strcmp(r->fraction, "1/1") == 0) r->random = 0;
  if (random && !fraction && r->random == 0) r->fraction = NULL;
  s->part_recalled = !fraction && !random;
}

/* On --resume: the folder's settings, unless given again. */
static fovea_status recall(sweep *s, const command_line *line, int argc, char **argv) {
  fovea_status status = FOVEA_OK;
  if (s->options.resume) {
    status = sweep_recall(s);
    if (status == FOVEA_OK) status = command_parse(line, argc, argv);
    if (status == FOVEA_OK) settle_part(s, line->options, line->count);
  }
  return status == FOVEA_OK ? given_check_options(s->request.factors, &s->options, line->options, line->count) : status;
}

/* A shard is a process of its own, whatever started it. The first rank says for all what there is to say. */
static fovea_status run_here_or_over_ranks(sweep *s, const command_line *line, int argc, char **argv,
                                           fovea_status status) {
  s->ranks = (ranks){.count = 1, .local_count = 1};
  fovea_status joined = s->shard_given == NULL ? ranks_begin(&s->ranks, "use --shard, which needs none") : FOVEA_OK;
  if (joined == FOVEA_OK) joined = sweep_begin_company(s);
  if (joined != FOVEA_OK) return joined;
  const int quiet = s->ranks.index > 0 ? ranks_begin_quiet() : -1;
  if (status == FOVEA_OK) status = json_check("--out", s->options.out);
  if (status == FOVEA_OK) status = recall(s, line, argc, argv);
  if (status == FOVEA_OK) status = prepare(s, argc, argv);
  ranks_end_quiet(quiet);
  return run_sweep(s, status);
}

static size_t add_options(sweep *s, option *table) {
  const option own[] = {
      {.name = "factors",
       .kind = OPTION_STRING,
       .value = &s->request.factors,
       .argument = "LIST",
       .help = "what varies, and how: activation=elu|relu,dropout,latent=2|8,arch=35-25-5|12-8-4"},
      {.name = "seeds",
       .kind = OPTION_INT,
       .value = &s->request.seeds,
       .min = 1,
       .max = 1000,
       .help = "seeds of each configuration, counted up from --seed"},
      {.name = "random",
       .kind = OPTION_INT,
       .value = &s->request.random,
       .max = 1000000,
       .argument = "N",
       .help = "only N of a seed's combinations, drawn at random by --seed; 0 is all"},
      {.name = "fraction",
       .kind = OPTION_STRING,
       .value = &s->request.fraction,
       .argument = "1/N",
       .help = "a fractional factorial of factors of two levels: 1/2, 1/4, ... of the combinations; 1/1 is all"},
      {.name = "baseline",
       .kind = OPTION_STRING,
       .value = &s->request.baselines,
       .argument = "A=X,B=Y",
       .help = "the level of a factor that its others are compared to; the first in --factors"},
      {.name = "shard",
       .kind = OPTION_STRING,
       .value = &s->shard_given,
       .argument = "I/N",
       .help = "train part I of N of the configurations, in a folder of its own, for --merge"},
      {.name = "merge",
       .kind = OPTION_FLAG,
       .value = &s->merge,
       .help = "join the folders of all shards in --out and regress; trains nothing"},
      json_option(&s->options.json)};
  size_t n = run_options_table(&s->options, table);
  for (size_t i = 0; i < n; i++) {
    if (strcmp(table[i].name, "data") == 0) table[i].unless = "merge";
    if (strcmp(table[i].name, "device") == 0)
      table[i].help = "index, cpu, gpu, or part of a name; several, as 0,2; all; the fastest GPU, else the CPU";
  }
  memcpy(table + n, own, sizeof own);
  return n + sizeof own / sizeof *own;
}

/* Only --merge has operands, and only the options that concern it. */
static fovea_status check_merge(const sweep *s, const command_line *line) {
  static const char *const allowed[] = {"merge", "out", "json", "baseline"};
  if (!s->merge && *line->positional_count > 0)
    return fovea_fail(FOVEA_INVALID, "unexpected argument '%.200s'; see --help", line->positionals[0]);
  for (size_t i = 0; i < line->count && s->merge; i++) {
    bool may = !line->options[i].given;
    for (size_t k = 0; k < sizeof allowed / sizeof *allowed; k++)
      may = may || strcmp(line->options[i].name, allowed[k]) == 0;
    if (!may)
      return fovea_fail(FOVEA_INVALID, "--merge joins what was trained, and takes no --%s", line->options[i].name);
  }
  return FOVEA_OK;
}

static int run(int argc, char **argv) {
  sweep s = {.options = run_options_default(),
             .request = {.factors = "activation,attention,batchnorm,dropout", .seeds = 1},
             .lock = -1,
             .desk = &sweep_desk_here,
             .changing = PTHREAD_MUTEX_INITIALIZER,
             .changed = PTHREAD_COND_INITIALIZER};
  bool done = false;
  option table[RUN_OPTIONS];
  size_t folders = 0;
  const char **names = calloc((size_t)argc + 1, sizeof *names);
  if (names == NULL) return command_fail(fovea_fail(FOVEA_NO_MEMORY, "no memory for %d arguments", argc));
  const command_line line = {.usage =
                                 "fovea sweep --data DIR --out DIR [options]\n"
                                 "       fovea sweep --merge --out DIR SHARD...",
                             .summary = "Trains every combination of the factors and regresses the test loss on them.",
                             .options = table,
                             .count = add_options(&s, table),
                             .positionals = names,
                             .max_positionals = (size_t)argc,
                             .positional_count = &folders,
                             .by_many = true};
  fovea_status status = command_begin(&line, argc, argv, &done);
  if (!done) {
    signals_catch(s.options.resume ? &signals_of_training : &signals_of_beginning);
    if (status == FOVEA_OK) status = check_merge(&s, &line);
    if (status == FOVEA_OK && s.merge) status = launcher_refuse("sweep --merge");
    if (status == FOVEA_OK && s.merge) status = json_check("--out", s.options.out);
    if (status == FOVEA_OK && s.merge) status = sweep_merge(&s, names, folders);
    if (!s.merge) status = run_here_or_over_ranks(&s, &line, argc, argv, status);
    forget(&s);
  }
  free(names);
  if (status != FOVEA_OK) return s.ranks.index > 0 ? (int)status : command_fail(status);
  return s.stopped ? 128 + s.stopped : FOVEA_OK;
}

const command command_sweep = {"sweep", "train every combination of the factors and regress the loss on them", run};
