/* The reference against PyTorch: tests/golden/ops.txt, written by make_ops.py, whose head describes the format. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs the four above */
#include <cmocka.h>
#include <math.h>

#include "ref/network.h"

enum { MAX_TENSORS = 20, MAX_LEAVES = 2, NAME = 40 };

struct golden {
  char name[NAME], op[NAME];
  int d[8]; /* the case's integers */
  /* Of a case that says what it is of: the shape of each tensor that the op reads, and what it is asked for. */
  struct {
    char name[NAME];
    int shape[4];
  } leaf[MAX_LEAVES];
  int leaves;
  struct ref_asked asked;
  int tensors;
  struct {
    char name[NAME];
    int count;
    double *v;
  } tensor[MAX_TENSORS];
};

static double *get_or_null(const struct golden *g, const char *name) {
  for (int i = 0; i < g->tensors; i++)
    if (!strcmp(g->tensor[i].name, name)) return g->tensor[i].v;
  return NULL;
}

static double *get(const struct golden *g, const char *name) {
  double *v = get_or_null(g, name);
  if (!v) fail_msg("%s: ops.txt has no tensor %s", g->name, name);
  return v;
}

static int count(const struct golden *g, const char *name) {
  for (int i = 0; i < g->tensors; i++)
    if (!strcmp(g->tensor[i].name, name)) return g->tensor[i].count;
  return 0;
}

/* Frees got. The goldens have 12 digits. */
static void expect(const struct golden *g, const char *name, double *got) {
  const double *want = get(g, name);
  for (int i = 0; i < count(g, name); i++)
    if (!(fabs(got[i] - want[i]) <= 1e-10 + 1e-10 * fabs(want[i])))
      fail_msg("%s: %s[%d] is %.15g, PyTorch says %.15g", g->name, name, i, got[i], want[i]);
  free(got);
}

static double *zeros(const struct golden *g, const char *like) { return ref_alloc(count(g, like)); }

static void check_conv2d(const struct golden *g) {
  const int *d = g->d;
  struct ref_conv2d c = ref_conv2d_same(d[0], d[1], d[2], d[3], d[4], d[5], d[6]);
  if (d[7] >= 0) {
    c.top = c.left = d[7];
    c.oh = (d[2] + 2 * d[7] - d[5]) / d[6] + 1, c.ow = (d[3] + 2 * d[7] - d[5]) / d[6] + 1;
  }
  double *y = zeros(g, "y"), *dx = zeros(g, "x"), *dw = zeros(g, "w"), *b = get_or_null(g, "b"), *db = zeros(g, "b");
  assert_int_equal(count(g, "y"), c.n * c.k * c.oh * c.ow);
  ref_conv2d(&c, get(g, "x"), get(g, "w"), b, y);
  ref_conv2d_backward_data(&c, get(g, "dy"), get(g, "w"), dx);
  ref_conv2d_backward_weight(&c, get(g, "x"), get(g, "dy"), dw, b ? db : NULL);
  expect(g, "y", y);
  expect(g, "dx", dx);
  expect(g, "dw", dw);
  if (b)
    expect(g, "db", db);
  else
    free(db);
}

static void check_transpose(const struct golden *g) {
  const int *d = g->d;
  struct ref_conv2d c = ref_conv2d_same(d[0], d[1], d[2], d[3], d[4], d[5], d[6]);
  double *y = zeros(g, "y"), *dx = zeros(g, "x"), *dw = zeros(g, "w");
  assert_int_equal(count(g, "y"), c.n * c.c * c.h * c.w);
  ref_conv2d_transpose(&c, get(g, "x"), get(g, "w"), y);
  ref_conv2d_transpose_backward_data(&c, get(g, "dy"), get(g, "w"), dx);
  ref_conv2d_transpose_backward_weight(&c, get(g, "x"), get(g, "dy"), dw);
  expect(g, "y", y);
  expect(g, "dx", dx);
  expect(g, "dw", dw);
}

