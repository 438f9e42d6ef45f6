/* fovea regress on a sweep's results.csv: what it takes from the files beside it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <string.h>

#include "tools/regress_run.h"

/* A sweep's table alone says what lies beside it. */
static void test_sweep_folder(void **state) {
  (void)state;
  static const char failed[] = "config,seed,reason\na,768,nan\nb,768,nan\n", config[] = "{\"fraction\": \"1/2\"}";
  uint8_t *table;
  size_t size;
  char arguments[1200], *out, *err;
  assert_int_equal(fovea_file_read(FOVEA_SOURCE_DIR "/tests/golden/inference/sweep_blocks.csv", 1 << 20, &table, &size),
                   FOVEA_OK);
  temp_file("sweep/failed.csv", failed, sizeof failed - 1);
  temp_file("sweep/config.json", config, sizeof config - 1);
  snprintf(arguments, sizeof arguments, "'%s'", temp_file("sweep/results.csv", (char *)table, size));
  if (run("", arguments, &out, &err)) fail_msg("%s", err);
  assert_non_null(strstr(out, "sweep/failed.csv has 2 configurations that have no result here"));
  assert_non_null(strstr(out, "\n- the sweep is a part, by --fraction 1/2; its regression.txt says which effects "));
  free(table);
  free(out);
  free(err);
}

/* What the sweep beside the table was asked for: a part, some of which is not there; the first level that it lists. */
static void test_sweep_part(void **state) {
  (void)state;
  static const char settings[] =
      "\"arch\": [4, 3, 2], \"depth\": 1, \"latent\": 2, \"activation\": \"relu\", \"attention\": \"spatial\", "
      "\"batchnorm\": true, \"dropout\": 0.2, \"kl\": 0.001, \"bn_momentum\": 0.9, \"epochs\": 1, \"batch\": 16, "
      "\"lr\": 0.005, \"min_lr\": 0.0001, \"seed\": 768, \"train_images\": 256, \"test_images\": 64, \"channels\": 1, "
      "\"height\": 28, \"width\": 28, \"seeds\": 1, ";
  static const struct {
    const char *of, *options, *said, *sentence;
  } cases[] = {
      {"\"factors\": \"activation=selu|elu,attention,batchnorm\", \"random\": 6", "",
       "\n- the sweep has 6 configurations, of which this table has 4.\n- these are 6 of 8 configurations, by --random "
       "6",
       "\nactivation elu instead of selu "},
      {"\"factors\": \"activation=selu|elu,attention,batchnorm\", \"random\": 6", " --baseline activation=elu",
       "\n- these are 6 of 8 configurations, by --random 6", "\nactivation selu instead of elu "},
      {"\"factors\": \"activation=selu|elu,attention,batchnorm\", \"baseline\": \"activation=elu\"", "",
       "\n- the sweep has 8 configurations, of which this table has 4", "\nactivation selu instead of elu "},
      {"\"factors\": \"activation=elu|selu,attention,batchnorm\", \"fraction\": \"1/2\"", "",
       "\n- these are 4 of 8 configurations, by --fraction 1/2.\n- batchnorm is set as activation x attention: off "
       "where exactly one of activation selu, attention none holds, else on.\n- what cannot be told apart: activation "
       "= attention x batchnorm; ",
       "\nactivation selu instead of elu "},
  };
  static const char table[] =
      "activation,attention,batchnorm,dropout,seed,test_loss\nselu,none,on,on,768,1\nelu,none,on,on,768,2\n"
      "selu,spatial,on,on,768,1.5\nelu,spatial,on,on,768,2.7\n";
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char config[1024], arguments[1200], *out, *err;
    const int length = snprintf(config, sizeof config, "{%s%s}", settings, cases[i].of);
    temp_file("part/config.json", config, (size_t)length);
    snprintf(arguments, sizeof arguments, "'%s'%s", temp_file("part/results.csv", table, sizeof table - 1),
             cases[i].options);
    if (run("", arguments, &out, &err)) fail_msg("case %zu: %s", i, err);
    if (!strstr(out, cases[i].said) || !strstr(out, cases[i].sentence)) fail_msg("case %zu: %s", i, out);
    free(out);
    free(err);
  }
  /* another table beside them is none of the sweep's */
  static const char other[] = "attention,y\nnone,1\ncbam,2\ncbam,2.5\nspatial,4\n";
  char arguments[1200], *out, *err;
  snprintf(arguments, sizeof arguments, "--constant '%s'", temp_file("part/other.csv", other, sizeof other - 1));
  if (run("", arguments, &out, &err)) fail_msg("%s", err);
  assert_non_null(strstr(out, "\nattention_none "));
  assert_null(strstr(err, "configurations"));
  free(out);
  free(err);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_sweep_folder), cmocka_unit_test(test_sweep_part)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
