/* The limits that include/fovea/graph.h names: what lies at one is taken, what lies just past it refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "fovea/graph.h"

/* On an image of channels x height x width, which is tensor 0; `past`: just past the limit. */
typedef struct limit {
  const char *name;
  int channels, height, width;
  fovea_tensor (*add)(fovea_graph *graph, bool past);
  const char *part; /* of the message */
} limit;

static fovea_tensor conv(fovea_graph *g, fovea_conv2d asked) { return fovea_add_conv2d(g, 0, "c", &asked); }
static fovea_tensor most_filters(fovea_graph *g, bool past) {
  return conv(g, (fovea_conv2d){.filters = 65536 + past, .kernel = 1, .stride = 1, .same = true});
}
static fovea_tensor largest_kernel(fovea_graph *g, bool past) {
  return conv(g, (fovea_conv2d){.filters = 1, .kernel = past ? 17 : 15, .stride = 1, .same = true});
}
static fovea_tensor largest_stride(fovea_graph *g, bool past) {
  return conv(g, (fovea_conv2d){.filters = 1, .kernel = 1, .stride = 2 + past, .same = true});
}
static fovea_tensor most_padding(fovea_graph *g, bool past) {
  return conv(g, (fovea_conv2d){.filters = 1, .kernel = 5, .stride = 1, .padding = 4 + past});
}
static fovea_tensor least_output(fovea_graph *g, bool past) {
  return conv(g, (fovea_conv2d){.filters = 1, .kernel = past ? 11 : 9, .stride = 1, .padding = 1});
}
static fovea_tensor most_weights_of_conv(fovea_graph *g, bool past) {
  return conv(g, (fovea_conv2d){.filters = past ? 7282 : 65536, .kernel = past ? 3 : 1, .stride = 1, .same = true});
}
static fovea_tensor transposed(fovea_graph *g, bool past) {
  return fovea_add_conv2d_transpose(g, 0, "c",
                                    &(fovea_conv2d){.filters = 1, .kernel = 3, .stride = 1 + past, .same = true});
}
static fovea_tensor most_units(fovea_graph *g, bool past) { return fovea_add_dense(g, 0, "d", 65536 + past, false); }
static fovea_tensor most_weights_of_dense(fovea_graph *g, bool past) {
  return fovea_add_dense(g, 0, "d", 4096 + past, false);
}
static fovea_tensor momentum(fovea_graph *g, bool past) {
  return fovea_add_batchnorm(g, 0, "b", past ? 1 : nextafterf(1, 0), 0x1p-149f);
}
static fovea_tensor least_momentum(fovea_graph *g, bool past) {
  return fovea_add_batchnorm(g, 0, "b", past ? -0x1p-149f : 0, nextafterf(1, 0));
}
static fovea_tensor least_epsilon(fovea_graph *g, bool past) {
  return fovea_add_batchnorm(g, 0, "b", 0, past ? 0 : 0x1p-149f);
}
static fovea_tensor most_epsilon(fovea_graph *g, bool past) {
  return fovea_add_batchnorm(g, 0, "b", 0, past ? 1 : nextafterf(1, 0));
}
static fovea_tensor most_dropout(fovea_graph *g, bool past) {
  return fovea_add_dropout(g, 0, past ? nextafter(1 - 0x1p-32, 1) : 1 - 0x1p-32);
}
static fovea_tensor sample(fovea_graph *g, float weight) {
  const fovea_tensor units = fovea_add_dense(g, 0, "d", 2, false);
  return fovea_add_reparameterize(g, units, units, weight);
}
static fovea_tensor most_kl_weight(fovea_graph *g, bool past) { return sample(g, past ? 1e9f : nextafterf(1e9f, 0)); }
static fovea_tensor least_kl_weight(fovea_graph *g, bool past) { return sample(g, past ? -0x1p-149f : 0); }

static const char *name_of(size_t length) {
  static char name[256];
  memset(name, 'x', length);
  name[length] = '\0';
  return name;
}
static fovea_tensor longest_name(fovea_graph *g, bool past) {
  return fovea_add_dense(g, 0, name_of(127 + past), 1, false);
}
static fovea_tensor longest_name_of_attention(fovea_graph *g, bool past) {
  return fovea_add_spatial_attention(g, 0, name_of(127 - strlen(".spatial") + past));
}

