/* Concatenation: as a view, and where an operand must be copied. */
#include "op/op_test.h"

static const fovea_conv2d conv3 = {.filters = 5, .kernel = 3, .stride = 1, .same = true};
static const fovea_conv2d conv1 = {.filters = 3, .kernel = 1, .stride = 1, .same = true, .bias = true};

static int plain(struct chain *chain, int x) { return chain_concat(chain, x, chain_conv2d(chain, x, "a", &conv3)); }

static int dense_block(struct chain *chain, int x) {
  x = chain_concat(chain, x, chain_conv2d(chain, x, "a", &conv3));
  x = chain_concat(chain, x, chain_activation(chain, chain_conv2d(chain, x, "b", &conv3), FOVEA_SIGMOID));
  return chain_concat(chain, x, chain_conv2d(chain, x, "c", &conv1));
}

static int twice(struct chain *chain, int x) { return chain_concat(chain, x, x); }

static int input_first(struct chain *chain, int x) { return chain_concat(chain, 0, x); }

static int input_last(struct chain *chain, int x) {
  return chain_conv2d(chain, chain_concat(chain, x, 0), "a", &conv3);
}

static int input_twice(struct chain *chain, int x) { return chain_concat(chain, chain_concat(chain, 0, 0), x); }

static int both_orders(struct chain *chain, int x) {
  int y = chain_conv2d(chain, x, "a", &conv3);
  return chain_concat(chain, chain_concat(chain, x, y), chain_concat(chain, y, x));
}

/* b is in two concatenations, and a convolution reads it after they were made. */
static int shared(struct chain *chain, int x) {
  int a = chain_conv2d(chain, x, "a", &conv3), b = chain_conv2d(chain, x, "b", &conv1);
  int ab = chain_concat(chain, a, b), bx = chain_concat(chain, b, x);
  int y = chain_conv2d(chain, b, "y", &conv3);
  return chain_concat(chain, chain_conv2d(chain, ab, "c", &conv3), chain_concat(chain, y, bx));
}

/* a is a slice of ab, and in the backward pass the first to touch the gradient of the whole. */
static int read_later(struct chain *chain, int x) {
  int a = chain_conv2d(chain, x, "a", &conv3), b = chain_conv2d(chain, x, "b", &conv1);
  int ab = chain_concat(chain, a, b), y = chain_conv2d(chain, ab, "y", &conv3);
  return chain_concat(chain, y, chain_conv2d(chain, a, "z", &conv1));
}

/* What is folded and what is reshaped are other nodes' values. */
static int folded(struct chain *chain, int x) {
  const struct ref_node *node = &chain->ref->nodes[x];
  int h = node->h, w = node->w;
  int a = chain_activation(chain, chain_dropout(chain, chain_batchnorm(chain, x, "a", 0.9, 1e-3), 0.25), FOVEA_ELU);
  int b = chain_reshape(chain, chain_batchnorm(chain, chain_dense(chain, x, "b", 2 * h * w, false), "bn", 0.9, 1e-3), 2,
                        h, w);
  return chain_concat(chain, chain_concat(chain, b, a), b);
}

struct concat_case {
  struct chain_shape shape;
  int (*build)(struct chain *chain, int x);
};

static const struct concat_case cases[] = {
    {{"one pixel", 1, 1, 1, 1, 1, 1, 0, 0, 0, 0}, plain},
    {{"an operand that is read", 1, 5, 7, 17, 17, 3, 0, 0, 0, 0}, plain},
    {{"a dense block", 3, 5, 3, 64, 37, 7, 0, 0, 0, 0}, dense_block},
    {{"the same tensor twice", 1, 5, 3, 5, 5, 5, 0, 0, 0, 0}, twice},
    {{"the images first", 3, 4, 3, 16, 16, 5, 0, 0, 0, 0}, input_first},
    {{"the images last", 1, 3, 5, 5, 5, 5, 0, 0, 0, 0}, input_last},
    {{"the images twice", 1, 3, 5, 5, 5, 5, 0, 0, 0, 0}, input_twice},
    {{"both orders", 1, 5, 7, 17, 11, 3, 0, 0, 0, 0}, both_orders},
    {{"in two, and read later", 3, 5, 7, 16, 16, 7, 0, 0, 0, 0}, shared},
    {{"a slice that is read after the whole", 1, 5, 3, 17, 11, 3, 0, 0, 0, 0}, read_later},
    {{"of folded and reshaped ones", 3, 3, 5, 17, 17, 5, 0, 0, 0, 0}, folded},
};

static int run(const struct concat_case *c) {
  struct chain chain;
  int x = chain_begin(&chain, &c->shape);
  return chain_end(&chain, c->build(&chain, x));
}

static void test_concat(void **state) {
  (void)state;
  RUN_TABLE(run, cases);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_concat)};
  return cmocka_run_group_tests(tests, NULL, chain_close);
}
