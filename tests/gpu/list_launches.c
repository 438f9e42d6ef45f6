/* list_launches [OPTION...] OUT: every launch of a training step, or of an evaluation, as a plan has it for a GPU that
 * is not here: a line of tab-separated values each, the first the columns' names. No OpenCL device is needed and no
 * memory of one taken (null_opencl.h), whatever the batch.
 *
 *   --batch N,N...      [64]; all in one file
 *   --evaluation        in place of a training step
 *   --small             the small network of the tests; default: the seed network
 *   --arch N,N... --depth N --latent N --image CxHxW --attention none|spatial|channel|cbam --no-batchnorm --dropout R
 *   --group N           the most work-items of a work-group [256]
 *   --local-memory N    bytes [32768]
 *   --units N           compute units [132]
 *   --memory N          MiB of the device [a TiB]
 *   --corrects-division the device does not divide correctly by itself */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "fovea/vae.h"
#include "null_opencl.h"
#include "plan/internal.h"
#include "runtime/program.h"

enum { MOST_BATCHES = 8 };

typedef struct asked {
  fovea_vae_config config;
  int batches[MOST_BATCHES], batch_count;
  bool evaluation;
  null_device device;
  const char *out;
} asked;

/* --- options ------------------------------------------------------------------------------------------------------ */

static int read_numbers(const char *text, char separator, int *numbers, int most) {
  int count = 0;
  for (char *end; count < most; text = end + 1) {
    const long value = strtol(text, &end, 10);
    if (end == text || value < 1 || value > 1 << 20 || (*end && *end != separator)) return 0;
    numbers[count++] = (int)value;
    if (!*end) return count;
  }
  return 0;
}

static int read_number(const char *text) {
  int number = 0;
  return read_numbers(text, '\0', &number, 1) == 1 ? number : 0;
}

static void take_small(fovea_vae_config *c) {
  const int units[] = {8, 6, 4, 2};
  memcpy(c->units, units, sizeof units);
  c->unit_count = 4, c->depth = 1;
}

static bool take_attention(const char *text, fovea_attention *attention) {
  static const char *const names[] = {"none", "spatial", "channel", "cbam"};
  for (int i = 0; i < 4; i++)
    if (strcmp(text, names[i]) == 0) return *attention = (fovea_attention)i, true;
  return false;
}

static bool take(int option, const char *value, asked *a) {
  fovea_vae_config *c = &a->config;
  int image[3];
  switch (option) {
    case 'b':
      return (a->batch_count = read_numbers(value, ',', a->batches, MOST_BATCHES)) > 0;
    case 'e':
      return a->evaluation = true;
    case 's':
      return take_small(c), true;
    case 'a':
      return (c->unit_count = read_numbers(value, ',', c->units, FOVEA_MAX_UNITS)) > 1;
    case 'd':
      return (c->depth = read_number(value)) > 0;
    case 'l':
      return (c->latent = read_number(value)) > 0;
    case 't':
      return take_attention(value, &c->attention);
    case 'n':
      return c->batchnorm = false, true;
    case 'r':
      return c->dropout = strtod(value, NULL), true;
    case 'g':
      return (a->device.max_work_group_size = (size_t)read_number(value)) > 0;
    case 'm':
      return (a->device.local_memory = (size_t)read_number(value)) > 0;
    case 'u':
      return (a->device.compute_units = (unsigned)read_number(value)) > 0;
    case 'y':
      return (a->device.memory = (size_t)read_number(value) << 20) > 0;
    case 'c':
      return a->device.divides_correctly = false, true;
    case 'i':
      if (read_numbers(value, 'x', image, 3) != 3) return false;
      c->channels = image[0], c->height = image[1], c->width = image[2];
      return true;
    default:
      return false;
  }
}

static bool read_options(int argc, char **argv, asked *a) {
  static const struct option options[] = {{"batch", 1, NULL, 'b'},
                                          {"evaluation", 0, NULL, 'e'},
                                          {"small", 0, NULL, 's'},
                                          {"arch", 1, NULL, 'a'},
                                          {"depth", 1, NULL, 'd'},
                                          {"latent", 1, NULL, 'l'},
                                          {"image", 1, NULL, 'i'},
                                          {"attention", 1, NULL, 't'},
                                          {"no-batchnorm", 0, NULL, 'n'},
                                          {"dropout", 1, NULL, 'r'},
                                          {"group", 1, NULL, 'g'},
                                          {"local-memory", 1, NULL, 'm'},
                                          {"units", 1, NULL, 'u'},
                                          {"memory", 1, NULL, 'y'},
                                          {"corrects-division", 0, NULL, 'c'},
                                          {0}};
  for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;)
    if (!take(option, optarg, a)) return false;
  a->out = optind + 1 == argc ? argv[optind] : NULL;
  return a->out != NULL;
}

/* --- a launch ----------------------------------------------------------------------------------------------------- */

/* The node whose pass recorded it; NULL: the pass's end, the optimizer. */
static const fovea_node *node_of(const fovea_plan *plan, int index, const char **pass) {
  for (int i = 0; i < plan->graph->count; i++) {
    const node_plan *p = &plan->nodes[i];
    const bool backward = index >= p->first_backward && index < p->last_backward;
    *pass = backward ? "backward" : "forward";
    if (backward || (index >= p->first_record && index < p->last_record)) return &plan->graph->nodes[i];
  }
  *pass = index + 1 == plan->record_count ? "optimizer" : "end";
  return NULL;
}

/* t and the numbers of a multi-tensor launch's table. */
static void print_table(FILE *out, const fovea_plan *plan, const fovea_record *r) {
  size_t count = 0;
  int *table = fovea_plan_table(plan, r, &count);
  for (size_t i = 0; table && i < count; i++) fprintf(out, "%s%d", i ? "," : "t", table[i]);
  free(table);
}

