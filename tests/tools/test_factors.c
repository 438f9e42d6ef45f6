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
  factors_plan plan;
  const factors_request request = {.factors = factors, .seeds = 1};
  char found[2048] = "";
  options.activation = 0;
  while (strncmp(activation, fovea_activation_name((fovea_activation)(options.activation + FOVEA_ELU)), 32) != 0)
    options.activation++;
  assert_int_equal(factors_make(&request, &options, &plan), FOVEA_OK);
  for (size_t i = 0; i < plan.count; i++)
    snprintf(found + strlen(found), sizeof found - strlen(found), "%s ", plan.configs[i].name);
  free(plan.configs);
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

static factors_plan make(const factors_request *request) {
  run_options options = run_options_default();
  factors_plan plan;
  if (factors_make(request, &options, &plan)) fail_msg("%s", fovea_error_message());
  return plan;
}

/* Numbers: names, fields, and the options that they set. */
static void test_numbers(void **state) {
  (void)state;
  factors_plan plan = make(&(factors_request){
      .factors = "lr=0.0010 | 1e-2, activation=relu ,dropout=0|0.20,arch=35-25-5|12-8,batchnorm,bn-momentum=.9",
      .seeds = 2});
  assert_int_equal(plan.count, 32);
  assert_int_equal(plan.whole, 32);
  assert_int_equal(plan.others, 3);
  assert_string_equal(plan.header, "activation,attention,batchnorm,dropout,lr,arch,bn-momentum,seed");
  assert_string_equal(plan.configs[0].name, "relu-spatial-bn-nodrop-lr0.001-arch35-25-5-bn-momentum0.9-s768");
  assert_string_equal(plan.configs[0].columns, "relu,spatial,on,0,0.001,35-25-5,0.9,768");
  const factors_config *c = &plan.configs[31];
  assert_string_equal(c->name, "relu-spatial-nobn-drop0.2-lr0.01-arch12-8-bn-momentum0.9-s769");
  assert_string_equal(c->columns, "relu,spatial,off,0.2,0.01,12-8,0.9,769");
  assert_true(c->options.lr == 0.01 && c->options.dropout == 0.2 && !c->options.batchnorm && c->options.seed == 769);
  assert_true(c->options.bn_momentum == 0.9 && c->options.arch.count == 2 && c->options.arch.values[1] == 8);
  assert_true(plan.configs[0].options.dropout == 0 && plan.configs[0].options.arch.count == 3);
  free(plan.configs);
}

/* Augmentation: numbers and words. */
static void test_augmentation(void **state) {
  (void)state;
  factors_plan plan = make(&(factors_request){.factors = "shift=0|2,flip=none|both,activation=relu", .seeds = 1});
  assert_int_equal(plan.count, 4);
  assert_string_equal(plan.header, "activation,attention,batchnorm,dropout,shift,flip,seed");
  assert_string_equal(plan.configs[0].name, "relu-spatial-bn-drop-shift0-flipnone-s768");
  assert_string_equal(plan.configs[3].columns, "relu,spatial,on,on,2,both,768");
  assert_true(plan.configs[3].options.augment.shift == 2 && plan.configs[3].options.augment.flip == FOVEA_FLIP_BOTH);
  assert_true(plan.configs[0].options.augment.shift == 0 && plan.configs[0].options.augment.flip == FOVEA_FLIP_NONE);
  free(plan.configs);
}

/* What fills a shift does nothing where no configuration has one. */
static void test_fill(void **state) {
  (void)state;
  static const struct {
    const char *factors;
    bool said;
  } cases[] = {{"fill=edge|black", true},
               {"flip=none|both", false},
               {"fill=edge|black,shift=0|2", false},
               {"kernel=3|5", false}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    factors_plan plan = make(&(factors_request){.factors = cases[i].factors, .seeds = 1});
    const char *said = factors_say_fill(&plan);
    assert_int_equal(said != NULL, cases[i].said);
    if (said) assert_non_null(strstr(said, "fill says what a shift leaves empty, and no configuration has one"));
    free(plan.configs);
  }
}

/* The kernels' size is in the options and in the network. */
static void test_kernels(void **state) {
  (void)state;
  factors_plan plan = make(&(factors_request){.factors = "kernel=3|5", .seeds = 1});
  assert_int_equal(plan.count, 2);
  assert_string_equal(plan.configs[1].name, "relu-spatial-bn-drop-kernel5-s768");
  assert_int_equal(plan.configs[0].options.kernel, 3);
  assert_int_equal(run_vae_config(&plan.configs[1].options, 1, 28, 28).kernel, 5);
  free(plan.configs);
}

/* A larger sample has the smaller one, another seed another. */
static void test_random(void **state) {
  (void)state;
  factors_plan few =
      make(&(factors_request){.factors = "activation,attention,batchnorm,dropout", .seeds = 2, .random = 5});
  factors_plan more =
      make(&(factors_request){.factors = "activation,attention,batchnorm,dropout", .seeds = 2, .random = 9});
  assert_int_equal(few.count, 10);
  assert_int_equal(more.count, 18);
  assert_int_equal(few.whole, 64);
  for (size_t i = 0; i < few.count; i++) {
    bool found = false;
    for (size_t j = 0; j < more.count; j++) found = found || strcmp(few.configs[i].name, more.configs[j].name) == 0;
    assert_true(found);
  }
  free(few.configs), free(more.configs);
}