static void check_dense(const struct golden *g) {
  const int *d = g->d;
  double *y = zeros(g, "y"), *dx = zeros(g, "x"), *dw = zeros(g, "w"), *b = get_or_null(g, "b"), *db = zeros(g, "b");
  ref_dense(d[0], d[1], d[2], get(g, "x"), get(g, "w"), b, y);
  ref_dense_backward(d[0], d[1], d[2], get(g, "x"), get(g, "w"), get(g, "dy"), dx, dw, b ? db : NULL);
  expect(g, "y", y);
  expect(g, "dx", dx);
  expect(g, "dw", dw);
  if (b)
    expect(g, "db", db);
  else
    free(db);
}

static void check_batchnorm(const struct golden *g) {
  bool training = g->d[0];
  struct ref_batchnorm d = {g->d[1], g->d[1], g->d[2], g->d[3], 1e-3};
  double *y = zeros(g, "y"), *dx = zeros(g, "x"), *dgamma = zeros(g, "gamma"), *dbeta = zeros(g, "beta");
  double *batch_mean = zeros(g, "mean"), *batch_var = zeros(g, "mean");
  double *mean = get(g, "mean"), *var = get(g, "var"), *x = get(g, "x"), *gamma = get(g, "gamma");
  ref_batchnorm_statistics(&d, x, batch_mean, batch_var);
  ref_batchnorm(&d, x, training ? batch_mean : mean, training ? batch_var : var, gamma, get(g, "beta"), y);
  if (training)
    ref_batchnorm_backward(&d, x, batch_mean, batch_var, gamma, get(g, "dy"), dx, dgamma, dbeta);
  else
    ref_batchnorm_inference_backward(&d, x, mean, var, gamma, get(g, "dy"), dx, dgamma, dbeta);
  if (training) {
    ref_batchnorm_moving(d.c, 0.99, batch_mean, mean);
    ref_batchnorm_moving(d.c, 0.99, batch_var, var);
    memcpy(batch_mean, mean, sizeof *mean * (size_t)d.c);
    memcpy(batch_var, var, sizeof *var * (size_t)d.c);
    expect(g, "new_mean", batch_mean);
    expect(g, "new_var", batch_var);
  } else {
    free(batch_mean);
    free(batch_var);
  }
  expect(g, "y", y);
  expect(g, "dx", dx);
  expect(g, "dgamma", dgamma);
  expect(g, "dbeta", dbeta);
}

static void check_spatial(const struct golden *g) {
  const int *d = g->d;
  double *y = zeros(g, "y"), *dx = zeros(g, "x"), *dw = ref_alloc(50), *db = ref_alloc(1);
  double *w = get(g, "spatial_weight"), *b = get(g, "spatial_bias");
  ref_spatial_attention(d[0], d[1], d[2], d[3], get(g, "x"), w, b, y, NULL);
  ref_spatial_attention_backward(d[0], d[1], d[2], d[3], get(g, "x"), w, b, get(g, "dy"), dx, dw, db);
  expect(g, "y", y);
  expect(g, "dx", dx);
  expect(g, "dspatial_weight", dw);
  expect(g, "dspatial_bias", db);
}

static void check_channel(const struct golden *g) {
  struct ref_channel_attention d = {g->d[0], g->d[1], g->d[2] * g->d[3], g->d[4]};
  struct ref_mlp p = {get(g, "channel_fc1_weight"), get(g, "channel_fc1_bias"), get(g, "channel_fc2_weight"),
                      get(g, "channel_fc2_bias")};
  struct ref_mlp dp = {ref_alloc(d.c * d.hidden), ref_alloc(d.hidden), ref_alloc(d.c * d.hidden), ref_alloc(d.c)};
  double *y = zeros(g, "y"), *dx = zeros(g, "x");
  ref_channel_attention(&d, get(g, "x"), &p, y, NULL);
  ref_channel_attention_backward(&d, get(g, "x"), &p, get(g, "dy"), dx, &dp);
  expect(g, "y", y);
  expect(g, "dx", dx);
  expect(g, "dchannel_fc1_weight", dp.w1);
  expect(g, "dchannel_fc1_bias", dp.b1);
  expect(g, "dchannel_fc2_weight", dp.w2);
  expect(g, "dchannel_fc2_bias", dp.b2);
}

