/* How words, switches, products and powers become columns of x; the names that they get; what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "fovea/stats.h"
#include "support/tempdir.h"

enum { MOST = 3 };

typedef struct design_case {
  const char *csv;
  const char *columns[MOST], *terms[MOST], *baselines[MOST], *categorical[MOST], *powers[MOST], *first[MOST];
  const char *block, *cluster;
  bool constant, all_levels, log;
  const char *expected; /* the design, or a part of the message */
} design_case;

static size_t count(const char *const *items) {
  size_t n = 0;
  while (n < MOST && items[n]) n++;
  return n;
}

static fovea_status make(const design_case *c, fovea_design **d) {
  fovea_table *t = NULL;
  if (fovea_table_read(temp_file("design.csv", c->csv, strlen(c->csv)), &t)) fail_msg("%s", fovea_error_message());
  const fovea_design_options o = {.columns = c->columns[0] ? c->columns : NULL,
                                  .column_count = count(c->columns),
                                  .terms = c->terms[0] ? c->terms : NULL,
                                  .term_count = count(c->terms),
                                  .baselines = c->baselines,
                                  .baseline_count = count(c->baselines),
                                  .first_levels = c->first,
                                  .first_level_count = count(c->first),
                                  .categorical = c->categorical,
                                  .categorical_count = count(c->categorical),
                                  .powers = c->powers,
                                  .power_count = count(c->powers),
                                  .block = c->block,
                                  .cluster = c->cluster,
                                  .constant = c->constant,
                                  .all_levels = c->all_levels,
                                  .log = c->log};
  fovea_status status = fovea_design_from_table(t, &o, d);
  fovea_table_destroy(t);
  return status;
}

/* "y: a b; 1 0; 0 1", and what is left out. */
static void flatten(const fovea_design *d, char *out, size_t size) {
  size_t used = (size_t)snprintf(out, size, "%s:", d->response);
  for (size_t j = 0; j < d->k; j++) used += (size_t)snprintf(out + used, size - used, " %s", d->names[j]);
  for (size_t i = 0; i < d->n; i++) {
    used += (size_t)snprintf(out + used, size - used, ";");
    for (size_t j = 0; j < d->k; j++) used += (size_t)snprintf(out + used, size - used, " %g", d->x[i * d->k + j]);
  }
  if (d->remarks) snprintf(out + used, size - used, " (%.*s)", (int)strlen(d->remarks) - 1, d->remarks);
}

#define WORDS "g,h,x,y\na,u,1,1\nb,v,2,2\nc,u,3,5\na,v,4,3\n"
#define SWEEP "activation,attention,batchnorm,dropout,seed,test_loss\n"
#define TWO_SEEDS SWEEP "selu,none,on,off,7,1\nelu,spatial,off,off,8,2\n"
#define RATES                                             \
  "activation,attention,batchnorm,dropout,lr,test_loss\n" \
  "elu,none,on,on,1,1\nelu,none,on,on,2,3\nelu,none,on,on,4,2\n"