static size_t count_common(const factors_plan *a, const factors_plan *b) {
  size_t common = 0;
  for (size_t i = 0; i < a->count; i++)
    for (size_t j = 0; j < b->count; j++) common += strcmp(a->configs[i].columns, b->configs[j].columns) == 0;
  return common;
}

/* Neither the first of all, nor those of another seed. */
static void test_random_is_drawn(void **state) {
  (void)state;
  static const factors_request request = {.factors = "activation,attention,batchnorm,dropout", .seeds = 2, .random = 5};
  run_options options = run_options_default();
  factors_plan drawn = make(&request), all = make(&(factors_request){.factors = request.factors, .seeds = 1}), other;
  size_t first = 0;
  for (size_t i = 0; i < 5; i++)
    for (size_t j = 0; j < 5; j++) first += strcmp(drawn.configs[i].name, all.configs[j].name) == 0;
  assert_true(first < 5);
  options.seed++; /* the second of the others has the seed that the first sample had second */
  assert_int_equal(factors_make(&request, &options, &other), FOVEA_OK);
  assert_true(count_common(&drawn, &other) < 5);
  free(drawn.configs), free(all.configs), free(other.configs);
}

/* Box, Hunter & Hunter 2005, table 6.22: the resolutions that are possible. Half of the runs have each level. */
static void test_fractions(void **state) {
  (void)state;
  static const char seven[] = "attention,batchnorm,dropout,latent=2|8,lr=0.001|0.01,depth=1|2,batch=32|64";
  static const struct {
    const char *factors, *fraction, *aliases;
    size_t count;
  } cases[] = {
      {"attention,batchnorm,dropout", "1/2",
       "dropout is set as attention x batchnorm: off where exactly one of attention none, batchnorm off holds, else "
       "on\n"
       "what cannot be told apart: attention = batchnorm x dropout; batchnorm = attention x dropout; dropout = "
       "attention "
       "x batchnorm\n",
       4},
      {"activation=elu|relu,attention,batchnorm,dropout", "1/2",
       "dropout is set as activation x attention x batchnorm: off where an odd number of activation relu, attention "
       "none, "
       "batchnorm off holds, else on\n"
       "what cannot be told apart: activation x attention = batchnorm x dropout; activation x batchnorm = attention x "
       "dropout; attention x batchnorm = activation x dropout\n",
       8},
      {"activation=elu|relu,attention,batchnorm,dropout,latent=2|8", "1/2",
       "latent is set as activation x attention x batchnorm x dropout: 8 where an odd number of activation relu, "
       "attention none, batchnorm off, dropout off holds, else 2\n"
       "what cannot be told apart: only interactions of three factors or more\n",
       16},
      {seven, "1/8", NULL, 16},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    factors_plan plan =
        make(&(factors_request){.factors = cases[i].factors, .seeds = 1, .fraction = cases[i].fraction});
    assert_int_equal(plan.count, cases[i].count);
    if (cases[i].aliases) assert_string_equal(plan.aliases, cases[i].aliases);
    for (size_t j = 0; j < plan.count && i == 0; j++) {
      const run_options *o = &plan.configs[j].options;
      const bool without = o->attention == FOVEA_ATTENTION_NONE;
      assert_true((o->dropout > 0) == (without == !o->batchnorm));
    }
    size_t batchnorm = 0;
    for (size_t j = 0; j < plan.count; j++) batchnorm += plan.configs[j].options.batchnorm;
    assert_int_equal(2 * batchnorm, plan.count);
    /* of resolution IV: no main effect is an interaction of two, so every line has two crosses or more */
    if (i == 3) {
      const char *s = strstr(plan.aliases, "apart: ") + 7;
      size_t pairs = 0;
      for (const char *cross = s; (cross = strstr(cross, " x ")) != NULL; cross += 3) pairs++;
      assert_int_equal(pairs, 7 * 6 / 2); /* none is cut */
      for (const char *end = s; *s != '\n'; s = *end == ';' ? end + 2 : end) {
        end = s + strcspn(s, ";\n");
        const char *equal = strstr(s, " = ");
        assert_true(equal && equal < end && strstr(s, " x ") < equal);
      }
    }
    free(plan.configs);
  }
}

/* A sample that has one level of a factor says so of each. */
static void test_single(void **state) {
  (void)state;
  factors_plan plan = make(&(factors_request){.factors = "latent=2|8,lr=0.001|0.003", .seeds = 2, .random = 1});
  char expected[200];
  snprintf(expected, sizeof expected,
           "latent has one level in this part, %lld: nothing here tells what it does\n"
           "lr has one level in this part, %g: nothing here tells what it does\n",
           plan.configs[0].options.latent, plan.configs[0].options.lr);
  assert_string_equal(plan.aliases, expected);
  free(plan.configs);
  plan = make(&(factors_request){.factors = "latent=2|8,lr=0.001", .seeds = 1});
  assert_string_equal(plan.aliases, "");
  free(plan.configs);
}

