/* fovea export: a run's network, or one of fovea_network_save, as an ONNX file. */
#include "export/onnx.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fail.h"
#include "cli/command.h"
#include "cli/json.h"
#include "cli/output.h"
#include "fovea/fovea.h"
#include "model/vae.h"
#include "train/identity.h"

typedef struct request {
  const char *run, *out;
  int part;
  long long opset;
  bool fold, json;
} request;

static const char parts[] = "both|encoder|decoder"; /* in the order of fovea_onnx_part */

static fovea_status put_result(const request *r, const fovea_onnx_summary *made) {
  char part[sizeof parts];
  const char *at = parts;
  for (int i = 0; i < r->part; i++) at += strcspn(at, "|") + 1;
  snprintf(part, sizeof part, "%.*s", (int)strcspn(at, "|"), at);
  return json_result(json_pack("{s:s,s:s,s:I,s:I,s:I,s:I,s:I}", "file", r->out, "part", part, "opset",
                               (json_int_t)r->opset, "nodes", (json_int_t)made->nodes, "bytes", (json_int_t)made->bytes,
                               "batchnorms_folded", (json_int_t)made->folded, "batchnorms_left",
                               (json_int_t)made->normalized));
}

/* A run's checkpoint; a file is taken as it is. */
static fovea_status find_checkpoint(const char *run, char path[RUN_PATH]) {
  struct stat about;
  if (stat(run, &about) == 0 && S_ISREG(about.st_mode)) {
    if (snprintf(path, RUN_PATH, "%s", run) < RUN_PATH) return FOVEA_OK;
    return fovea_fail(FOVEA_INVALID, "--run: its path is longer than %d bytes", RUN_PATH - 1);
  }
  if (stat(run, &about) != 0) return fovea_fail(FOVEA_IO, "--run %s: cannot be opened: %s", run, strerror(errno));
  fovea_status status = run_path(run, "results.csv", path);
  const bool sweep = status == FOVEA_OK && run_exists(path);
  if (status == FOVEA_OK) status = run_path(run, "checkpoint.safetensors", path);
  if (status != FOVEA_OK || run_exists(path)) return status;
  if (sweep)
    return fovea_fail(FOVEA_INVALID,
                      "--run %s: it is a sweep, whose runs are the folders in it; give one of them, %s/CONFIG, where "
                      "CONFIG is as in its results.csv",
                      run, run);
  return fovea_fail(FOVEA_IO,
                    "--run %s: there is no checkpoint.safetensors in it; a training writes it at the end of its first "
                    "epoch, or when it is stopped",
                    run);
}

static uint64_t counter(const fovea_safetensors *file, const char *name) {
  const fovea_safetensor *t = NULL;
  uint64_t count = 0;
  if (fovea_safetensors_find(file, name, &t) == FOVEA_OK && t->size == sizeof count)
    memcpy(&count, t->data, sizeof count);
  return count;
}

static void say_unfinished(const char *path, const fovea_safetensors *file, const run_options *o) {
  const uint64_t done = counter(file, "state.epoch"), images = counter(file, "state.images_done");
  if (done >= (uint64_t)o->epochs) return;
  fprintf(stderr, "fovea: %s: the training is unfinished, %" PRIu64 " of %lld epochs", path, done, o->epochs);
  if (images > 0) fprintf(stderr, " and %" PRIu64 " images of the next", images);
  fputs(" are done; the network is exported as it is\n", stderr);
}

/* The graph of a run of before checkpoints had one, by its settings. */
static fovea_status graph_by_settings(const run_options *o, const int dims[3], fovea_graph **graph) {
  const fovea_vae_config c = run_vae_config(o, dims[0], dims[1], dims[2]);
  fovea_vae *vae = NULL;
  const fovea_status status = fovea_vae_build(&c, &vae);
  if (status == FOVEA_OK) {
    *graph = vae->graph;
    vae->graph = NULL;
  }
  fovea_vae_destroy(vae);
  return status;
}

