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
#include "support/device.h"
#include "support/every_op.h"
#include "support/tempdir.h"

static char network_path[1024], made[1024];

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
  snprintf(network_path, sizeof network_path, "%s", temp_path("network.safetensors"));
  snprintf(made, sizeof made, "%s", temp_path("out.onnx"));
  save(every_op_graph(), network_path);
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
  refused(network_path, &(fovea_onnx_options){.opset = 12}, "operator set 12, expected 13 to 23");
  refused(network_path, &(fovea_onnx_options){.opset = 24}, "operator set 24, expected 13 to 23");
  refused(network_path, &(fovea_onnx_options){.opset = -1}, "operator set -1");
  refused(network_path, &(fovea_onnx_options){.part = (fovea_onnx_part)3}, "part 3 is not one of");
  refused(network_path, &(fovea_onnx_options){.part = (fovea_onnx_part)-1}, "part -1 is not one of");
}

/* Its decoder reads a tensor of the encoder. */
static void test_decoder_that_reads_images(void **state) {
  (void)state;
  refused(network_path, &(fovea_onnx_options){.part = FOVEA_ONNX_DECODER},
          "'valid' reads the images and is read by the decoder");
}

static void test_graphs_without_that_part(void **state) {
  (void)state;
  const char *path = temp_path("other.safetensors");
  fovea_graph *graph = NULL;
  OK(fovea_graph_create(&graph));
  fovea_tensor x = fovea_add_dense(graph, fovea_add_input(graph, 1, 2, 2), "a", 2, true);
  save(graph, path);
  refused(path, &(fovea_onnx_options){.part = FOVEA_ONNX_ENCODER}, "has no code z");
  refused(path, &(fovea_onnx_options){.part = FOVEA_ONNX_DECODER}, "has no code z");
  OK(fovea_onnx_export(path, made, NULL, NULL));
  OK(fovea_graph_create(&graph));
  x = fovea_add_dense(graph, fovea_add_input(graph, 1, 2, 2), "a", 2, true);
  fovea_add_reparameterize(graph, x, x, 1);
  save(graph, path);
  refused(path, &(fovea_onnx_options){.part = FOVEA_ONNX_DECODER}, "nothing comes after z");
  OK(fovea_onnx_export(path, made, &(fovea_onnx_options){.part = FOVEA_ONNX_ENCODER}, NULL));
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
  assert_int_equal(fovea_onnx_export(network_path, temp_path("none/out.onnx"), NULL, NULL), FOVEA_IO);
}

/* The same bytes each time; of the file or of the network; and what is said of them. */
static void test_bytes_and_summary(void **state) {
  (void)state;
  uint8_t *bytes[2] = {NULL, NULL};
  size_t sizes[2] = {0, 0};
  fovea_onnx_summary plain, folded, of_network;
  fovea_graph *graph = NULL;
  fovea_network *network = NULL;
  OK(fovea_onnx_export(network_path, made, NULL, &plain));
  OK(fovea_file_read(made, 1 << 28, &bytes[0], &sizes[0]));
  OK(fovea_onnx_export(network_path, made, &(fovea_onnx_options){.opset = FOVEA_ONNX_USUAL}, NULL));
  OK(fovea_file_read(made, 1 << 28, &bytes[1], &sizes[1]));
  assert_int_equal(sizes[0], sizes[1]);
  assert_int_equal(sizes[0], plain.bytes);
  assert_memory_equal(bytes[0], bytes[1], sizes[0]);
  /* Five are in it: bn1, bn4 and bn5 after a convolution or a dense layer, bn2 and bn3 after attentions. */
  OK(fovea_onnx_export(network_path, made, &(fovea_onnx_options){.fold_batchnorm = true}, &folded));
  assert_true(plain.folded == 0 && plain.normalized == 5 && folded.folded == 3 && folded.normalized == 2);
  assert_int_equal(folded.nodes, plain.nodes - 3);
  OK(fovea_network_load(device, network_path, NULL, &graph, &network));
  OK(fovea_network_export_onnx(network, made, NULL, &of_network));
  assert_int_equal(of_network.nodes, plain.nodes);
  fovea_network_destroy(network);
  fovea_graph_destroy(graph);
  free(bytes[0]);
  free(bytes[1]);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test_setup(test_options, skip_where_absent),
                                     cmocka_unit_test_setup(test_decoder_that_reads_images, skip_where_absent),
                                     cmocka_unit_test_setup(test_graphs_without_that_part, skip_where_absent),
                                     cmocka_unit_test_setup(test_files, skip_where_absent),
                                     cmocka_unit_test_setup(test_bytes_and_summary, skip_where_absent)};
  return cmocka_run_group_tests(tests, set_up, close_device);
}
