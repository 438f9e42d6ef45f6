/* z = mu + exp(logvar / 2) eps, its samples, the divergence and the gradients of both. */
#include "op/op_test.h"

struct latent_case {
  struct chain_shape shape;
  int latent;
  double kl_weight;
};

static const struct latent_case cases[] = {
    {{"one value", 1, 1, 1, 1, 1, 1, 0, 0, 0, 0}, 1, 1},
    {{"latent 2", 1, 3, 5, 5, 5, 3, 0, 0, 0, 0}, 2, 0.001},
    {{"latent 7, a prime batch", 1, 3, 3, 17, 17, 3, 0, 0, 0, 0}, 7, 0.5},
    {{"latent 16, partial batch", 3, 2, 3, 64, 33, 5, 0, 0, 0, 0}, 16, 2},
    {{"no weight", 1, 2, 2, 16, 16, 1, 0, 0, 0, 0}, 3, 0},
};

static int run(const struct latent_case *c) {
  struct chain chain;
  int x = chain_begin(&chain, &c->shape);
  int mu = chain_dense(&chain, x, "mu", c->latent, true), logvar = chain_dense(&chain, x, "logvar", c->latent, true);
  return chain_end(&chain, chain_reparameterize(&chain, mu, logvar, c->kl_weight));
}

/* After a dropout: z draws as op 2. mu and logvar are one tensor. */
static int run_one_tensor(const struct latent_case *c) {
  struct chain chain;
  int x = chain_dropout(&chain, chain_begin(&chain, &c->shape), 0.25);
  int mu = chain_dense(&chain, x, "mu", c->latent, true);
  return chain_end(&chain, chain_reparameterize(&chain, mu, mu, c->kl_weight));
}

static void test_reparameterize(void **state) {
  (void)state;
  RUN_TABLE(run, cases);
}

static void test_one_tensor(void **state) {
  (void)state;
  RUN_TABLE(run_one_tensor, cases);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_reparameterize), cmocka_unit_test(test_one_tensor)};
  return cmocka_run_group_tests(tests, NULL, chain_close);
}
