/* Export to ONNX: what is refused, what a part takes, what is said of it. That the numbers are right, others say
 * (run.py). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <unistd.h>

#include "base/file.h"
#include "fovea/fovea.h"
#include "support/command.h"
#include "support/device.h"
#include "support/every_op.h"
#include "support/tempdir.h"

static char network_file[1024], made[1024];

static int skip_where_absent(void **state) {
  (void)state;
  if (!fovea_onnx_built_in()) skip();
  return 0;
}

static void save(fovea_graph *graph, const char *path) {
  fovea_network *network = NULL;
  OK(fovea_network_create(device, graph, &(fovea_network_options){.batch = 1, .seed = 1}, &network));
  OK(fovea_network_save(network, path));
  fovea_network_destroy(network);
  fovea_graph_destroy(graph);
}

static int set_up(void **state) {
  if (open_device(state)) return -1;
  snprintf(network_file, sizeof network_file, "%s", temp_path("network.safetensors"));
  snprintf(made, sizeof made, "%s", temp_path("out.onnx"));
  save(every_op_graph(), network_file);
  return 0;
}

static void refused(const char *from, const fovea_onnx_options *options, const char *part) {
  remove(made);
  if (fovea_onnx_export(from, made, options, NULL) != FOVEA_INVALID) fail_msg("'%s' was taken", part);
  if (!strstr(fovea_error_message(), part)) fail_msg("'%s' expected in: %s", part, fovea_error_message());
  assert_int_not_equal(access(made, F_OK), 0);
}

static void test_options(void **state) {
  (void)state;
  refused(network_file, &(fovea_onnx_options){.opset = 12}, "operator set 12, expected 13 to 23");
  refused(network_file, &(fovea_onnx_options){.opset = 24}, "operator set 24, expected 13 to 23");
  refused(network_file, &(fovea_onnx_options){.opset = -1}, "operator set -1");
  refused(network_file, &(fovea_onnx_options){.part = (fovea_onnx_part)3}, "part 3 is not one of");
  refused(network_file, &(fovea_onnx_options){.part = (fovea_onnx_part)-1}, "part -1 is not one of");
}

/* Its decoder reads a tensor of the encoder. */
static void test_decoder_that_reads_images(void **state) {
  (void)state;
  refused(network_file, &(fovea_onnx_options){.part = FOVEA_ONNX_DECODER},
          "'valid' reads the images and is read by the decoder");
}

static void test_graphs_without_that_part(void **state) {
  (void)state;
  const char *other = temp_path("other.safetensors");
  fovea_graph *graph = NULL;
  OK(fovea_graph_create(&graph));
  fovea_add_dense(graph, fovea_add_input(graph, 1, 2, 2), "a", 2, true);
  save(graph, other);
  refused(other, &(fovea_onnx_options){.part = FOVEA_ONNX_ENCODER}, "has no code z");
  refused(other, &(fovea_onnx_options){.part = FOVEA_ONNX_DECODER}, "has no code z");
  OK(fovea_onnx_export(other, made, NULL, NULL));
  OK(fovea_graph_create(&graph));
  const fovea_tensor x = fovea_add_dense(graph, fovea_add_input(graph, 1, 2, 2), "a", 2, true);
  fovea_add_reparameterize(graph, x, x, 1);
  save(graph, other);
  refused(other, &(fovea_onnx_options){.part = FOVEA_ONNX_DECODER}, "nothing comes after z");
  OK(fovea_onnx_export(other, made, &(fovea_onnx_options){.part = FOVEA_ONNX_ENCODER}, NULL));
}

