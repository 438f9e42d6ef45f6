/* On a GPU with little memory weight gradients take less of it, and leave the same bits: run on a GPU's path. memory.c
 * has what is said, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/network.h"
#include "plan/internal.h"
#include "support/device.h"
#include "support/tiny.h"

enum { SIDE = 8, BATCH = 128, STEPS = 1, FILTERS = 128, MOST = 1 << 18 };

static uint8_t pixels[BATCH * SIDE * SIDE];

typedef struct outcome {
  float values[MOST];
  size_t count, memory;
  int blocks; /* of the batch, that launches take one after the other: the sum over them */
} outcome;

/* Many weights and few pixels. */
static fovea_graph *make_graph(void) {
  fovea_graph *graph = NULL;
  OK(fovea_graph_create(&graph));
  const fovea_conv2d down = {.filters = FILTERS, .kernel = 3, .stride = 2, .same = true};
  fovea_tensor x = fovea_add_conv2d(graph, fovea_add_input(graph, 1, SIDE, SIDE), "first", &down);
  x = fovea_add_dense(graph, fovea_add_conv2d(graph, x, "second", &down), "last", SIDE * SIDE, true);
  fovea_add_sigmoid_bce(graph, fovea_add_reshape(graph, x, 1, SIDE, SIDE));
  return graph;
}

static int blocks_of(const fovea_plan *plan) {
  int sum = 0;
  for (int i = 0; i < plan->record_count; i++) {
    const fovea_record *r = plan->records[i];
    for (int k = 0; k < r->argument_count; k++)
      if (strcmp(r->arguments[k].what, "serial") == 0) sum += r->arguments[k].i;
  }
  return sum;
}

static void get_values(fovea_network *net, outcome *o) {
  for (size_t i = 0; i < fovea_network_parameter_count(net); i++) {
    const fovea_parameter *p = fovea_network_parameter(net, i);
    assert_true(o->count + p->count <= MOST);
    OK(fovea_network_get(net, i, FOVEA_VALUE, o->values + o->count));
    o->count += p->count;
  }
}

/* On `device` as it says it is. */
static fovea_status train(outcome *o) {
  fovea_graph *graph = make_graph();
  fovea_network *net = NULL;
  memset(o, 0, sizeof *o);
  const fovea_status status =
      fovea_network_create(device, graph, &(fovea_network_options){.batch = BATCH, .seed = 1, .training = true}, &net);
  if (status == FOVEA_OK) {
    o->memory = fovea_network_memory(net);
    o->blocks = blocks_of(fovea_network_plan(net, true));
    for (int i = 0; i < STEPS; i++) OK(fovea_network_train_step(net, pixels, NULL, BATCH, 0.01F));
    get_values(net, o);
  }
  fovea_network_destroy(net);
  fovea_graph_destroy(graph);
  return status;
}

static void less_memory_same_bits(void **state) {
  (void)state;
  static outcome plenty, little;
  const uint64_t has = device->info.global_memory;
  tiny_pixels(pixels, sizeof pixels);
  OK(train(&plenty));
  device->info.global_memory = device->allocated + plenty.memory + 4096;
  OK(train(&little));
  device->info.global_memory = has;
  assert_true(plenty.blocks > 0);
  assert_true(little.blocks > plenty.blocks);
  assert_int_equal(little.count, plenty.count);
  assert_memory_equal(little.values, plenty.values, plenty.count * sizeof *plenty.values);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(less_memory_same_bits)};
  return cmocka_run_group_tests(tests, open_device, close_device);
}
