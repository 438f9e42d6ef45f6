/* Every argument of every public function: NULL for each pointer in turn, and values that are out of range. What the
 * functions are, and which of their arguments are pointers, is read from the headers, so that none is forgotten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <limits.h>
#include <math.h>

#include "fovea/fovea.h"
#include "graph/op.h"
#include "support/device.h"
#include "support/headers.h"
#include "support/tempdir.h"
#include "support/tiny.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* --- good arguments ------------------------------------------------------------------------------------------- */

enum { SIDE = 4, BATCH = 2, LATENT = 2 };

static fovea_vae *vae;
static fovea_graph *graph; /* a fresh one for each call, of an input of SIDE x SIDE and `units`, two of them */
static fovea_tensor units;
static fovea_table *table;
static fovea_design *design;
static fovea_ols *ols, *centred; /* centred: with a constant, as an analysis takes it */
static fovea_design *with_constant;
static fovea_analysis *analysis;
static fovea_safetensors *file;
static char csv[1024], tensors_path[1024], checkpoint[1024], network_path[1024], written[1024];
static uint8_t pixels[BATCH * SIDE * SIDE];
static float floats[4096]; /* as many as any tensor here has */
static fovea_dataset data = {.count = BATCH, .channels = 1, .height = SIDE, .width = SIDE, .pixels = pixels};
static const fovea_safetensor tensor = {.name = "w", .dtype = "F32", .rank = 1, .dims = {2}, .data = floats};
static const fovea_safetensor_text text = {"key", "value"};
static const fovea_conv2d conv = {.filters = 2, .kernel = 3, .stride = 1, .same = true};
static const fovea_network_options options = {.batch = BATCH, .seed = 1};

static int set_up(void **state) {
  static const char rows[] = "a,b\n1,2\n2,3\n3,5\n4,4\n";
  if (open_device(state)) return -1;
  const fovea_vae_config config = tiny_config(SIDE, BATCH);
  OK(fovea_vae_create(device, &config, true, &vae));
  tiny_pixels(pixels, sizeof pixels);
  snprintf(csv, sizeof csv, "%s", temp_file("table.csv", rows, sizeof rows - 1));
  snprintf(tensors_path, sizeof tensors_path, "%s", temp_path("tensors.safetensors"));
  snprintf(checkpoint, sizeof checkpoint, "%s", temp_path("checkpoint.safetensors"));
  snprintf(written, sizeof written, "%s", temp_path("written.safetensors"));
  OK(fovea_table_read(csv, &table));
  OK(fovea_design_from_table(table, NULL, &design));
  OK(fovea_ols_fit(design->y, design->x, design->n, design->k, "y", (const char *const *)design->names, &ols));
  OK(fovea_design_from_table(table, &(fovea_design_options){.constant = true}, &with_constant));
  OK(fovea_ols_fit_design(with_constant, NULL, &centred));
  OK(fovea_analyze(with_constant, centred, NULL, &analysis));
  OK(fovea_safetensors_write(tensors_path, &tensor, 1, &text, 1));
  OK(fovea_safetensors_open(tensors_path, &file));
  snprintf(network_path, sizeof network_path, "%s", temp_path("network.safetensors"));
  OK(fovea_network_save(vae->network, network_path));
  OK(fovea_vae_save(vae, checkpoint, &(fovea_training_state){0}, NULL));
  return 0;
}

static int tear_down(void **state) {
  fovea_safetensors_close(file);
  fovea_analysis_destroy(analysis);
  fovea_ols_destroy(centred);
  fovea_design_destroy(with_constant);
  fovea_ols_destroy(ols);
  fovea_design_destroy(design);
  fovea_table_destroy(table);
  fovea_vae_destroy(vae);
  return close_device(state);
}

static void start_graph(void) {
  OK(fovea_graph_create(&graph));
  units = fovea_add_dense(graph, fovea_add_input(graph, 1, SIDE, SIDE), "units", 2, true);
  assert_int_equal(units, 1);
}

static void end_graph(void) {
  fovea_graph_destroy(graph);
  graph = NULL;
}

/* --- a call of each function, with the pointer number `nulled` NULL --------------------------------------------- */

static int nulled;

#define ARG(number, pointer) (nulled == (number) ? NULL : (pointer))
/* What a call without a status comes to, given whether its answer is the harmless one. */
#define ANSWER(harmless) ((harmless) ? FOVEA_INVALID : FOVEA_OK)

#define NODE(call) ANSWER((call) == -1)
static fovea_status call_add_activation(void) { return NODE(fovea_add_activation(ARG(0, graph), units, FOVEA_ELU)); }
static fovea_status call_add_batchnorm(void) {
  return NODE(fovea_add_batchnorm(ARG(0, graph), units, ARG(1, "bn"), 0.9f, 1e-3f));
}
static fovea_status call_add_channel_attention(void) {
  return NODE(fovea_add_channel_attention(ARG(0, graph), 0, ARG(1, "a")));
}
static fovea_status call_add_concat(void) { return NODE(fovea_add_concat(ARG(0, graph), 0, 0)); }
static fovea_status call_add_conv2d(void) {
  return NODE(fovea_add_conv2d(ARG(0, graph), 0, ARG(1, "c"), ARG(2, &conv)));
}
static fovea_status call_add_conv2d_transpose(void) {
  return NODE(fovea_add_conv2d_transpose(ARG(0, graph), 0, ARG(1, "c"), ARG(2, &conv)));
}
static fovea_status call_add_conv2d_transpose_sized(void) {
  return NODE(fovea_add_conv2d_transpose_sized(ARG(0, graph), 0, ARG(1, "c"), ARG(2, &conv), 0, 0));
}
static fovea_status call_add_dense(void) { return NODE(fovea_add_dense(ARG(0, graph), 0, ARG(1, "d"), 2, true)); }
static fovea_status call_add_dropout(void) { return NODE(fovea_add_dropout(ARG(0, graph), units, 0.5)); }
static fovea_status call_add_input(void) {
  fovea_graph *empty = NULL;
  OK(fovea_graph_create(&empty));
  const fovea_status status = NODE(fovea_add_input(ARG(0, empty), 1, 2, 2));
  fovea_graph_destroy(empty);
  return status;
}
static fovea_status call_add_reparameterize(void) {
  return NODE(fovea_add_reparameterize(ARG(0, graph), units, units, 0.1f));
}
static fovea_status call_add_reshape(void) { return NODE(fovea_add_reshape(ARG(0, graph), units, 2, 1, 1)); }
static fovea_status call_add_sigmoid_bce(void) { return NODE(fovea_add_sigmoid_bce(ARG(0, graph), 0)); }
static fovea_status call_add_spatial_attention(void) {
  return NODE(fovea_add_spatial_attention(ARG(0, graph), 0, ARG(1, "a")));
}

static fovea_status call_activation_name(void) {
  return fovea_activation_name(FOVEA_ELU) && !fovea_activation_name((fovea_activation)-1) &&
                 !fovea_activation_name((fovea_activation)FOVEA_ACTIVATION_COUNT)
             ? FOVEA_OK
             : FOVEA_INVALID;
}