static void test_files(void **state) {
  (void)state;
  const float one = 1;
  const char *path = temp_path("tensors.safetensors");
  OK(fovea_safetensors_write(path, &(fovea_safetensor){"a.weight", "F32", 1, {1}, &one, 0}, 1, NULL, 0));
  refused(path, NULL, "has no graph in its metadata");
  static const char graph[] =
      "{\"version\":1,\"nodes\":["
      "{\"op\":\"input\",\"name\":\"\",\"inputs\":[],\"attributes\":{\"channels\":1,\"height\":1,\"width\":1},"
      "\"shape\":[1,1,1]},"
      "{\"op\":\"dense\",\"name\":\"%s\",\"inputs\":[0],\"attributes\":{\"units\":1,\"bias\":false},\"shape\":[1,1,1]}]"
      ","
      "\"kept\":[]}";
  static const char *const names[] = {"b", "a"}, *const parts[] = {"has no tensor 'b.weight'", "a.weight is F32 [1]"};
  for (int i = 0; i < 2; i++) {
    char text[512];
    snprintf(text, sizeof text, graph, names[i]);
    OK(fovea_safetensors_write(path, &(fovea_safetensor){"a.weight", "F32", 1, {1}, &one, 0}, 1,
                               &(fovea_safetensor_text){"graph", text}, 1));
    refused(path, NULL, parts[i]);
  }
  assert_int_equal(fovea_onnx_export(temp_path("none.safetensors"), made, NULL, NULL), FOVEA_IO);
  assert_int_equal(fovea_onnx_export(network_file, temp_path("none/out.onnx"), NULL, NULL), FOVEA_IO);
}

/* The same bytes each time; of the file or of the network; and what is said of them. */
static void test_bytes_and_summary(void **state) {
  (void)state;
  uint8_t *bytes[2] = {NULL, NULL};
  size_t sizes[2] = {0, 0};
  fovea_onnx_summary plain, folded, of_network;
  fovea_graph *graph = NULL;
  fovea_network *network = NULL;
  OK(fovea_onnx_export(network_file, made, NULL, &plain));
  OK(fovea_file_read(made, 1 << 28, &bytes[0], &sizes[0]));
  OK(fovea_onnx_export(network_file, made, &(fovea_onnx_options){.opset = FOVEA_ONNX_USUAL}, NULL));
  OK(fovea_file_read(made, 1 << 28, &bytes[1], &sizes[1]));
  assert_int_equal(sizes[0], sizes[1]);
  assert_int_equal(sizes[0], plain.bytes);
  assert_memory_equal(bytes[0], bytes[1], sizes[0]);
  /* Five are in it: bn1, bn4 and bn5 after a convolution or a dense layer, bn2 and bn3 after attentions. */
  OK(fovea_onnx_export(network_file, made, &(fovea_onnx_options){.fold_batchnorm = true}, &folded));
  assert_true(plain.folded == 0 && plain.normalized == 5 && folded.folded == 3 && folded.normalized == 2);
  assert_int_equal(folded.nodes, plain.nodes - 3);
  OK(fovea_network_load(device, network_file, NULL, &graph, &network));
  OK(fovea_network_export_onnx(network, made, NULL, &of_network));
  assert_int_equal(of_network.nodes, plain.nodes);
  fovea_network_destroy(network);
  fovea_graph_destroy(graph);
  free(bytes[0]);
  free(bytes[1]);
}

/* --- the command ---------------------------------------------------------------------------------------------------
 */

static void says(int code, const char *part, const char *run, const char *path, const char *options) {
  const int ended = fovea("export --run %s --out %s %s", run, path, options);
  if (ended != code) fail_msg("%d, expected %d: %s", ended, code, output);
  if (!strstr(output, part)) fail_msg("'%s' is not in: %s", part, output);
}