/* The case's name is the activation's. */
static enum ref_activation activation_named(const char *name) {
  static const char *const names[] = {
#define X(lower, NAME, moves_zero, ulp) [REF_##NAME] = #lower,
      FOVEA_ACTIVATIONS(X)
#undef X
  };
  for (int i = 0; i < (int)(sizeof names / sizeof *names); i++)
    if (!strcmp(names[i], name)) return (enum ref_activation)i;
  fail_msg("ops.txt: case %s: no such activation", name);
  return REF_LINEAR;
}

static void check_activation(const struct golden *g) {
  const enum ref_activation kind = activation_named(g->name);
  double *y = zeros(g, "y"), *dx = zeros(g, "x");
  ref_activation(kind, g->d[1], get(g, "x"), y);
  ref_activation_backward(kind, g->d[1], get(g, "x"), get(g, "dy"), dx);
  expect(g, "y", y);
  expect(g, "dx", dx);
}

static void check_dropout(const struct golden *g) {
  double *y = zeros(g, "y"), *dx = zeros(g, "x"), *keep = get(g, "keep");
  uint8_t mask[64];
  assert_true(g->d[0] <= 64);
  for (int i = 0; i < g->d[0]; i++) mask[i] = keep[i] != 0;
  ref_dropout(g->d[0], 0.2, mask, get(g, "x"), y);
  ref_dropout_backward(g->d[0], 0.2, mask, get(g, "dy"), dx);
  expect(g, "y", y);
  expect(g, "dx", dx);
}

static void check_reparameterize(const struct golden *g) {
  int n = g->d[0] * g->d[1];
  double *z = ref_alloc(n), *dmu = ref_alloc(n), *dlogvar = ref_alloc(n);
  ref_reparameterize(n, get(g, "mu"), get(g, "logvar"), get(g, "eps"), z);
  ref_reparameterize_backward(n, get(g, "logvar"), get(g, "eps"), get(g, "dy"), dmu, dlogvar);
  expect(g, "y", z);
  expect(g, "dmu", dmu);
  expect(g, "dlogvar", dlogvar);
}

static void check_kl(const struct golden *g) {
  double *kl = ref_alloc(1), *dmu = zeros(g, "mu"), *dlogvar = zeros(g, "mu"), *mu = get(g, "mu");
  *kl = ref_kl(g->d[0], g->d[1], mu, get(g, "logvar"));
  ref_kl_backward(g->d[0], g->d[1], *get(g, "dy"), mu, get(g, "logvar"), dmu, dlogvar);
  expect(g, "y", kl);
  expect(g, "dmu", dmu);
  expect(g, "dlogvar", dlogvar);
}

static void check_bce(const struct golden *g) {
  double *bce = ref_alloc(1), *dx = zeros(g, "x");
  *bce = ref_bce_sigmoid(g->d[0], get(g, "x"), get(g, "t"));
  ref_bce_sigmoid_backward(g->d[0], *get(g, "dy"), get(g, "x"), get(g, "t"), dx);
  expect(g, "y", bce);
  expect(g, "dx", dx);
}

static void check_adam(const struct golden *g) {
  struct ref_adam d = {0.005, 0.0098, 0.9, 0.999, 1e-7};
  int n = g->d[0];
  double *p = ref_alloc(n), *m = ref_alloc(n), *v = ref_alloc(n);
  memcpy(p, get(g, "p"), sizeof *p * (size_t)n);
  for (int t = 0; t < g->d[1]; t++) ref_adam(&d, t, n, get(g, "g") + t * n, m, v, p);
  expect(g, "new_p", p);
  free(m);
  free(v);
}