static fovea_status call_analysis_destroy(void) { return fovea_analysis_destroy(NULL), FOVEA_INVALID; }
static fovea_status call_analysis_json(void) {
  char *made = NULL;
  const fovea_status status = fovea_analysis_json(ARG(0, analysis), ARG(1, centred), ARG(2, &made));
  fovea_free(made);
  return status;
}
static fovea_status call_analysis_text(void) {
  char *made = NULL;
  const fovea_status status = fovea_analysis_text(ARG(0, analysis), ARG(1, centred), ARG(2, &made));
  fovea_free(made);
  return status;
}
static fovea_status call_analyze(void) {
  fovea_analysis *made = NULL;
  const fovea_analysis_options none = {0};
  const fovea_status status = fovea_analyze(ARG(0, with_constant), ARG(1, centred), ARG(2, &none), ARG(3, &made));
  fovea_analysis_destroy(made);
  return status;
}
static fovea_status call_cache_set_folder(void) { return fovea_cache_set_folder(ARG(0, "")); }
static fovea_status call_dataset_destroy(void) { return fovea_dataset_destroy(NULL), FOVEA_INVALID; }
static fovea_status call_dataset_hash(void) {
  uint64_t hash;
  return fovea_dataset_hash(ARG(0, &data), ARG(1, &hash));
}
static fovea_status call_dataset_load(void) {
  fovea_dataset *loaded = NULL;
  const fovea_status status = fovea_dataset_load(ARG(0, "no such folder"), ARG(1, "train"), 1, ARG(2, &loaded));
  return status == FOVEA_IO ? FOVEA_OK : status;
}
static fovea_status call_dataset_load_as(void) {
  fovea_dataset *loaded = NULL;
  const fovea_load_options none = {0};
  const fovea_status status =
      fovea_dataset_load_as(ARG(0, "no such folder"), ARG(1, "train"), ARG(2, &none), ARG(3, &loaded));
  return status == FOVEA_IO ? FOVEA_OK : status;
}
static fovea_status call_dataset_read(void) {
  uint8_t read[SIDE * SIDE];
  const uint32_t first = 0;
  return fovea_dataset_read(ARG(0, &data), ARG(1, &first), 1, ARG(2, read));
}
static fovea_status call_dataset_sample(void) {
  const uint16_t labels[] = {0, 1, 1};
  uint32_t index[2];
  return fovea_dataset_sample(ARG(0, labels), 3, 2, ARG(1, index));
}
static fovea_status call_design_destroy(void) { return fovea_design_destroy(NULL), FOVEA_INVALID; }
static fovea_status call_design_from_table(void) {
  fovea_design *made = NULL;
  const fovea_design_options none = {0};
  const fovea_status status = fovea_design_from_table(ARG(0, table), ARG(1, &none), ARG(2, &made));
  fovea_design_destroy(made);
  return status;
}
static fovea_status call_device_close(void) { return fovea_device_close(NULL), FOVEA_INVALID; }
static fovea_status call_device_finish(void) { return fovea_device_finish(ARG(0, device)); }
static fovea_status call_device_get_info(void) { return ANSWER(!fovea_device_get_info(ARG(0, device))); }
static fovea_status call_device_list(void) {
  fovea_device_info *list = NULL;
  size_t count = 0;
  const fovea_status status = fovea_device_list(ARG(0, &list), ARG(1, &count));
  fovea_free(list);
  return status;
}
static fovea_status call_device_open(void) {
  fovea_device *opened = NULL;
  const fovea_status status = fovea_device_open(ARG(0, ""), ARG(1, &opened));
  fovea_device_close(opened);
  return status;
}
static void say(void *user, const char *line) { (void)user, (void)line; }
static fovea_status call_device_tell(void) {
  fovea_device_tell(ARG(0, device), ARG(1, say), ARG(2, device));
  fovea_device_tell(device, NULL, NULL);
  return ANSWER(nulled == 0);
}
static fovea_status call_version(void) { return strcmp(fovea_version(), FOVEA_VERSION) ? FOVEA_INVALID : FOVEA_OK; }

static fovea_status call_error_message(void) { return fovea_error_message() ? FOVEA_OK : FOVEA_INVALID; }
static fovea_status call_free(void) { return fovea_free(NULL), FOVEA_INVALID; }
static fovea_status call_graph_check(void) { return fovea_graph_check(ARG(0, graph)); }
static fovea_status call_graph_create(void) {
  fovea_graph *made = NULL;
  const fovea_status status = fovea_graph_create(ARG(0, &made));
  fovea_graph_destroy(made);
  return status;
}
static fovea_status call_graph_load(void) {
  fovea_graph *made = NULL;
  const fovea_status status = fovea_graph_load(ARG(0, network_path), ARG(1, &made));
  fovea_graph_destroy(made);
  return status;
}
static fovea_status call_graph_keep(void) { return fovea_graph_keep(ARG(0, graph), units); }
static fovea_status call_graph_destroy(void) { return fovea_graph_destroy(NULL), FOVEA_INVALID; }

#define NETWORK(number) ARG(number, vae->network)
static fovea_status call_network_augment(void) {
  const fovea_numbering numbering = {NULL, 0};
  return fovea_network_augment(NETWORK(0), ARG(1, pixels), ARG(2, ((const uint32_t[BATCH]){1, 0})), ARG(3, &numbering),
                               BATCH, ARG(4, floats));
}
static fovea_status call_network_blas(void) { return ANSWER(!*fovea_network_blas(NETWORK(0))); }
static fovea_status call_network_create(void) {
  fovea_network *made = NULL;
  const fovea_status status = fovea_network_create(ARG(0, device), ARG(1, graph), ARG(2, &options), ARG(3, &made));
  fovea_network_destroy(made);
  return status;
}
static fovea_status call_network_destroy(void) { return fovea_network_destroy(NULL), FOVEA_INVALID; }
static fovea_status call_network_evaluate(void) {
  return fovea_network_evaluate(NETWORK(0), ARG(1, pixels), ARG(2, ((const uint32_t[BATCH]){1, 0})), BATCH, 0);
}
static fovea_status call_network_evaluate_from(void) {
  return fovea_network_evaluate_from(NETWORK(0), vae->z, ARG(1, floats), BATCH);
}
static fovea_status call_network_traffic(void) {
  size_t meetings, bytes;
  return fovea_network_traffic(NETWORK(0), ARG(1, &meetings), ARG(2, &bytes));
}
static fovea_status call_ranks_part(void) {
  const fovea_ranks alone = {.count = 1};
  size_t first, count;
  return fovea_ranks_part(ARG(0, &alone), 32, 17, ARG(1, &first), ARG(2, &count));
}
static fovea_status call_network_get(void) { return fovea_network_get(NETWORK(0), 1, FOVEA_VALUE, ARG(1, floats)); }
static fovea_status call_network_get_options(void) { return ANSWER(!fovea_network_get_options(NETWORK(0))); }
static fovea_status call_network_input(void) { return NODE(fovea_network_input(NETWORK(0))); }
static fovea_status call_network_output(void) { return NODE(fovea_network_output(NETWORK(0))); }
static fovea_status call_network_keeps(void) { return ANSWER(!fovea_network_keeps(NETWORK(0), vae->z)); }
static fovea_status call_network_get_step(void) {
  OK(fovea_network_set_step(vae->network, 7));
  return ANSWER(fovea_network_get_step(NETWORK(0)) == 0);
}
static fovea_status call_network_load(void) {
  fovea_graph *made_graph = NULL;
  fovea_network *made = NULL;
  const fovea_status status =
      fovea_network_load(ARG(0, device), ARG(1, network_path), ARG(2, &options), ARG(3, &made_graph), ARG(4, &made));
  fovea_network_destroy(made);
  fovea_graph_destroy(made_graph);
  return status;
}
/* A build without the export refuses what is good, too. */
static fovea_status if_built_in(fovea_status status, const void *a, const void *b) {
  return a && b && !fovea_onnx_built_in() && status == FOVEA_INVALID ? FOVEA_OK : status;
}
static fovea_status call_network_export_onnx(void) {
  const fovea_onnx_options asked = {.opset = 13};
  fovea_onnx_summary made;
  fovea_network *net = NETWORK(0);
  const char *to = ARG(1, written);
  return if_built_in(fovea_network_export_onnx(net, to, ARG(2, &asked), ARG(3, &made)), net, to);
}
static fovea_status call_onnx_built_in(void) {
  fovea_onnx_built_in();
  return FOVEA_OK;
}
static fovea_status call_onnx_export(void) {
  const fovea_onnx_options asked = {.fold_batchnorm = true};
  fovea_onnx_summary made;
  const char *from = ARG(0, network_path), *to = ARG(1, written);
  return if_built_in(fovea_onnx_export(from, to, ARG(2, &asked), ARG(3, &made)), from, to);
}
static fovea_status call_network_save(void) { return fovea_network_save(NETWORK(0), ARG(1, written)); }
static fovea_status call_network_losses(void) {
  fovea_losses losses;
  return fovea_network_losses(NETWORK(0), ARG(1, &losses));
}
static fovea_status call_network_memory(void) { return ANSWER(fovea_network_memory(NETWORK(0)) == 0); }
static fovea_status call_network_parameter(void) { return ANSWER(!fovea_network_parameter(NETWORK(0), 0)); }
static fovea_status call_network_parameter_count(void) {
  return ANSWER(fovea_network_parameter_count(NETWORK(0)) == 0);
}
static fovea_status call_network_read(void) {
  OK(fovea_network_evaluate(vae->network, pixels, NULL, BATCH, 0));
  return fovea_network_read(NETWORK(0), vae->reconstruction, BATCH, ARG(1, floats));
}
static fovea_status call_network_set(void) {
  OK(fovea_network_get(vae->network, 1, FOVEA_VALUE, floats));
  return fovea_network_set(NETWORK(0), 1, FOVEA_VALUE, ARG(1, floats));
}
static fovea_status call_network_set_step(void) { return fovea_network_set_step(NETWORK(0), 1); }
static fovea_status call_network_train_numbered(void) {
  const fovea_numbering numbering = {NULL, 0};
  return fovea_network_train_numbered(NETWORK(0), ARG(1, pixels), ARG(2, ((const uint32_t[BATCH]){1, 0})),
                                      ARG(3, &numbering), BATCH, 0.0f);
}
static fovea_status call_network_train_step(void) {
  return fovea_network_train_step(NETWORK(0), ARG(1, pixels), ARG(2, ((const uint32_t[BATCH]){1, 0})), BATCH, 0.0f);
}