/* Whatever is there stays, unless an export could have written it. */
static void test_command(void **state) {
  (void)state;
  const char *text = temp_file("text.onnx", "some text", 9);
  uint8_t *bytes = NULL;
  size_t size = 0;
  remove(made);
  says(2, "--opset: '12' is not a whole number from 13 to 23", network_file, made, "--opset 12");
  says(2, "--part: 'all' is not one of both|encoder|decoder", network_file, made, "--part all");
  says(5, "nowhere: cannot be opened", temp_path("nowhere"), made, "");
  temp_file("untrained/notes", "x", 1);
  says(5, "there is no checkpoint.safetensors in it", temp_path("untrained"), made, "");
  temp_file("sweep/results.csv", "config\n", 7);
  says(2, "it is a sweep, whose runs are the folders in it", temp_path("sweep"), made, "");
  says(2, "too few for a safetensors file", temp_file("torn", "1234567", 7), made, "");
  assert_int_not_equal(access(made, F_OK), 0);
  says(2, "is no ONNX file and would be lost", network_file, text, "");
  says(2, "is no ONNX file and would be lost", network_file, network_file, "");
  OK(fovea_file_read(text, 100, &bytes, &size));
  assert_true(size == 9 && memcmp(bytes, "some text", 9) == 0);
  free(bytes);
  says(0, "5 batch normalizations", network_file, made, "");
  says(0, "3 batch normalizations folded, 2 do not follow", network_file, made, "--fold-bn --opset 23");
}

/* A run of before checkpoints had a graph has its settings; and this one ended after 2 epochs of 5. */
static void test_unfinished_run_without_a_graph(void **state) {
  (void)state;
  static const char config[] =
      "{\"arch\":[4,3],\"depth\":1,\"latent\":2,\"activation\":\"elu\",\"attention\":\"none\",\"batchnorm\":false,"
      "\"dropout\":0.0,\"kl\":0.001,\"bn_momentum\":0.99,\"epochs\":5,\"batch\":16,\"lr\":0.001,\"min_lr\":0.0001,"
      "\"seed\":1,\"train_images\":1,\"test_images\":1,\"channels\":1,\"height\":5,\"width\":4}";
  const char *whole = temp_path("whole.safetensors"), *old = temp_path("old.safetensors"),
             *other = temp_path("old.onnx");
  fovea_vae_config c = fovea_vae_default();
  fovea_vae *vae = NULL;
  fovea_safetensors *file = NULL;
  fovea_safetensor all[256] = {{.name = NULL}};
  fovea_onnx_summary made_of_graph;
  c.units[0] = 4, c.units[1] = 3, c.unit_count = 2, c.depth = 1, c.height = 5, c.width = 4, c.batch = 16;
  c.activation = FOVEA_ELU, c.attention = FOVEA_ATTENTION_NONE, c.batchnorm = false, c.dropout = 0;
  OK(fovea_vae_create(device, &c, true, &vae));
  OK(fovea_vae_save(vae, whole, &(fovea_training_state){.epoch = 2, .images_done = 48}, config));
  fovea_vae_destroy(vae);
  OK(fovea_safetensors_open(whole, &file));
  const size_t count = fovea_safetensors_count(file);
  assert_true(count < 256);
  for (size_t i = 0; i < count; i++) all[i] = *fovea_safetensors_get(file, i);
  OK(fovea_safetensors_write(old, all, count, &(fovea_safetensor_text){"config", config}, 1));
  fovea_safetensors_close(file);
  says(0, "unfinished, 2 of 5 epochs and 48 images of the next are done", old, other, "");
  OK(fovea_onnx_export(whole, made, NULL, &made_of_graph));
  char nodes[64];
  snprintf(nodes, sizeof nodes, ": %zu nodes", made_of_graph.nodes);
  assert_non_null(strstr(output, nodes));
  refused(old, NULL, "has no graph in its metadata");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test_setup(test_options, skip_where_absent),
                                     cmocka_unit_test_setup(test_decoder_that_reads_images, skip_where_absent),
                                     cmocka_unit_test_setup(test_graphs_without_that_part, skip_where_absent),
                                     cmocka_unit_test_setup(test_files, skip_where_absent),
                                     cmocka_unit_test_setup(test_bytes_and_summary, skip_where_absent),
                                     cmocka_unit_test_setup(test_command, skip_where_absent),
                                     cmocka_unit_test_setup(test_unfinished_run_without_a_graph, skip_where_absent)};
  return cmocka_run_group_tests(tests, set_up, close_device);
}
