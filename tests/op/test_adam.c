/* Three steps of Adam against the reference, from the gradients that the device found. */
#include "op/op_test.h"

enum { STEPS = 3, LIMIT = 4096 };

struct moments {
  double p[LIMIT], m[LIMIT], v[LIMIT];
};

static int compare(const struct chain_run *run, const fovea_parameter *p, size_t index, fovea_value which,
                   const double *expected, double rtol, double atol) {
  static const char *const names[] = {"value", "gradient", "first moment", "second moment"};
  float data[LIMIT];
  char what[160];
  snprintf(what, sizeof what, "the %s of %s", names[which], p->name);
  assert_int_equal(fovea_network_get(run->network, index, which, data), FOVEA_OK);
  return chain_close_to(run, what, data, expected, p->dims, p->rank, rtol, atol);
}

static int step(const struct chain_run *run, struct moments *moments, const uint8_t *pixels, int first, int iteration,
                double lr) {
  const struct ref_adam adam = {lr, 0, 0.9, 0.999, 1e-7};
  int failures = 0;
  assert_int_equal(fovea_network_train_step(run->network, pixels, NULL, (size_t)run->count, (float)lr), FOVEA_OK);
  for (size_t i = 0; i < fovea_network_parameter_count(run->network); i++) {
    const fovea_parameter *p = fovea_network_parameter(run->network, i);
    struct moments *r = &moments[i];
    float g[LIMIT];
    double gradient[LIMIT];
    if (!p->trainable) continue;
    assert_int_equal(fovea_network_get(run->network, i, FOVEA_GRADIENT, g), FOVEA_OK);
    for (size_t j = 0; j < p->count; j++) gradient[j] = (double)g[j];
    ref_adam(&adam, first + iteration, (int)p->count, gradient, r->m, r->v, r->p);
    failures += compare(run, p, i, FOVEA_VALUE, r->p, 1e-6, 4e-6 * lr);
    failures += compare(run, p, i, FOVEA_FIRST_MOMENT, r->m, 1e-5, 1e-10);
    failures += compare(run, p, i, FOVEA_SECOND_MOMENT, r->v, 1e-5, 1e-14);
  }
  return failures;
}

struct adam_case {
  const char *name;
  int first; /* fovea_network_set_step */
  double lr;
};

static int run_case(const struct adam_case *c) {
  static struct moments moments[16];
  static const struct chain_shape shape = {
      .name = "adam", .channels = 3, .height = 5, .width = 3, .batch = 17, .count = 17, .head = 5};
  struct chain chain;
  int x = chain_batchnorm(&chain, chain_begin(&chain, &shape), "bn", 0.9, 1e-3);
  x = chain_conv2d(&chain, x, "out",
                   &(fovea_conv2d){.filters = 3, .kernel = 3, .stride = 1, .same = true, .bias = true});
  assert_int_equal(fovea_add_sigmoid_bce(chain.graph, x), ref_add_sigmoid_bce(chain.ref, x));
  struct chain_run run = {
      .name = c->name, .graph = chain.graph, .ref = chain.ref, .batch = 17, .count = 17, .seed = chain.seed};
  fovea_network_options options = {.batch = 17, .seed = chain.seed, .training = true};
  assert_int_equal(fovea_network_create(chain_device(), chain.graph, &options, &run.network), FOVEA_OK);
  assert_int_equal(fovea_network_set_step(run.network, (uint32_t)c->first), FOVEA_OK);
  assert_int_equal(chain_parameters(&run), 0);
  memset(moments, 0, sizeof moments);
  for (size_t i = 0; i < fovea_network_parameter_count(run.network); i++) {
    const struct ref_parameter *r = ref_network_find(run.ref, fovea_network_parameter(run.network, i)->name);
    memcpy(moments[i].p, r->value, (size_t)r->count * sizeof *r->value);
  }
  uint8_t *pixels = chain_pixels(&run);
  int failures = 0;
  for (int i = 0; i < STEPS; i++) failures += step(&run, moments, pixels, c->first, i, c->lr);
  assert_int_equal(fovea_network_get_step(run.network), c->first + STEPS);
  free(pixels);
  fovea_network_destroy(run.network);
  fovea_graph_destroy(chain.graph);
  ref_network_destroy(chain.ref);
  return failures;
}

static void test_adam(void **state) {
  (void)state;
  static const struct adam_case cases[] = {
      {"three first steps", 0, 0.01}, {"small steps", 0, 1e-5}, {"late steps", 100000, 0.01}};
  RUN_TABLE(run_case, cases);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_adam)};
  return cmocka_run_group_tests(tests, NULL, chain_close);
}