static fovea_status call_ols_destroy(void) { return fovea_ols_destroy(NULL), FOVEA_INVALID; }
static fovea_status call_ols_fit(void) {
  static const char *const names[] = {"a"};
  fovea_ols *made = NULL;
  const fovea_status status =
      fovea_ols_fit(ARG(0, design->y), ARG(1, design->x), design->n, 1, ARG(2, "y"), ARG(3, names), ARG(4, &made));
  fovea_ols_destroy(made);
  return status;
}
static fovea_status call_ols_fit_design(void) {
  fovea_ols *made = NULL;
  const fovea_ols_options usual = {.alpha = 0.1};
  const fovea_status status = fovea_ols_fit_design(ARG(0, design), ARG(1, &usual), ARG(2, &made));
  fovea_ols_destroy(made);
  return status;
}
static fovea_status call_ols_json(void) {
  char *made = NULL;
  const fovea_status status = fovea_ols_json(ARG(0, ols), ARG(1, &made));
  fovea_free(made);
  return status;
}
static fovea_status call_ols_summary(void) {
  char *made = NULL;
  const fovea_status status = fovea_ols_summary(ARG(0, ols), ARG(1, &made));
  fovea_free(made);
  return status;
}
static fovea_status call_profile_begin(void) { return fovea_profile_begin(ARG(0, device)); }
static fovea_status call_profile_end(void) {
  fovea_profile_row *rows = NULL;
  size_t count = 0;
  OK(fovea_profile_begin(device));
  const fovea_status status = fovea_profile_end(ARG(0, device), ARG(1, &rows), ARG(2, &count));
  if (status) OK(fovea_profile_end(device, &rows, &count));
  fovea_free(rows);
  return status;
}

static fovea_status call_safetensors_close(void) { return fovea_safetensors_close(NULL), FOVEA_INVALID; }
static fovea_status call_safetensors_count(void) { return ANSWER(fovea_safetensors_count(ARG(0, file)) == 0); }
static fovea_status call_safetensors_find(void) {
  const fovea_safetensor *found = NULL;
  return fovea_safetensors_find(ARG(0, file), ARG(1, "w"), ARG(2, &found));
}
static fovea_status call_safetensors_get(void) { return ANSWER(!fovea_safetensors_get(ARG(0, file), 0)); }
static fovea_status call_safetensors_metadata(void) {
  return ANSWER(!fovea_safetensors_metadata(ARG(0, file), ARG(1, "key")));
}
static fovea_status call_safetensors_open(void) {
  fovea_safetensors *opened = NULL;
  const fovea_status status = fovea_safetensors_open(ARG(0, tensors_path), ARG(1, &opened));
  fovea_safetensors_close(opened);
  return status;
}
static fovea_status call_safetensors_write(void) {
  return fovea_safetensors_write(ARG(0, written), ARG(1, &tensor), 1, ARG(2, &text), 1);
}
static fovea_status call_table_destroy(void) { return fovea_table_destroy(NULL), FOVEA_INVALID; }
static fovea_status call_table_is_sweep(void) {
  fovea_table_is_sweep(table); /* false for this one as for NULL */
  return fovea_table_is_sweep(ARG(0, table)) ? FOVEA_IO : ANSWER(nulled == 0);
}
static fovea_status call_table_create(void) {
  static const char *const names[] = {"a", "b"}, *const cells[] = {"1", "2", "3", "5"};
  fovea_table *made = NULL;
  const fovea_status status = fovea_table_create(ARG(0, names), 2, ARG(1, cells), 2, ARG(2, &made));
  fovea_table_destroy(made);
  return status;
}
static fovea_status call_table_read(void) {
  fovea_table *made = NULL;
  const fovea_status status = fovea_table_read(ARG(0, csv), ARG(1, &made));
  fovea_table_destroy(made);
  return status;
}
static fovea_status call_table_read_as(void) {
  fovea_table *made = NULL;
  const fovea_status status = fovea_table_read_as(ARG(0, csv), ARG(1, &(fovea_table_options){0}), ARG(2, &made));
  fovea_table_destroy(made);
  return status;
}
static fovea_status call_tensor_shape(void) {
  int dims[3];
  return fovea_tensor_shape(ARG(0, graph), units, ARG(1, dims));
}