static const char *const OPS[] = {
#define X(name, NAME, flags) [REF_##NAME] = #name,
    FOVEA_OPS(X)
#undef X
};
enum { OP_COUNT = sizeof OPS / sizeof *OPS };

/* By the functions that the op has as a node of the reference's network. */
static void check_node(const struct golden *g) {
  struct ref_network *net = ref_network_create(768);
  struct ref_asked asked = g->asked;
  int op = 0;
  while (op < OP_COUNT && strcmp(OPS[op], g->op)) op++;
  if (op == OP_COUNT) fail_msg("ops.txt: case %s: no op %s", g->name, g->op);
  if (op == REF_ACTIVATION) asked.activation = activation_named(g->name);
  ref_network_begin(net, g->leaf[0].shape[0]);
  for (int i = 0; i < g->leaves; i++) {
    const int *shape = g->leaf[i].shape, n = count(g, g->leaf[i].name);
    struct ref_node *leaf = &net->nodes[ref_add_input(net, shape[1], shape[2], shape[3])];
    assert_int_equal(n, net->n * shape[1] * shape[2] * shape[3]);
    leaf->value = ref_alloc(n), leaf->gradient = ref_alloc(n);
    memcpy(leaf->value, get(g, g->leaf[i].name), sizeof(double) * (size_t)n);
  }
  const int node = ref_add(net, (enum ref_op)op, 0, g->leaves > 1 ? 1 : -1, "op", &asked);
  double *y = zeros(g, "y");
  assert_int_equal(count(g, "y"), net->n * net->nodes[node].c * net->nodes[node].h * net->nodes[node].w);
  ref_network_forward_node(net, node, NULL, 0, true);
  memcpy(y, net->nodes[node].value, sizeof *y * (size_t)count(g, "y"));
  expect(g, "y", y);
  memcpy(net->nodes[node].gradient, get(g, "dy"), sizeof *y * (size_t)count(g, "y"));
  ref_network_backward_node(net, node);
  for (int i = 0; i < g->leaves; i++) {
    char name[NAME + 2];
    snprintf(name, sizeof name, "d%s", g->leaf[i].name);
    double *dx = zeros(g, name);
    memcpy(dx, net->nodes[i].gradient, sizeof *dx * (size_t)count(g, name));
    expect(g, name, dx);
  }
  ref_network_destroy(net);
}

static const struct {
  const char *op;
  void (*check)(const struct golden *g);
} CHECKS[] = {
    {"conv2d", check_conv2d},
    {"conv2d_transpose", check_transpose},
    {"dense", check_dense},
    {"batchnorm", check_batchnorm},
    {"spatial_attention", check_spatial},
    {"channel_attention", check_channel},
    {"activation", check_activation},
    {"dropout", check_dropout},
    {"reparameterize", check_reparameterize},
    {"kl", check_kl},
    {"sigmoid_bce", check_bce},
    {"adam", check_adam},
};
enum { CHECK_COUNT = sizeof CHECKS / sizeof *CHECKS };

static FILE *file;
static char token[NAME]; /* the next word of the file, "" at its end */

static void next(void) {
  if (fscanf(file, "%39s", token) != 1) token[0] = 0;
}

static void read_tensor(struct golden *g) {
  assert_true(g->tensors < MAX_TENSORS);
  int i = g->tensors++;
  next();
  strcpy(g->tensor[i].name, token);
  next();
  g->tensor[i].count = atoi(token);
  g->tensor[i].v = ref_alloc(g->tensor[i].count);
  for (int j = 0; j < g->tensor[i].count; j++) {
    char *end;
    next();
    g->tensor[i].v[j] = strtod(token, &end);
    if (end == token || *end) fail_msg("ops.txt: case %s: \"%s\" is not a number", g->name, token);
  }
  next();
}