/* What kernels take in their order: v an offset (two arguments, pointer and ulong), b a buffer, and the numbers. */
static void print_arguments(FILE *out, const fovea_plan *plan, const fovea_record *r) {
  for (int i = 0; i < r->argument_count; i++) {
    const argument *a = &r->arguments[i];
    fprintf(out, "%s%s:", i ? " " : "", a->what);
    if (a->kind == ARGUMENT_VIEW) fprintf(out, "v");
    if (a->kind == ARGUMENT_BUFFER) fprintf(out, "b");
    if (a->kind == ARGUMENT_TABLE) print_table(out, plan, r);
    if (a->kind == ARGUMENT_INT) fprintf(out, "i%d", a->i);
    if (a->kind == ARGUMENT_UINT) fprintf(out, "u%u", (unsigned)a->u);
    if (a->kind == ARGUMENT_FLOAT) fprintf(out, "f%g", (double)a->f);
  }
}

static void print_launch(FILE *out, const fovea_plan *plan, int index) {
  const fovea_record *r = plan->records[index];
  const fovea_launch_shape shape = fovea_launch_get_shape(r->launch);
  const bool fill = r->kind == RECORD_ZERO || r->kind == RECORD_COPY;
  const char *pass, *file = fill ? "fill.cl" : r->file;
  const fovea_node *node = node_of(plan, index, &pass);
  char options[512];
  fovea_program_options(plan->device, r->options, options, sizeof options);
  fprintf(out, "%d\t%d\t%s\t%s\t%s\t%d\t%s\t%s\t%s\t", plan->batch, index, fovea_launch_name(r->launch),
          node ? node->op->name : "-", node && node->name[0] ? node->name : "-", node ? node->conv.kernel : 0, pass,
          file, options);
  print_arguments(out, plan, r);
  double bytes = r->bytes;
  if (fill) bytes = (r->kind == RECORD_ZERO ? 4.0 : 8.0) * (double)plan->storages[r->arguments[0].view.storage].size;
  fprintf(out, "\t%zu\t%zu\t%zu\t%zu\t%zu\t%zu\t%.0f\t%.0f\t%.0f\t%d\t%d\n", shape.global[0], shape.global[1],
          shape.global[2], shape.local[0], shape.local[1], shape.local[2], r->flops,
          r->products > 0 ? r->products : r->flops / 2, bytes, r->group, r->prepacks);
}

/* The plan of each pass as the network makes it: the linker's --wrap. */
static const fovea_plan *plans[2]; /* [training] */

fovea_status __real_fovea_plan_create(fovea_device *device, const fovea_graph *graph, int batch, bool training,
                                      const fovea_resources *resources, fovea_plan **plan);
fovea_status __wrap_fovea_plan_create(fovea_device *device, const fovea_graph *graph, int batch, bool training,
                                      const fovea_resources *resources, fovea_plan **plan);

fovea_status __wrap_fovea_plan_create(fovea_device *device, const fovea_graph *graph, int batch, bool training,
                                      const fovea_resources *resources, fovea_plan **plan) {
  const fovea_status status = __real_fovea_plan_create(device, graph, batch, training, resources, plan);
  plans[training] = status == FOVEA_OK ? *plan : NULL;
  return status;
}

static fovea_status list(fovea_device *device, const asked *a, int batch, FILE *out) {
  fovea_vae *vae = NULL;
  fovea_vae_config config = a->config;
  config.batch = batch;
  fovea_status status = fovea_vae_create(device, &config, !a->evaluation, &vae);
  if (status == FOVEA_OK) {
    const fovea_plan *plan = plans[!a->evaluation];
    for (int i = 0; i < plan->record_count; i++) print_launch(out, plan, i);
  }
  fovea_vae_destroy(vae);
  return status;
}

int main(int argc, char **argv) {
  asked a = {.config = fovea_vae_default(), .batches = {64}, .batch_count = 1};
  a.device = (null_device){
      .max_work_group_size = 256, .local_memory = 32 << 10, .compute_units = 132, .divides_correctly = true};
  if (!read_options(argc, argv, &a)) {
    fprintf(stderr, "usage: list_launches [OPTION...] OUT: the head of list_launches.c has the options\n");
    return 2;
  }
  setenv("XDG_CACHE_HOME", "/dev/null", 1); /* no tile that was measured here */
  setenv("FOVEA_BLAS", "builtin", 1);
  setenv("FOVEA_QUEUES", "2", 1); /* so that records say what only the optimizer waits for */
  unsetenv("FOVEA_VECTOR");
  null_opencl_set(&a.device);
  FILE *out = fopen(a.out, "w");
  fovea_device *device = NULL;
  fovea_status status = out ? fovea_device_open("gpu", &device) : fovea_fail(FOVEA_IO, "cannot write %s", a.out);
  if (status == FOVEA_OK)
    fprintf(
        out,
        "batch\tnumber\tkernel\top\tlayer\ttaps\tpass\tfile\toptions\targuments\tglobal0\tglobal1\tglobal2\tlocal0\t"
        "local1\tlocal2\tflops\tproducts\tbytes\tside\tprepacks\n");
  for (int i = 0; i < a.batch_count && status == FOVEA_OK; i++) status = list(device, &a, a.batches[i], out);
  fovea_device_close(device);
  if (out && fclose(out) != 0 && status == FOVEA_OK) status = fovea_fail(FOVEA_IO, "cannot write %s", a.out);
  if (status != FOVEA_OK) fprintf(stderr, "list_launches: %s\n", fovea_error_message());
  return status == FOVEA_OK ? 0 : 1;
}