/* What is to be said before, and the graph that the file may lack; *graph stays NULL where the file is no run's. */
static fovea_status look(const char *path, fovea_graph **graph) {
  fovea_safetensors *file = NULL;
  run_options o = run_options_default();
  int dims[3];
  fovea_status status = fovea_safetensors_open(path, &file);
  const char *config = fovea_safetensors_metadata(file, "config");
  if (status == FOVEA_OK && config != NULL) status = run_config_parse(path, config, &o, dims);
  if (status == FOVEA_OK && config != NULL) say_unfinished(path, file, &o);
  if (status == FOVEA_OK && config != NULL && fovea_safetensors_metadata(file, "graph") == NULL)
    status = graph_by_settings(&o, dims, graph);
  fovea_safetensors_close(file);
  return status;
}

static fovea_status export(const request *r) {
  char path[RUN_PATH];
  fovea_graph *graph = NULL;
  fovea_onnx_summary made = {.nodes = 0};
  const fovea_onnx_options options = {
      .part = (fovea_onnx_part)r->part, .opset = (int)r->opset, .fold_batchnorm = r->fold};
  fovea_status status = find_checkpoint(r->run, path);
  if (status == FOVEA_OK) status = output_check_onnx("--out", r->out);
  if (status == FOVEA_OK && fovea_onnx_built_in()) status = look(path, &graph);
  if (status == FOVEA_OK) status = fovea_onnx_export_or(path, graph, r->out, &options, &made);
  fovea_graph_destroy(graph);
  if (status != FOVEA_OK) return status;
  fprintf(stderr, "fovea: %s: %zu nodes of operator set %lld, %zu bytes; ", r->out, made.nodes, r->opset, made.bytes);
  if (r->fold)
    fprintf(stderr, "%zu batch normalizations folded, %zu do not follow a layer that takes them and stay\n",
            made.folded, made.normalized);
  else
    fprintf(stderr, "%zu batch normalizations\n", made.normalized);
  return r->json ? put_result(r, &made) : FOVEA_OK;
}

static int run(int argc, char **argv) {
  request r = {.opset = FOVEA_ONNX_USUAL};
  bool done = false;
  option options[] = {
      {.name = "run",
       .kind = OPTION_STRING,
       .value = &r.run,
       .argument = "RUN",
       .required = true,
       .help = "the folder of a trained run, or a file of fovea_network_save"},
      {.name = "out",
       .kind = OPTION_STRING,
       .value = &r.out,
       .argument = "FILE.onnx",
       .required = true,
       .help = "the ONNX file"},
      {.name = "part",
       .kind = OPTION_CHOICE,
       .value = &r.part,
       .choices = parts,
       .help = "encoder: images to mu and logvar; decoder: z to reconstructions; both: images to all three, with z = "
               "mu"},
      {.name = "opset",
       .kind = OPTION_INT,
       .value = &r.opset,
       .min = FOVEA_ONNX_OLDEST,
       .max = FOVEA_ONNX_NEWEST,
       .help = "version of ONNX's operators: as old as what reads the file"},
      {.name = "fold-bn",
       .kind = OPTION_FLAG,
       .value = &r.fold,
       .help = "fold batch normalizations into the layers before them"},
      json_option(&r.json)};
  const command_line line = {
      .usage = "fovea export --run RUN --out FILE.onnx [options]",
      .summary = "Writes a trained network as ONNX, for ONNX Runtime, OpenVINO and others. No device is used.",
      .options = options,
      .count = sizeof options / sizeof *options};
  fovea_status status = command_begin(&line, argc, argv, &done);
  if (status != FOVEA_OK) return command_fail(status);
  if (done) return FOVEA_OK;
  status = json_check("--out", r.out);
  if (status == FOVEA_OK) status = export(&r);
  return status != FOVEA_OK ? command_fail(status) : FOVEA_OK;
}

const command command_export = {"export", "write a trained network as ONNX", run};