static int next_int(void) {
  next();
  return atoi(token);
}

static void read_leaf(struct golden *g) {
  assert_true(g->leaves < MAX_LEAVES);
  next();
  strcpy(g->leaf[g->leaves].name, token);
  for (int i = 0; i < 4; i++) g->leaf[g->leaves].shape[i] = next_int();
  g->leaves++;
  next();
}

/* Sets what an op is asked for, by its name in struct ref_asked; one of these two is not NULL. */
static void read_asked(struct golden *g) {
  struct ref_asked *a = &g->asked;
  const struct {
    const char *name;
    int *whole;
    double *real;
  } members[] = {{"c", &a->c, NULL},
                 {"h", &a->h, NULL},
                 {"w", &a->w, NULL},
                 {"filters", &a->filters, NULL},
                 {"kernel", &a->kernel, NULL},
                 {"stride", &a->stride, NULL},
                 {"padding", &a->padding, NULL},
                 {"out_h", &a->out_h, NULL},
                 {"out_w", &a->out_w, NULL},
                 {"momentum", NULL, &a->momentum},
                 {"epsilon", NULL, &a->epsilon},
                 {"rate", NULL, &a->rate},
                 {"kl_weight", NULL, &a->kl_weight}};
  size_t i = 0;
  next();
  while (i < sizeof members / sizeof *members && strcmp(members[i].name, token)) i++;
  if (i == sizeof members / sizeof *members) fail_msg("ops.txt: case %s: nothing is asked for as %s", g->name, token);
  char *end;
  next();
  const double value = strtod(token, &end);
  if (end == token || *end) fail_msg("ops.txt: case %s: \"%s\" is not a number", g->name, token);
  if (members[i].whole)
    *members[i].whole = (int)value;
  else
    *members[i].real = value;
  next();
}

static void skip_line(void) {
  for (int c = fgetc(file); c != '\n' && c != EOF;) c = fgetc(file);
  next();
}

/* Reads from the word `case` to the next one. */
static struct golden read_case(void) {
  struct golden g = {0};
  assert_string_equal(token, "case");
  next();
  strcpy(g.name, token);
  next();
  strcpy(g.op, token);
  next();
  for (int i = 0; i < 8 && (*token == '-' || (*token >= '0' && *token <= '9')); i++, next()) g.d[i] = atoi(token);
  while (!strcmp(token, "leaf")) read_leaf(&g);
  while (!strcmp(token, "asked")) read_asked(&g);
  if (!strcmp(token, "torch")) skip_line();
  while (!strcmp(token, "tensor")) read_tensor(&g);
  return g;
}

static bool check(const struct golden *g) {
  int i = 0;
  while (i < CHECK_COUNT && strcmp(CHECKS[i].op, g->op)) i++;
  if (g->leaves > 0)
    check_node(g);
  else if (i < CHECK_COUNT)
    CHECKS[i].check(g);
  return g->leaves > 0 || i < CHECK_COUNT;
}

static void test_goldens(void **state) {
  (void)state;
  int cases[OP_COUNT] = {0}, c;
  file = fopen(FOVEA_SOURCE_DIR "/tests/golden/ops.txt", "r");
  assert_non_null(file);
  while ((c = fgetc(file)) != '\n') assert_int_not_equal(c, EOF); /* what made it */
  for (next(); token[0];) {
    struct golden g = read_case();
    if (!check(&g)) fail_msg("ops.txt: case %s: no op %s", g.name, g.op);
    for (int op = 0; op < OP_COUNT; op++) cases[op] += !strcmp(OPS[op], g.op);
    for (int i = 0; i < g.tensors; i++) free(g.tensor[i].v);
  }
  fclose(file);
  for (int op = 0; op < OP_COUNT; op++)
    if (op != REF_INPUT && !cases[op]) fail_msg("ops.txt has no case of %s", OPS[op]);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_goldens)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