static const limit limits[] = {
    {"filters", 1, 2, 2, most_filters, "65537 filters"},
    {"kernel", 1, 2, 2, largest_kernel, "kernel 17"},
    {"stride", 1, 2, 2, largest_stride, "stride 3"},
    {"padding", 1, 2, 2, most_padding, "padding 5"},
    {"output of a pixel", 1, 7, 7, least_output, "smaller than the kernel of 11"},
    {"weights of a convolution", 4096, 1, 1, most_weights_of_conv, "weights are more than 268435456"},
    {"sides of a transposed convolution", 1, 4096, 1, transposed, "more than 4096"},
    {"units", 1, 1, 1, most_units, "65537 units"},
    {"weights of a dense layer", 4096, 4, 4, most_weights_of_dense, "4097 units"},
    {"momentum", 1, 1, 1, momentum, "momentum 1"},
    {"momentum 0", 1, 1, 1, least_momentum, "momentum -1"},
    {"epsilon above 0", 1, 1, 1, least_epsilon, "epsilon 0"},
    {"epsilon below 1", 1, 1, 1, most_epsilon, "epsilon 1"},
    {"dropout", 1, 1, 1, most_dropout, "less than 1"},
    {"KL weight", 1, 1, 1, most_kl_weight, "KL weight 1e+09"},
    {"KL weight 0", 1, 1, 1, least_kl_weight, "KL weight -1"},
    {"name", 1, 1, 1, longest_name, "longer than 127 bytes"},
    {"name of an attention", 1, 1, 1, longest_name_of_attention, "longer than 127 bytes"},
};

static int check(const limit *l, bool past) {
  fovea_graph *graph = NULL;
  assert_int_equal(fovea_graph_create(&graph), FOVEA_OK);
  assert_int_equal(fovea_add_input(graph, l->channels, l->height, l->width), 0);
  const fovea_tensor made = l->add(graph, past);
  const bool right = past ? made == -1 && strstr(fovea_error_message(), l->part) : made > 0;
  if (!right) fprintf(stderr, "%s, %s: %d: %s\n", l->name, past ? "past it" : "at it", made, fovea_error_message());
  fovea_graph_destroy(graph);
  return !right;
}

static void test_limits(void **state) {
  (void)state;
  int failures = 0;
  for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
    failures += check(&limits[i], false);
    failures += check(&limits[i], true);
  }
  if (failures) fail_msg("%d limits", failures);
}

/* Of the images, and of what a dense layer takes of them: 65536 numbers. */
static void test_images(void **state) {
  (void)state;
  static const int good[][3] = {{4096, 1, 1}, {1, 4096, 1}, {1, 1, 4096}, {4096, 4, 4}};
  static const int bad[][3] = {{4097, 1, 1}, {1, 4097, 1}, {1, 1, 4097}, {0, 1, 1}, {1, 0, 1}, {1, 1, 0}};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    fovea_graph *graph = NULL;
    assert_int_equal(fovea_graph_create(&graph), FOVEA_OK);
    assert_int_equal(fovea_add_input(graph, good[i][0], good[i][1], good[i][2]), 0);
    assert_int_equal(fovea_add_dense(graph, 0, "d", 1, true), 1);
    fovea_graph_destroy(graph);
  }
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    fovea_graph *graph = NULL;
    assert_int_equal(fovea_graph_create(&graph), FOVEA_OK);
    assert_int_equal(fovea_add_input(graph, bad[i][0], bad[i][1], bad[i][2]), -1);
    fovea_graph_destroy(graph);
  }
  fovea_graph *graph = NULL;
  assert_int_equal(fovea_graph_create(&graph), FOVEA_OK);
  assert_int_equal(fovea_add_input(graph, 4096, 17, 1), 0);
  assert_int_equal(fovea_add_dense(graph, 0, "d", 1, true), -1);
  assert_non_null(strstr(fovea_error_message(), "69632 inputs"));
  fovea_graph_destroy(graph);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_limits), cmocka_unit_test(test_images)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