static fovea_status call_vae_check(void) {
  const fovea_vae_config config = tiny_config(SIDE, BATCH);
  return fovea_vae_check(ARG(0, &config));
}
static fovea_status call_vae_create(void) {
  fovea_vae *made = NULL;
  const fovea_vae_config config = tiny_config(SIDE, BATCH);
  const fovea_status status = fovea_vae_create(ARG(0, device), ARG(1, &config), false, ARG(2, &made));
  fovea_vae_destroy(made);
  return status;
}
static fovea_status call_vae_decode(void) {
  const float z[BATCH * LATENT] = {0};
  return fovea_vae_decode(ARG(0, vae), ARG(1, z), BATCH, ARG(2, floats));
}
static fovea_status call_vae_default(void) { return fovea_vae_default().latent == LATENT ? FOVEA_OK : FOVEA_INVALID; }
static fovea_status call_vae_destroy(void) { return fovea_vae_destroy(NULL), FOVEA_INVALID; }
static fovea_status call_vae_encode(void) {
  return fovea_vae_encode(ARG(0, vae), ARG(1, pixels), BATCH, ARG(2, floats));
}
static fovea_status call_vae_evaluate(void) {
  fovea_losses losses;
  return fovea_vae_evaluate(ARG(0, vae), ARG(1, &data), ARG(2, &losses));
}
static fovea_status call_vae_image_size(void) { return ANSWER(fovea_vae_image_size(ARG(0, vae)) == 0); }
static fovea_status call_vae_learning_rate(void) {
  return fovea_vae_learning_rate(1, 1, 1, 0) == 1 ? FOVEA_OK : FOVEA_INVALID;
}
static fovea_status call_vae_load(void) {
  fovea_training_state state;
  return fovea_vae_load(ARG(0, vae), ARG(1, checkpoint), ARG(2, &state));
}
static fovea_status call_vae_parameter_count(void) { return ANSWER(fovea_vae_parameter_count(ARG(0, vae)) == 0); }
static fovea_status call_vae_reconstruct(void) {
  const fovea_codes none = {NULL, NULL, NULL};
  return fovea_vae_reconstruct(ARG(0, vae), ARG(1, pixels), BATCH, FOVEA_LATENT_MEAN, ARG(2, &none), ARG(3, floats));
}
static fovea_status call_vae_save(void) {
  const fovea_training_state state = {0};
  return fovea_vae_save(ARG(0, vae), ARG(1, written), ARG(2, &state), ARG(3, "{}"));
}
static fovea_status call_vae_train_epoch(void) {
  fovea_epoch epoch = {.epochs = 1, .lr = 0.001, .min_lr = 0.0001};
  return fovea_vae_train_epoch(ARG(0, vae), ARG(1, &data), ARG(2, &epoch));
}

