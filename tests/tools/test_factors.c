/* Which configurations a sweep's factors ask for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "experiment/factors.h"

static void expect(const char *factors, const char *activation, const char *names) {
  run_options options = run_options_default();
  factors_config *configs = NULL;
  char found[2048] = "";
  size_t count = 0;
  options.activation = 0;
  while (strncmp(activation, fovea_activation_name((fovea_activation)(options.activation + FOVEA_ELU)), 32) != 0)
    options.activation++;
  assert_int_equal(factors_plan(factors, &options, 1, &configs, &count), FOVEA_OK);
  for (size_t i = 0; i < count; i++)
    snprintf(found + strlen(found), sizeof found - strlen(found), "%s ", configs[i].name);
  free(configs);
  assert_string_equal(found, names);
}

static void test_activations(void **state) {
  (void)state;
  expect("activation", "relu",
         "elu-spatial-bn-drop-s768 relu-spatial-bn-drop-s768 selu-spatial-bn-drop-s768 "
         "sigmoid-spatial-bn-drop-s768 ");
  expect("activation=tanh|leaky_relu", "relu", "tanh-spatial-bn-drop-s768 leaky_relu-spatial-bn-drop-s768 ");
  expect("attention,batchnorm=off", "leaky_relu", "leaky_relu-spatial-nobn-drop-s768 leaky_relu-none-nobn-drop-s768 ");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_activations)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