/* What others are compared to: the first level that is listed, of attention alone none, of a switch off. */
static void test_first(void **state) {
  (void)state;
  static const struct {
    const char *factors, *first;
  } cases[] = {{"activation=relu|elu|selu,batchnorm,dropout=0.2|0.1", "activation=relu,dropout=0.2"},
               {"attention,activation", "activation=elu,attention=none"},
               {"attention=cbam|none,arch=35-25-5|12-8,lr=0.01|0.001", "attention=cbam,arch=35-25-5,lr=0.01"},
               {"batchnorm=on|off,latent=4", ""}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    factors_plan plan = make(&(factors_request){.factors = cases[i].factors, .seeds = 1});
    assert_string_equal(plan.first, cases[i].first);
    free(plan.configs);
  }
}

/* That they are a part is a sentence. */
static void test_part(void **state) {
  (void)state;
  static const struct {
    factors_request request;
    const char *part;
  } cases[] = {
      {{.factors = "attention,batchnorm,dropout", .seeds = 2}, ""},
      {{.factors = "attention,batchnorm,dropout", .seeds = 2, .random = 8}, ""},
      {{.factors = "attention,batchnorm,dropout", .seeds = 2, .random = 5},
       "these are 10 of 16 configurations, by --random 5"},
      {{.factors = "attention,batchnorm,dropout", .seeds = 1, .fraction = "1/2"},
       "these are 4 of 8 configurations, by --fraction 1/2"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    factors_plan plan = make(&cases[i].request);
    char part[FACTORS_PART];
    factors_say_part(&cases[i].request, &plan, part);
    assert_string_equal(part, cases[i].part);
    free(plan.configs);
  }
}

static void test_refuses(void **state) {
  (void)state;
  static const struct {
    factors_request request;
    const char *message;
  } cases[] = {
      {{.factors = "kernel=3|4", .seeds = 1}, "-kernel4-s768: --kernel 4 is even"},
      {{.factors = "kernel=1|3", .seeds = 1}, "--kernel: '1' is not a whole number from 3 to 15"},
      {{.factors = "batchnorm", .seeds = 1, .baselines = "batchnorm=of"},
       "batchnorm has no level 'of'; it has on, off"},
      {{.factors = "latent", .seeds = 1}, "latent needs its levels, such as latent=2|8"},
      {{.factors = "latent=2|x", .seeds = 1}, "--latent: 'x' is not a whole number from 1 to 65536"},
      {{.factors = "latent=2|02", .seeds = 1}, "latent has the level '02' twice"},
      {{.factors = "lr=0.1|1e-1", .seeds = 1}, "lr has the level '1e-1' twice"},
      {{.factors = "latent=2,latent=3", .seeds = 1}, "latent is there twice"},
      {{.factors = "seed=1|2", .seeds = 1}, "'seed' is not one of activation"},
      {{.factors = "dropout=on|0.1", .seeds = 1}, "words and numbers"},
      {{.factors = "batchnorm=0.1", .seeds = 1}, "batchnorm has no level '0.1', it has on|off"},
      {{.factors = "lr=0.00001", .seeds = 1}, "the configuration elu-spatial-bn-drop-lr1e-05-s768"},
      {{.factors = "arch=35-x", .seeds = 1}, "--arch: '35,x' is not a list"},
      {{.factors = "activation,batchnorm", .seeds = 1, .fraction = "1/2"}, "activation has 4; --random"},
      {{.factors = "batchnorm,dropout", .seeds = 1, .fraction = "1/2"}, "fewer configurations than"},
      {{.factors = "batchnorm,dropout,attention", .seeds = 1, .fraction = "1/3"}, "'1/3' is not one of 1/2, 1/4"},
      {{.factors = "batchnorm,dropout,attention", .seeds = 1, .random = 2, .fraction = "1/2"}, "give one"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    run_options options = run_options_default();
    factors_plan plan;
    options.activation = 0;
    const fovea_status status = factors_make(&cases[i].request, &options, &plan);
    free(plan.configs);
    if (status != FOVEA_INVALID || !strstr(fovea_error_message(), cases[i].message))
      fail_msg("%s: status %d, \"%s\"", cases[i].request.factors, status, fovea_error_message());
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_activations), cmocka_unit_test(test_numbers),   cmocka_unit_test(test_augmentation),
      cmocka_unit_test(test_fill),        cmocka_unit_test(test_random),    cmocka_unit_test(test_random_is_drawn),
      cmocka_unit_test(test_kernels),     cmocka_unit_test(test_fractions), cmocka_unit_test(test_first),
      cmocka_unit_test(test_single),      cmocka_unit_test(test_part),      cmocka_unit_test(test_refuses)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