/* Nothing but what a function does not mind: a destroy. */
#define DESTROY(function) \
  { "fovea_" #function, call_##function, 0, true }
#define CALL(function) \
  { "fovea_" #function, call_##function, 0, false }
/* `optional`: bits of the pointers that may be NULL. */
#define OPTIONAL(function, optional) \
  { "fovea_" #function, call_##function, optional, false }
static const struct {
  const char *name;
  fovea_status (*call)(void);
  unsigned optional;
  bool only_null; /* it is called with NULL alone */
} calls[] = {CALL(activation_name),
             CALL(add_activation),
             CALL(add_batchnorm),
             CALL(add_channel_attention),
             CALL(add_concat),
             CALL(add_conv2d),
             CALL(add_conv2d_transpose),
             CALL(add_conv2d_transpose_sized),
             CALL(add_dense),
             CALL(add_dropout),
             CALL(add_input),
             CALL(add_reparameterize),
             CALL(add_reshape),
             CALL(add_sigmoid_bce),
             CALL(add_spatial_attention),
             DESTROY(analysis_destroy),
             CALL(analysis_json),
             CALL(analysis_text),
             OPTIONAL(analyze, 1u << 2),
             OPTIONAL(cache_set_folder, 1u << 0),
             DESTROY(dataset_destroy),
             CALL(dataset_hash),
             CALL(dataset_load),
             OPTIONAL(dataset_load_as, 1u << 2),
             OPTIONAL(dataset_read, 1u << 1),
             OPTIONAL(dataset_sample, 1u << 0),
             DESTROY(design_destroy),
             OPTIONAL(design_from_table, 1u << 1),
             DESTROY(device_close),
             CALL(device_finish),
             CALL(device_get_info),
             CALL(device_list),
             OPTIONAL(device_open, 1u << 0),
             OPTIONAL(device_tell, 1u << 1 | 1u << 2),
             CALL(error_message),
             DESTROY(free),
             CALL(graph_check),
             CALL(graph_create),
             DESTROY(graph_destroy),
             CALL(graph_keep),
             CALL(graph_load),
             OPTIONAL(network_augment, 1u << 2 | 1u << 3),
             CALL(network_blas),
             CALL(network_create),
             DESTROY(network_destroy),
             OPTIONAL(network_evaluate, 1u << 2),
             CALL(network_evaluate_from),
             OPTIONAL(network_export_onnx, 1u << 2 | 1u << 3),
             CALL(network_get),
             CALL(network_get_options),
             CALL(network_get_step),
             CALL(network_input),
             CALL(network_keeps),
             OPTIONAL(network_load, 1u << 2),
             CALL(network_losses),
             CALL(network_memory),
             CALL(network_output),
             CALL(network_parameter),
             CALL(network_parameter_count),
             CALL(network_read),
             CALL(network_save),
             CALL(network_set),
             CALL(network_set_step),
             OPTIONAL(network_train_numbered, 1u << 2 | 1u << 3),
             OPTIONAL(network_train_step, 1u << 2),
             CALL(network_traffic),
             DESTROY(ols_destroy),
             CALL(ols_fit),
             OPTIONAL(ols_fit_design, 1u << 1),
             CALL(ols_json),
             CALL(ols_summary),
             CALL(onnx_built_in),
             OPTIONAL(onnx_export, 1u << 2 | 1u << 3),
             CALL(profile_begin),
             CALL(profile_end),
             OPTIONAL(ranks_part, 1u << 0),
             DESTROY(safetensors_close),
             CALL(safetensors_count),
             CALL(safetensors_find),
             CALL(safetensors_get),
             CALL(safetensors_metadata),
             CALL(safetensors_open),
             CALL(safetensors_write),
             CALL(table_create),
             DESTROY(table_destroy),
             CALL(table_is_sweep),
             CALL(table_read),
             OPTIONAL(table_read_as, 1 << 1),
             CALL(tensor_shape),
             CALL(vae_check),
             CALL(vae_create),
             CALL(vae_decode),
             CALL(vae_default),
             DESTROY(vae_destroy),
             CALL(vae_encode),
             CALL(vae_evaluate),
             CALL(vae_image_size),
             CALL(vae_learning_rate),
             OPTIONAL(vae_load, 1u << 2),
             CALL(vae_parameter_count),
             OPTIONAL(vae_reconstruct, 1u << 2),
             OPTIONAL(vae_save, 1u << 3),
             CALL(vae_train_epoch),
             CALL(version)};

/* The builders of the list of ops that take nothing but one or two tensors: no call of theirs is written above. */
typedef fovea_tensor of_one(fovea_graph *graph, fovea_tensor x);
typedef fovea_tensor of_two(fovea_graph *graph, fovea_tensor a, fovea_tensor b);
static const struct {
  const char *name;
  void (*function)(void);
  int tensors; /* 0: other arguments, too */
} builders[] = {
#define X(name, NAME, flags)                             \
  {"fovea_add_" #name, (void (*)(void))fovea_add_##name, \
   _Generic(&fovea_add_##name, of_one * : 1, of_two * : 2, default : 0)},
    FOVEA_OPS(X)
#undef X
};

static fovea_tensor build(size_t i, fovea_graph *to, fovea_tensor a, fovea_tensor b) {
  return builders[i].tensors == 1 ? ((of_one *)builders[i].function)(to, a)
                                  : ((of_two *)builders[i].function)(to, a, b);
}

static bool has_builder(const char *name) {
  for (size_t i = 0; i < COUNT(builders); i++)
    if (builders[i].tensors > 0 && strcmp(builders[i].name, name) == 0) return true;
  return false;
}

static declared functions[MOST_DECLARED];
static size_t function_count;

static const declared *find(const char *name) {
  for (size_t i = 0; i < function_count; i++)
    if (strcmp(functions[i].name, name) == 0) return &functions[i];
  return NULL;
}

static void test_table_is_complete(void **state) {
  (void)state;
  int failures = 0;
  for (size_t i = 0; i < function_count; i++) {
    size_t at = 0;
    while (at < COUNT(calls) && strcmp(calls[at].name, functions[i].name) != 0) at++;
    if (at == COUNT(calls) && !has_builder(functions[i].name))
      fprintf(stderr, "%s has no call in this test\n", functions[i].name), failures++;
  }
  for (size_t i = 0; i < COUNT(calls); i++)
    if (!find(calls[i].name)) fprintf(stderr, "%s is in no header\n", calls[i].name), failures++;
  assert_true(function_count > 60);
  if (failures) fail_msg("%d functions", failures);
}

/* A message of another failure must not pass for this one's. */
static void forget_message(void) {
  assert_int_equal(fovea_graph_create(NULL), FOVEA_INVALID);
  assert_non_null(strstr(fovea_error_message(), "fovea_graph_create"));
}

static int check_call(size_t i, const declared *d, int which) {
  const bool wanted = which < 0 || (calls[i].optional & 1u << which);
  const char *argument = which < 0 ? "nothing" : d->pointer[which];
  forget_message();
  start_graph();
  nulled = which;
  const fovea_status status = calls[i].call(), expected = wanted ? FOVEA_OK : FOVEA_INVALID;
  nulled = -1;
  end_graph();
  const char *message = fovea_error_message();
  const bool told = wanted || !d->speaks || (strstr(message, d->name) && strstr(message, argument));
  if (status != expected || !told)
    fprintf(stderr, "%s, NULL for %s: %d, expected %d: %s\n", d->name, argument, (int)status, (int)expected, message);
  return status != expected || !told;
}

static void test_null(void **state) {
  (void)state;
  int failures = 0;
  for (size_t i = 0; i < COUNT(calls); i++) {
    const declared *d = find(calls[i].name);
    assert_non_null(d);
    for (int which = calls[i].only_null ? 0 : -1; which < d->pointers; which++) failures += check_call(i, d, which);
  }
  if (failures) fail_msg("%d calls", failures);
}

static void test_builders(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(builders); i++) {
    if (builders[i].tensors == 0) continue;
    forget_message();
    start_graph();
    assert_true(build(i, graph, 0, 0) > 0);
    assert_int_equal(build(i, NULL, 0, 0), -1);
    assert_non_null(strstr(fovea_error_message(), builders[i].name));
    assert_non_null(strstr(fovea_error_message(), "graph is NULL"));
    assert_int_equal(build(i, graph, -7, 0), -1);
    assert_int_equal(fovea_graph_check(graph), FOVEA_INVALID);
    end_graph();
  }
}

/* --- values out of range ------------------------------------------------------------------------------------------ */

typedef struct value_case {
  const char *name;
  fovea_status (*call)(void);
  const char *part; /* of the message */
} value_case;

static fovea_status get_of_no_value(void) {
  return fovea_network_get(vae->network, 1, (fovea_value)(FOVEA_SECOND_MOMENT + 1), floats);
}
static fovea_status get_of_a_huge_value(void) {
  return fovea_network_get(vae->network, 1, (fovea_value)1000000, floats);
}
static fovea_status set_of_a_negative_value(void) {
  return fovea_network_set(vae->network, 1, (fovea_value)-1, floats);
}
static fovea_status get_past_the_parameters(void) {
  return fovea_network_get(vae->network, fovea_network_parameter_count(vae->network), FOVEA_VALUE, floats);
}
static fovea_status get_of_the_last_index(void) {
  return fovea_network_get(vae->network, SIZE_MAX, FOVEA_VALUE, floats);
}
static fovea_status parameter_past_the_last(void) {
  return ANSWER(!fovea_network_parameter(vae->network, fovea_network_parameter_count(vae->network)));
}
static fovea_status train_by_nan(void) { return fovea_network_train_step(vae->network, pixels, NULL, BATCH, NAN); }
static fovea_status train_by_infinity(void) {
  return fovea_network_train_step(vae->network, pixels, NULL, BATCH, -INFINITY);
}
static fovea_status train_backward(void) { return fovea_network_train_step(vae->network, pixels, NULL, BATCH, -5.0f); }
static fovea_status train_on_nothing(void) { return fovea_network_train_step(vae->network, pixels, NULL, 0, 0.1f); }
static fovea_status train_on_too_many(void) {
  return fovea_network_train_step(vae->network, pixels, NULL, SIZE_MAX, 0.1f);
}
static fovea_status train_after_the_last_step(void) {
  OK(fovea_network_set_step(vae->network, UINT32_MAX));
  const fovea_status status = fovea_network_train_step(vae->network, pixels, NULL, BATCH, 0.1f);
  OK(fovea_network_set_step(vae->network, 0));
  return status;
}
static fovea_status evaluate_too_many(void) { return fovea_network_evaluate(vae->network, pixels, NULL, BATCH + 1, 0); }
static fovea_status read_no_tensor(void) { return fovea_network_read(vae->network, 12345, BATCH, floats); }
static fovea_status read_a_negative_tensor(void) { return fovea_network_read(vae->network, INT_MIN, BATCH, floats); }
static fovea_status read_too_many(void) { return fovea_network_read(vae->network, vae->mu, SIZE_MAX, floats); }
static fovea_status evaluate_from_no_tensor(void) {
  return fovea_network_evaluate_from(vae->network, INT_MAX, floats, BATCH);
}
static fovea_status shape_of_no_tensor(void) { return fovea_tensor_shape(graph, INT_MAX, (int[3]){0}); }
static fovea_status network_of_a_negative_batch(void) {
  fovea_network *made = NULL;
  return fovea_network_create(device, graph, &(fovea_network_options){.batch = INT_MIN}, &made);
}
static fovea_status activation_of_no_kind(void) {
  return NODE(fovea_add_activation(graph, units, (fovea_activation)FOVEA_ACTIVATION_COUNT));
}
static fovea_status activation_of_a_negative_kind(void) {
  return NODE(fovea_add_activation(graph, units, (fovea_activation)-1));
}
static fovea_status dropout_of_nan(void) { return NODE(fovea_add_dropout(graph, units, NAN)); }
static fovea_status dropout_of_all_but_nothing(void) {
  return NODE(fovea_add_dropout(graph, units, 1.0 - 0x1p-53)); /* times 2^32 it is no 32-bit word */
}
static fovea_status momentum_of_nan(void) { return NODE(fovea_add_batchnorm(graph, units, "bn", NAN, 1e-3f)); }
static fovea_status epsilon_of_infinity(void) { return NODE(fovea_add_batchnorm(graph, units, "bn", 0.9f, INFINITY)); }
static fovea_status kl_weight_of_nan(void) { return NODE(fovea_add_reparameterize(graph, units, units, NAN)); }
static fovea_status kl_weight_of_infinity(void) {
  return NODE(fovea_add_reparameterize(graph, units, units, INFINITY));
}
static fovea_status reshape_that_overflows(void) {
  return NODE(fovea_add_reshape(graph, units, 65536, 65536, INT_MAX));
}
/* Their order in a file can be that of one image only. */
static fovea_status reshape_to_two_shapes(void) {
  const fovea_tensor x = fovea_add_dense(graph, 0, "six", 6, false);
  assert_true(fovea_add_reshape(graph, x, 1, 2, 3) >= 0 && fovea_add_reshape(graph, x, 1, 2, 3) >= 0);
  return NODE(fovea_add_reshape(graph, x, 3, 2, 1));
}
static fovea_status units_that_are_negative(void) { return NODE(fovea_add_dense(graph, 0, "d", INT_MIN, true)); }
static fovea_status name_that_is_empty(void) { return NODE(fovea_add_dense(graph, 0, "", 2, true)); }
static fovea_status attention_without_a_name(void) { return NODE(fovea_add_spatial_attention(graph, 0, "")); }
static fovea_status attention_of_a_long_name(void) {
  char name[256];
  memset(name, 'x', sizeof name - 1);
  name[sizeof name - 1] = '\0';
  return NODE(fovea_add_channel_attention(graph, 0, name));
}
static fovea_status conv_of(fovea_conv2d asked) { return NODE(fovea_add_conv2d(graph, 0, "c", &asked)); }
static fovea_status conv_of_too_many_filters(void) {
  return conv_of((fovea_conv2d){.filters = INT_MAX, .kernel = 3, .stride = 1, .same = true});
}
static fovea_status conv_of_a_negative_padding(void) {
  return conv_of((fovea_conv2d){.filters = 1, .kernel = 3, .stride = 1, .padding = INT_MIN});
}
/* 2^12 channels of 2^12 x 2^7 pixels are 2^31 values. */
static fovea_status image_of_too_many_values(void) {
  fovea_graph *large = NULL;
  OK(fovea_graph_create(&large));
  const fovea_status status = NODE(fovea_add_input(large, 4096, 4096, 128));
  fovea_graph_destroy(large);
  return status;
}
static fovea_status concat_of_too_many_values(void) {
  fovea_tensor x = 0;
  for (int i = 0; i < 40 && x >= 0; i++) x = fovea_add_concat(graph, x, x);
  return NODE(x);
}
static fovea_status concat_of_too_many_channels(void) {
  fovea_tensor x = units;
  for (int i = 0; i < 40 && x >= 0; i++) x = fovea_add_concat(graph, x, x);
  return NODE(x);
}
static fovea_status vae_of(fovea_vae_config c) {
  fovea_vae *made = NULL;
  return fovea_vae_create(device, &c, false, &made);
}
static fovea_status vae_with_attention_of_no_kind(void) {
  fovea_vae_config c = tiny_config(SIDE, BATCH);
  c.attention = (fovea_attention)(FOVEA_ATTENTION_CBAM + 1);
  return vae_of(c);
}
static fovea_status vae_with_a_weight_of_nan(void) {
  fovea_vae_config c = tiny_config(SIDE, BATCH);
  c.kl_weight = NAN;
  return vae_of(c);
}
static fovea_status vae_with_too_many_units(void) {
  fovea_vae_config c = tiny_config(SIDE, BATCH);
  c.unit_count = INT_MAX;
  return vae_of(c);
}
static fovea_status epoch_of(fovea_epoch epoch) { return fovea_vae_train_epoch(vae, &data, &epoch); }
static fovea_status epoch_of_none(void) { return epoch_of((fovea_epoch){.lr = 0.1}); }
static fovea_status epoch_at_a_rate_of_nan(void) { return epoch_of((fovea_epoch){.epochs = 1, .lr = NAN}); }
static fovea_status epoch_to_a_rate_of_infinity(void) {
  return epoch_of((fovea_epoch){.epochs = 1, .min_lr = INFINITY});
}
static fovea_status epoch_to_a_negative_rate(void) { return epoch_of((fovea_epoch){.epochs = 1, .min_lr = -0.5}); }
static fovea_status epoch_from_past_the_images(void) { return epoch_of((fovea_epoch){.epochs = 1, .start = SIZE_MAX}); }
static fovea_status epoch_without_pixels(void) {
  const fovea_dataset none = {.count = BATCH, .channels = 1, .height = SIDE, .width = SIDE};
  fovea_epoch epoch = {.epochs = 1};
  return fovea_vae_train_epoch(vae, &none, &epoch);
}
static fovea_status rate_of_no_epochs(void) { return ANSWER(isnan(fovea_vae_learning_rate(0.1, 0.1, 0, 0))); }
static fovea_status saved_epoch_that_is_negative(void) {
  return fovea_vae_save(vae, written, &(fovea_training_state){.epoch = -1}, NULL);
}
static fovea_status tensor_past_the_last(void) { return ANSWER(!fovea_safetensors_get(file, 1)); }
static fovea_status write_of(fovea_safetensor t) { return fovea_safetensors_write(written, &t, 1, NULL, 0); }
static fovea_status tensor_without_a_name(void) { return write_of((fovea_safetensor){.dtype = "U8"}); }
static fovea_status tensor_without_a_dtype(void) { return write_of((fovea_safetensor){.name = "w"}); }
static fovea_status tensor_without_data(void) { return write_of((fovea_safetensor){.name = "w", .dtype = "U8"}); }
static fovea_status tensor_of_a_negative_rank(void) {
  return write_of((fovea_safetensor){.name = "w", .dtype = "U8", .rank = -1, .data = floats});
}
static fovea_status metadata_without_a_value(void) {
  return fovea_safetensors_write(written, NULL, 0, &(fovea_safetensor_text){"key", NULL}, 1);
}
static fovea_status table_of_nothing(void) {
  fovea_design *made = NULL;
  return fovea_design_from_table(&(fovea_table){0}, NULL, &made);
}
static fovea_status design_of_a_column_without_a_name(void) {
  fovea_design *made = NULL;
  const char *const names[] = {"a", NULL};
  return fovea_design_from_table(table, &(fovea_design_options){.columns = names, .column_count = 2}, &made);
}
static fovea_status fit_of_overflow(void) {
  fovea_ols *made = NULL;
  return fovea_ols_fit(design->y, design->x, SIZE_MAX, SIZE_MAX, "y", (const char *const[]){"a"}, &made);
}
static fovea_status fit_of_a_column_without_a_name(void) {
  fovea_ols *made = NULL;
  return fovea_ols_fit(design->y, design->x, design->n, 1, "y", (const char *const[]){NULL}, &made);
}
static fovea_status fit_with(fovea_ols_options how) {
  fovea_ols *made = NULL;
  return fovea_ols_fit_design(design, &how, &made);
}
static fovea_status fit_of_alpha(void) { return fit_with((fovea_ols_options){.alpha = 1}); }
static fovea_status fit_of_covariance(void) { return fit_with((fovea_ols_options){.covariance = (fovea_covariance)7}); }
static fovea_status fit_without_clusters(void) { return fit_with((fovea_ols_options){.covariance = FOVEA_CLUSTER}); }
static fovea_status fit_of_nothing(void) {
  fovea_ols *made = NULL;
  return fovea_ols_fit_design(&(fovea_design){.n = 2, .k = 1}, NULL, &made);
}
static fovea_status analysis_with(fovea_analysis_options how) {
  fovea_analysis *made = NULL;
  return fovea_analyze(with_constant, centred, &how, &made);
}
static fovea_status analysis_of_type(void) { return analysis_with((fovea_analysis_options){.type = 1}); }
static fovea_status analysis_of_power(void) { return analysis_with((fovea_analysis_options){.power = 1}); }
static fovea_status analysis_of_difference(void) { return analysis_with((fovea_analysis_options){.difference = -1}); }
static fovea_status analysis_of_adjustment(void) {
  return analysis_with((fovea_analysis_options){.adjustment = (fovea_adjustment)3});
}
static fovea_status analysis_without_constant(void) {
  fovea_analysis *made = NULL;
  return fovea_analyze(design, ols, NULL, &made);
}
static fovea_status analysis_of_another(void) {
  fovea_analysis *made = NULL;
  return fovea_analyze(design, centred, NULL, &made);
}
static fovea_status fit_of_nan(void) {
  const double y[] = {1, NAN}, x[] = {1, 2};
  fovea_ols *made = NULL;
  return fovea_ols_fit(y, x, 2, 1, "y", (const char *const[]){"a"}, &made);
}
static fovea_status summary_of_nothing(void) {
  char *made = NULL;
  return fovea_ols_summary(&(fovea_ols){.n = 2, .k = 1}, &made);
}
static fovea_status split_that_is_none(void) {
  fovea_dataset *made = NULL;
  return fovea_dataset_load(".", "Train", 0, &made);
}
static fovea_status device_that_is_none(void) {
  fovea_device *made = NULL;
  return fovea_device_open("no such device", &made);
}
static fovea_status profile_that_was_not_begun(void) {
  fovea_profile_row *rows = NULL;
  size_t count = 0;
  if (fovea_profile_end(device, &rows, &count) == FOVEA_OK) fovea_free(rows), rows = NULL;
  return fovea_profile_end(device, &rows, &count);
}

static fovea_status cache_in_a_relative_folder(void) { return fovea_cache_set_folder("cache"); }
static fovea_status cache_in_a_long_path(void) {
  char path[1025];
  memset(path, '/', sizeof path - 1);
  path[sizeof path - 1] = '\0';
  return fovea_cache_set_folder(path);
}

#define VALUE(call, part) \
  { #call, call, part }
static const value_case values[] = {VALUE(get_of_no_value, "value 4"),
                                    VALUE(get_of_a_huge_value, "value 1000000"),
                                    VALUE(set_of_a_negative_value, "value -1"),
                                    VALUE(get_past_the_parameters, "parameter"),
                                    VALUE(get_of_the_last_index, "18446744073709551615"),
                                    VALUE(parameter_past_the_last, NULL),
                                    VALUE(train_by_nan, "learning_rate is nan"),
                                    VALUE(train_by_infinity, "learning_rate is -inf"),
                                    VALUE(train_backward, "learning_rate is -5"),
                                    VALUE(train_on_nothing, "0 images"),
                                    VALUE(train_on_too_many, "18446744073709551615 images"),
                                    VALUE(train_after_the_last_step, "step 4294967295"),
                                    VALUE(evaluate_too_many, "3 images"),
                                    VALUE(read_no_tensor, "12345"),
                                    VALUE(read_a_negative_tensor, "-2147483648"),
                                    VALUE(read_too_many, "18446744073709551615 images"),
                                    VALUE(evaluate_from_no_tensor, "2147483647"),
                                    VALUE(shape_of_no_tensor, "2147483647"),
                                    VALUE(network_of_a_negative_batch, "-2147483648"),
                                    VALUE(activation_of_no_kind, "is none of"),
                                    VALUE(activation_of_a_negative_kind, "-1 is none of"),
                                    VALUE(dropout_of_nan, "rate nan"),
                                    VALUE(dropout_of_all_but_nothing, "less than 1"),
                                    VALUE(momentum_of_nan, "momentum nan"),
                                    VALUE(epsilon_of_infinity, "epsilon inf"),
                                    VALUE(kl_weight_of_nan, "KL weight nan"),
                                    VALUE(kl_weight_of_infinity, "KL weight inf"),
                                    VALUE(reshape_that_overflows, "65536x65536x2147483647"),
                                    VALUE(reshape_to_two_shapes, "1x2x3 already"),
                                    VALUE(units_that_are_negative, "-2147483648 units"),
                                    VALUE(name_that_is_empty, "name is empty"),
                                    VALUE(attention_without_a_name, "name is empty"),
                                    VALUE(attention_of_a_long_name, "longer than"),
                                    VALUE(conv_of_too_many_filters, "2147483647 filters"),
                                    VALUE(conv_of_a_negative_padding, "padding -2147483648"),
                                    VALUE(image_of_too_many_values, "2147483648 values"),
                                    VALUE(concat_of_too_many_values, "values"),
                                    VALUE(concat_of_too_many_channels, "channels"),
                                    VALUE(vae_with_attention_of_no_kind, "attention 4"),
                                    VALUE(vae_with_a_weight_of_nan, "KL weight nan"),
                                    VALUE(vae_with_too_many_units, "2147483647 units"),
                                    VALUE(epoch_of_none, "epoch 0 of 0"),
                                    VALUE(epoch_at_a_rate_of_nan, "nan"),
                                    VALUE(epoch_to_a_rate_of_infinity, "inf"),
                                    VALUE(epoch_to_a_negative_rate, "-0.5, expected finite numbers of 0 or more"),
                                    VALUE(epoch_from_past_the_images, "18446744073709551615"),
                                    VALUE(epoch_without_pixels, "pixels are NULL"),
                                    VALUE(rate_of_no_epochs, NULL),
                                    VALUE(saved_epoch_that_is_negative, "epoch is -1"),
                                    VALUE(tensor_past_the_last, NULL),
                                    VALUE(tensor_without_a_name, "name of tensor 0"),
                                    VALUE(tensor_without_a_dtype, "dtype of tensor 0"),
                                    VALUE(tensor_without_data, "data of tensor 'w'"),
                                    VALUE(tensor_of_a_negative_rank, "rank -1"),
                                    VALUE(metadata_without_a_value, "value of metadata 0"),
                                    VALUE(table_of_nothing, "empty"),
                                    VALUE(design_of_a_column_without_a_name, "column 1"),
                                    VALUE(fit_of_overflow, "18446744073709551615"),
                                    VALUE(fit_of_a_column_without_a_name, "names[0]"),
                                    VALUE(fit_of_nan, "nan"),
                                    VALUE(fit_of_alpha, "alpha is 1"),
                                    VALUE(fit_of_covariance, "no covariance 7"),
                                    VALUE(fit_without_clusters, "no clusters"),
                                    VALUE(fit_of_nothing, "design is wrong"),
                                    VALUE(analysis_of_type, "no type 1"),
                                    VALUE(analysis_of_power, "power is 1"),
                                    VALUE(analysis_of_difference, "is -1"),
                                    VALUE(analysis_of_adjustment, "no adjustment 3"),
                                    VALUE(analysis_without_constant, "no constant"),
                                    VALUE(analysis_of_another, "another design"),
                                    VALUE(summary_of_nothing, "NULL"),
                                    VALUE(split_that_is_none, "'Train'"),
                                    VALUE(device_that_is_none, "'no such device'"),
                                    VALUE(profile_that_was_not_begun, "without being begun"),
                                    VALUE(cache_in_a_relative_folder, "'cache' is not an absolute path"),
                                    VALUE(cache_in_a_long_path, "1024 bytes, at most 1023")};

static void test_values(void **state) {
  (void)state;
  int failures = 0;
  for (size_t i = 0; i < COUNT(values); i++) {
    forget_message();
    start_graph();
    const fovea_status status = values[i].call();
    end_graph();
    const char *message = fovea_error_message();
    if (status == FOVEA_INVALID && (!values[i].part || strstr(message, values[i].part))) continue;
    fprintf(stderr, "%s: %d: %s\n", values[i].name, (int)status, message);
    failures++;
  }
  if (failures) fail_msg("%d values", failures);
}

/* --- a frozen graph ----------------------------------------------------------------------------------------------- */

/* Nothing of the graph changes, for the network has arrays of its length. */
static void test_frozen(void **state) {
  (void)state;
  fovea_network *network = NULL, *second = NULL;
  int dims[3];
  start_graph();
  OK(fovea_network_create(device, graph, &options, &network));
  const fovea_tensor added[] = {fovea_add_activation(graph, units, FOVEA_RELU),
                                fovea_add_dense(graph, units, "more", 3, true),
                                fovea_add_conv2d(graph, 0, "conv", &conv),
                                fovea_add_reshape(graph, units, 2, 1, 1),
                                fovea_add_reparameterize(graph, units, units, 0.1f),
                                fovea_add_concat(graph, 0, 0),
                                fovea_add_spatial_attention(graph, 0, "attention"),
                                fovea_add_dropout(graph, units, 7.0),
                                fovea_add_sigmoid_bce(graph, 0),
                                fovea_add_input(graph, 1, 1, 1)};
  assert_non_null(strstr(fovea_error_message(), "fovea_add_input: the graph is frozen"));
  for (size_t i = 0; i < COUNT(added); i++) assert_int_equal(added[i], -1);
  assert_int_equal(fovea_tensor_shape(graph, units + 1, dims), FOVEA_INVALID);
  assert_int_equal(fovea_network_read(network, units + 1, 1, floats), FOVEA_INVALID);
  OK(fovea_graph_check(graph));
  OK(fovea_network_create(device, graph, &options, &second));
  OK(fovea_network_evaluate(second, pixels, NULL, BATCH, 0));
  OK(fovea_network_read(second, units, BATCH, floats));
  fovea_network_destroy(second);
  fovea_network_destroy(network);
  assert_int_equal(fovea_add_dense(graph, units, "more", 3, true), -1);
  end_graph();
}

/* --- any values --------------------------------------------------------------------------------------------------- */

static uint64_t draws = 1;

/* Marsaglia's xorshift64. */
static size_t draw(size_t below) {
  draws ^= draws << 13, draws ^= draws >> 7, draws ^= draws << 17;
  return (size_t)(draws % below);
}

static int draw_int(void) {
  static const int ints[] = {INT_MIN, -65536, -1, 0, 1, 2, 3, 4, 5, 15, 16, 17, 4096, 46341, 65536, 1 << 28, INT_MAX};
  return draw(3) ? 1 + (int)draw(5) : ints[draw(COUNT(ints))];
}

static double draw_double(void) {
  static const double doubles[] = {-INFINITY, -1, -0.0, 0, 0x1p-149, 0.5, 1 - 0x1p-32, 1 - 0x1p-53, 1, 1e9, 3e38, NAN};
  return doubles[draw(COUNT(doubles))];
}

static fovea_tensor draw_tensor(int count) { return draw(20) ? (int)draw((size_t)count) : draw_int(); }

static fovea_tensor draw_node(int count) {
  char name[32];
  const fovea_tensor x = draw_tensor(count), y = draw_tensor(count);
  const fovea_conv2d asked = {.filters = draw_int(),
                              .kernel = draw_int(),
                              .stride = draw_int(),
                              .bias = draw(2),
                              .same = draw(2),
                              .padding = draw_int()};
  snprintf(name, sizeof name, "n%d", draw(50) ? count : draw_int());
  switch (draw(12)) {
    case 0:
      return fovea_add_conv2d(graph, x, name, &asked);
    case 1:
      return fovea_add_conv2d_transpose_sized(graph, x, name, &asked, draw(2) ? 0 : draw_int(), 0);
    case 2:
      return fovea_add_dense(graph, x, name, draw_int(), draw(2));
    case 3:
      return fovea_add_reshape(graph, x, draw_int(), draw_int(), draw_int());
    case 4:
      return fovea_add_batchnorm(graph, x, name, (float)draw_double(), (float)draw_double());
    case 5:
      return fovea_add_dropout(graph, x, draw_double());
    case 6:
      return fovea_add_activation(graph, x, (fovea_activation)draw_int());
    case 7:
      return fovea_add_spatial_attention(graph, x, name);
    case 8:
      return fovea_add_channel_attention(graph, x, name);
    case 9:
      return fovea_add_reparameterize(graph, x, y, (float)draw_double());
    case 10:
      return fovea_add_sigmoid_bce(graph, x);
    default: {
      size_t i;
      do i = draw(COUNT(builders));
      while (builders[i].tensors != 2);
      return build(i, graph, x, y);
    }
  }
}

/* Each call makes a tensor whose values an int counts, or is refused with a message that stays. */
static void test_any_values(void **state) {
  (void)state;
  enum { GRAPHS = 4000, NODES = 40 };
  size_t made = 0, refused = 0;
  for (int i = 0; i < GRAPHS; i++) {
    OK(fovea_graph_create(&graph));
    fovea_tensor x = fovea_add_input(graph, draw_int(), draw_int(), draw_int());
    for (int count = 1; count < NODES && x >= 0; count++) {
      int dims[3] = {0};
      assert_int_equal(x, count - 1);
      OK(fovea_tensor_shape(graph, x, dims));
      assert_true(dims[0] > 0 && dims[1] > 0 && dims[2] > 0);
      assert_true((double)dims[0] * dims[1] * dims[2] <= INT_MAX);
      made++;
      forget_message();
      x = draw_node(count);
    }
    if (x < 0) {
      refused++;
      assert_null(strstr(fovea_error_message(), "fovea_graph_create"));
      assert_int_equal(fovea_graph_check(graph), FOVEA_INVALID);
    }
    end_graph();
  }
  assert_true(made > GRAPHS && refused > GRAPHS / 2);
}

/* Any tensor may be asked for, and is given or refused. */
static void test_any_tensor(void **state) {
  (void)state;
  int dims[3], given = 0;
  for (fovea_tensor t = -2;; t++) {
    const bool there = fovea_tensor_shape(vae->graph, t, dims) == FOVEA_OK;
    if (t >= 0 && !there) break;
    OK(fovea_network_evaluate(vae->network, pixels, NULL, BATCH, 0));
    const fovea_status read = fovea_network_read(vae->network, t, BATCH, floats);
    const fovea_status from = fovea_network_evaluate_from(vae->network, t, floats, BATCH);
    assert_true(read == FOVEA_INVALID || (there && read == FOVEA_OK));
    assert_true(from == FOVEA_INVALID || (there && from == FOVEA_OK));
    given += read == FOVEA_OK;
  }
  assert_true(given >= 3);
  fovea_losses losses;
  OK(fovea_network_losses(vae->network, &losses));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_table_is_complete),
                                     cmocka_unit_test(test_null),
                                     cmocka_unit_test(test_builders),
                                     cmocka_unit_test(test_values),
                                     cmocka_unit_test(test_frozen),
                                     cmocka_unit_test(test_any_values),
                                     cmocka_unit_test(test_any_tensor)};
  function_count = declared_functions(functions);
  nulled = -1;
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