static void test_designs(void **state) {
  (void)state;
  static const design_case cases[] = {
      /* against a baseline where the mean is held: by a constant, by another word column, by a column of ones */
      {.csv = WORDS, .columns = {"g"}, .expected = "y: g_a g_b g_c; 1 0 0; 0 1 0; 0 0 1; 1 0 0"},
      {.csv = WORDS, .columns = {"g"}, .constant = true, .expected = "y: const g_b g_c; 1 0 0; 1 1 0; 1 0 1; 1 0 0"},
      {.csv = WORDS, .columns = {"g", "h"}, .expected = "y: g_a g_b g_c h_v; 1 0 0 0; 0 1 0 1; 0 0 1 0; 1 0 0 1"},
      {.csv = "one,g,y\n2,a,1\n2,b,2\n2,a,3\n", .expected = "y: one g_b; 2 0; 2 1; 2 0"},
      {.csv = WORDS,
       .columns = {"g", "h"},
       .constant = true,
       .all_levels = true,
       .expected = "y: const g_a g_b g_c h_u h_v; 1 1 0 0 1 0; 1 0 1 0 0 1; 1 0 0 1 1 0; 1 1 0 0 0 1"},
      {.csv = WORDS,
       .columns = {"g"},
       .baselines = {"g=c"},
       .constant = true,
       .expected = "y: const g_a g_b; 1 1 0; 1 0 1; 1 0 0; 1 1 0"},
      /* numbers that are names, in their order */
      {.csv = "k,y\n10,1\n9,2\n10,4\n",
       .categorical = {"k"},
       .constant = true,
       .expected = "y: const k_10; 1 1; 1 0; 1 1"},
      {.csv = "k,y\n10,1\n9,2\n10.0,4\n", .categorical = {"k"}, .expected = "y: k_9 k_10; 0 1; 1 0; 0 1"},
      /* switches */
      {.csv = "s,y\nyes,1\nNo,2\nYES,4\n", .expected = "y: s; 1; 0; 1"},
      {.csv = "s,y\nTrue,1\nfalse,2\n", .constant = true, .expected = "y: const s; 1 1; 1 0"},
      {.csv = "s,y\non,1\noff,2\n", .baselines = {"s=on"}, .constant = true, .expected = "y: const s_off; 1 0; 1 1"},
      {.csv = "s,x,y\non,1,1\non,2,2\n", .expected = "y: s x; 1 1; 1 2"},
      {.csv = "s,y\non,1\nyes,2\n", .expected = "y: s_on s_yes; 1 0; 0 1"},
      /* one word in every row explains nothing beside a constant */
      {.csv = "w,x,y\nu,1,1\nu,2,2\n",
       .constant = true,
       .expected = "y: const x; 1 1; 1 2 (the same in every row, and left out: w)"},
      {.csv = "w,x,y\nu,1,1\nu,2,2\n", .expected = "y: w_u x; 1 1; 1 2"},
      /* products, with the columns of R's model.matrix */
      {.csv = WORDS,
       .terms = {"g*x"},
       .constant = true,
       .expected = "y: const g_b g_c x g_b:x g_c:x; 1 0 0 1 0 0; 1 1 0 2 2 0; 1 0 1 3 0 3; 1 0 0 4 0 0"},
      {.csv = WORDS,
       .terms = {"x", "g:x"},
       .constant = true,
       .expected = "y: const x g_b:x g_c:x; 1 1 0 0; 1 2 2 0; 1 3 0 3; 1 4 0 0"},
      {.csv = WORDS,
       .terms = {"g:x"},
       .constant = true,
       .expected = "y: const g_a:x g_b:x g_c:x; 1 1 0 0; 1 0 2 0; 1 0 0 3; 1 4 0 0"},
      {.csv = WORDS,
       .columns = {"h"},
       .terms = {"h:g"},
       .constant = true,
       .expected = "y: const h_v h_u:g_b h_v:g_b h_u:g_c h_v:g_c; 1 0 0 0 0 0; 1 1 0 1 0 0; 1 0 0 0 1 0; 1 1 0 0 0 0"},
      {.csv = "a:b,c,y\n2,3,1\n4,5,2\n", .terms = {"\"a:b\":c", "a:b"}, .expected = "y: a:b a:b:c; 2 6; 4 20"},
      /* powers */
      {.csv = "x,z,y\n2,1,1\n-3,2,2\n", .powers = {"x:3"}, .expected = "y: x x^2 x^3 z; 2 4 8 1; -3 9 -27 2"},
      {.csv = "x,z,y\n2,1,1\n-3,2,2\n", .columns = {"z"}, .powers = {"x:2"}, .expected = "y: z x x^2; 1 2 4; 2 -3 9"},
      /* blocks last, and not among the rest */
      {.csv = "s,x,y\n7,1,1\n8,2,2\n7,3,4\n",
       .block = "s",
       .constant = true,
       .expected = "y: const x s_8; 1 1 0; 1 2 1; 1 3 0"},
      {.csv = "s,x,y\n7,1,1\n8,2,2\n7,3,4\n",
       .cluster = "s",
       .expected = "y: x; 1; 2; 3 (s tells the clusters, and is no predictor unless it is named as one)"},
      /* names that are taken */
      {.csv = "w,w_u,y\nu,1,1\nv,2,2\n", .expected = "y: w_u_2 w_v w_u; 1 0 1; 0 1 2"},
      {.csv = "const,y\n3,1\n4,2\n",
       .constant = true,
       .expected =
           "y: const_2 const; 1 3; 1 4 (the column of ones is called const_2, since the table has a column const)"},
      {.csv = "x,y\n3,1\n4,7.38905609893065\n", .log = true, .expected = "log(y): x; 3; 4"},
      /* a sweep's own design: each factor against its baseline, seeds as blocks, other columns named */
      {.csv = TWO_SEEDS,
       .expected = "test_loss: const batchnorm attention_spatial activation_selu seed_8; 1 1 0 1 0; 1 0 1 0 1"},
      {.csv = SWEEP "selu,none,on,off,7,1\nelu,none,off,off,7,2\n",
       .baselines = {"activation=selu"},
       .expected = "test_loss: const batchnorm activation_elu; 1 1 0; 1 0 1"},
      {.csv = "width,activation,attention,batchnorm,dropout,test_loss\n8,elu,none,on,on,1\n2,elu,none,off,on,2\n",
       .expected = "test_loss: const batchnorm; 1 1; 1 0 (not among a sweep's own columns, and left out: width)"},
      {.csv = SWEEP "selu,cbam,on,off,7,1\nelu,none,off,off,7,2\n", /* cbam is the first by alphabet */
       .expected = "test_loss: const batchnorm attention_cbam activation_selu; 1 1 1 1; 1 0 0 0"},
      {.csv = SWEEP "selu,cbam,on,off,7,1\nelu,none,off,off,7,2\n",
       .first = {"attention=cbam", "activation=selu", "batchnorm=on"},
       .expected = "test_loss: const batchnorm attention_none activation_elu; 1 1 0 0; 1 0 1 1"},
      /* a first level is no more than that: a baseline goes before it, and what fits nothing is passed over */
      {.csv = WORDS,
       .columns = {"g"},
       .first = {"g=c", "h=v", "q=1"},
       .constant = true,
       .expected = "y: const g_a g_b; 1 1 0; 1 0 1; 1 0 0; 1 1 0"},
      {.csv = WORDS,
       .columns = {"g"},
       .first = {"g=z"},
       .constant = true,
       .expected = "y: const g_b g_c; 1 0 0; 1 1 0; 1 0 1; 1 0 0"},
      {.csv = WORDS,
       .columns = {"g"},
       .first = {"g=c"},
       .baselines = {"g=b"},
       .constant = true,
       .expected = "y: const g_a g_c; 1 1 0; 1 0 0; 1 0 1; 1 1 0"},
      /* a rate is its logarithm in a sweep's table, whoever asks for it; in others it is a number */
      {.csv = RATES, .expected = "test_loss: const log(lr); 1 0; 1 0.693147; 1 1.38629"},
      {.csv = RATES,
       .terms = {"lr"},
       .constant = true,
       .expected = "test_loss: const log(lr); 1 0; 1 0.693147; 1 1.38629 "
                   "(lr is in the model as its natural logarithm, as in a sweep's own)"},
      {.csv = RATES,
       .columns = {"lr"},
       .powers = {"lr:2"},
       .expected = "test_loss: log(lr) log(lr)^2; 0 0; 0.693147 0.480453; 1.38629 1.92181 "
                   "(lr is in the model as its natural logarithm, as in a sweep's own)"},
      {.csv = RATES,
       .terms = {"lr"},
       .categorical = {"lr"},
       .constant = true,
       .expected = "test_loss: const lr_2 lr_4; 1 0 0; 1 1 0; 1 0 1"},
      {.csv = "lr,y\n1,1\n2,2\n4,5\n", .expected = "y: lr; 1; 2; 4"},
      /* words that are alike */
      {.csv = "w,y\nu,1\nU,2\nv,4\n",
       .constant = true,
       .expected = "y: const w_u w_v; 1 1 0; 1 0 0; 1 0 1 (the column w has words that differ only in their case, such "
                   "as U and u: they are different names here)"},
      {.csv = TWO_SEEDS,
       .all_levels = true,
       .expected = "test_loss: BatchNorm SpatialAttention Activation_elu Activation_selu; 1 0 0 1; 0 1 1 0"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    fovea_design *d = NULL;
    char got[600] = "";
    if (make(&cases[i], &d)) fail_msg("case %zu: %s", i, fovea_error_message());
    flatten(d, got, sizeof got);
    fovea_design_destroy(d);
    if (strcmp(got, cases[i].expected)) fail_msg("case %zu: got \"%s\", expected \"%s\"", i, got, cases[i].expected);
  }
}

static void test_refused(void **state) {
  (void)state;
  static const design_case cases[] = {
      {.csv = WORDS,
       .baselines = {"g=z"},
       .expected = "the column g has no level z to be its baseline; it has a, b, c"},
      {.csv = WORDS, .baselines = {"x=1"}, .expected = "the column x has numbers and no baseline"},
      {.csv = WORDS, .baselines = {"q=1"}, .expected = "the baseline \"q=1\" is of no predictor"},
      {.csv = WORDS, .columns = {"x"}, .baselines = {"g=a"}, .expected = "the baseline \"g=a\" is of no predictor"},
      {.csv = WORDS, .columns = {"g"}, .categorical = {"x"}, .expected = "the categorical column x is no predictor"},
      {.csv = WORDS, .terms = {"g*"}, .expected = "the term \"g*\": a name is missing"},
      {.csv = WORDS, .terms = {"\"g"}, .expected = "a quote is not closed"},
      {.csv = WORDS, .terms = {"\"g\"x"}, .expected = "after a name there must be * or :"},
      {.csv = WORDS, .terms = {"g:q"}, .expected = "there is no column q; the columns are g, h, x, y"},
      {.csv = WORDS, .terms = {"g:y"}, .expected = "the response y is among the predictors"},
      {.csv = "a,b,c,d,e,f,g,y\n1,1,1,1,1,1,1,1\n2,2,2,2,2,2,2,2\n",
       .terms = {"a*b*c*d*e*f*g"},
       .expected = "more than 6 operands"},
      {.csv = WORDS, .terms = {"x:x"}, .expected = "x is there twice; powers of a number are made by --poly x:2"},
      {.csv = WORDS, .terms = {"g*x*h:g"}, .expected = "g is there twice"},
      {.csv = WORDS, .powers = {"x"}, .expected = "\"x\" is no column and degree"},
      {.csv = WORDS, .powers = {"x:0"}, .expected = "\"x:0\" is no column and degree"},
      {.csv = WORDS, .powers = {"x:2a"}, .expected = "\"x:2a\" is no column and degree"},
      {.csv = WORDS, .powers = {"g:2"}, .expected = "the column g has no numbers to make powers of"},
      {.csv = WORDS, .block = "g", .columns = {"g"}, .expected = "the block g is among the predictors"},
      {.csv = WORDS, .block = "y", .expected = "the response y is the block"},
      {.csv = WORDS, .cluster = "q", .expected = "there is no column q"},
      {.csv = "s,x,y\n7,1,1\n7,2,2\n", .cluster = "s", .expected = "the column s is the same in every row; clusters"},
      {.csv = "s,x,y\n7,1,1\n,2,2\n", .cluster = "s", .expected = "line 3, column s: \"\" is a missing value"},
      {.csv = "x,y\n1,2\n3,0\n", .log = true, .expected = "line 3, column y: \"0\" has no logarithm"},
      {.csv = TWO_SEEDS,
       .all_levels = true,
       .block = "seed",
       .expected = "the original experiment's design, which has"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    fovea_design *d = NULL;
    fovea_status status = make(&cases[i], &d);
    if (status != FOVEA_INVALID || d || !strstr(fovea_error_message(), cases[i].expected))
      fail_msg("case %zu: status %d, \"%s\", expected \"%s\"", i, status, fovea_error_message(), cases[i].expected);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_designs), cmocka_unit_test(test_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
