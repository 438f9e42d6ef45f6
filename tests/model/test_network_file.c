/* A network in a file: what comes out is what went in, to the last bit, for a graph of every op; and what is not so is
 * refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>
#include <math.h>

#include "fovea/network.h"
#include "fovea/safetensors.h"
#include "graph/op.h"
#include "model/graph_json.h"
#include "support/device.h"
#include "support/every_op.h"
#include "support/tempdir.h"

enum { BATCH = 12, IMAGES = 9, STEPS = 3, MOST_NUMBERS = 1 << 16, MOST_TENSORS = 512, MOST_TEXT = 1 << 15 };

static const uint64_t seed = UINT64_MAX - 41;

static uint8_t pixels[IMAGES * EVERY_OP_IMAGE];
static char path[1024], other[1024];
static fovea_graph *graph; /* of every op, some of it kept */
static fovea_network *network;

static void train(fovea_network *net, int steps) {
  fovea_losses losses;
  for (int i = 0; i < steps; i++) OK(fovea_network_train_step(net, pixels, NULL, IMAGES, 0.01f));
  OK(fovea_network_losses(net, &losses));
}

static int set_up(void **state) {
  for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)(i * 37 % 251);
  snprintf(path, sizeof path, "%s", temp_path("network.safetensors"));
  snprintf(other, sizeof other, "%s", temp_path("other.safetensors"));
  if (open_device(state)) return -1;
  const fovea_network_options options = {.batch = BATCH, .seed = seed, .training = true};
  graph = every_op_graph();
  for (fovea_tensor t = 0; t < every_op_count(graph); t += 3) OK(fovea_graph_keep(graph, t));
  OK(fovea_network_create(device, graph, &options, &network));
  train(network, STEPS);
  OK(fovea_network_save(network, path));
  return 0;
}

static int tear_down(void **state) {
  fovea_network_destroy(network);
  fovea_graph_destroy(graph);
  return close_device(state);
}

/* --- what comes out
 * --------------------------------------------------------------------------------------------------- */

/* All that a node is but for its op's attributes lies in members that are compared here, too. */
static int differ(const fovea_node *a, const fovea_node *b) {
  bool same = a->op == b->op && strcmp(a->name, b->name) == 0 && a->input_count == b->input_count &&
              memcmp(a->inputs, b->inputs, sizeof a->inputs) == 0 && a->random == b->random && a->kept == b->kept &&
              a->c == b->c && a->h == b->h && a->w == b->w && a->top == b->top && a->left == b->left &&
              a->conv.filters == b->conv.filters && a->conv.kernel == b->conv.kernel &&
              a->conv.stride == b->conv.stride && a->conv.bias == b->conv.bias && a->conv.same == b->conv.same &&
              a->conv.padding == b->conv.padding && a->activation == b->activation &&
              memcmp(&a->momentum, &b->momentum, sizeof a->momentum) == 0 &&
              memcmp(&a->epsilon, &b->epsilon, sizeof a->epsilon) == 0 &&
              memcmp(&a->kl_weight, &b->kl_weight, sizeof a->kl_weight) == 0 &&
              memcmp(&a->rate, &b->rate, sizeof a->rate) == 0 && a->parameter_count == b->parameter_count;
  for (int i = 0; i < a->parameter_count && same; i++) {
    const fovea_parameter_spec *p = &a->parameters[i], *q = &b->parameters[i];
    same = strcmp(p->name, q->name) == 0 && memcmp(p->dims, q->dims, sizeof p->dims) == 0 && p->initial == q->initial &&
           memcmp(p->rows, q->rows, sizeof p->rows) == 0 && memcmp(p->columns, q->columns, sizeof p->columns) == 0;
  }
  if (!same) fprintf(stderr, "node %s %s\n", a->op->name, a->name);
  return !same;
}

static void assert_same_graph(const fovea_graph *a, const fovea_graph *b) {
  int failures = 0;
  assert_int_equal(a->count, b->count);
  for (int i = 0; i < a->count; i++) failures += differ(&a->nodes[i], &b->nodes[i]);
  assert_true(a->input == b->input && a->latent == b->latent && a->loss == b->loss);
  assert_int_equal(a->random_count, b->random_count);
  if (failures) fail_msg("%d nodes", failures);
}

/* Parameters and moments. */
static size_t numbers_of(fovea_network *net, bool moments, float *out) {
  size_t used = 0;
  for (size_t i = 0; i < fovea_network_parameter_count(net); i++) {
    const fovea_parameter *p = fovea_network_parameter(net, i);
    static const fovea_value all[] = {FOVEA_VALUE, FOVEA_FIRST_MOMENT, FOVEA_SECOND_MOMENT};
    for (int k = 0; k < (moments && p->trainable ? 3 : 1); k++, used += p->count) {
      assert_true(used + p->count <= MOST_NUMBERS);
      OK(fovea_network_get(net, i, all[k], out + used));
    }
  }
  return used;
}

static void assert_same_network(fovea_network *a, fovea_network *b, bool moments) {
  static float of_a[MOST_NUMBERS], of_b[MOST_NUMBERS];
  const size_t count = numbers_of(a, moments, of_a);
  assert_true(count > 100);
  assert_int_equal(numbers_of(b, moments, of_b), count);
  assert_memory_equal(of_a, of_b, 4 * count);
  assert_int_equal(fovea_network_get_step(a), fovea_network_get_step(b));
  for (fovea_tensor t = 0; t < graph->count; t++) {
    if (!fovea_graph_is_result(graph, t)) continue;
    OK(fovea_network_evaluate(a, pixels, NULL, IMAGES, 7));
    OK(fovea_network_evaluate(b, pixels, NULL, IMAGES, 7));
    OK(fovea_network_read(a, t, IMAGES, of_a));
    OK(fovea_network_read(b, t, IMAGES, of_b));
    const fovea_node *n = &graph->nodes[t];
    assert_memory_equal(of_a, of_b, sizeof(float) * IMAGES * (size_t)(n->c * n->h * n->w));
  }
}

static void test_round_trip(void **state) {
  (void)state;
  fovea_graph *loaded_graph = NULL;
  fovea_network *loaded = NULL;
  OK(fovea_network_load(device, path, NULL, &loaded_graph, &loaded));
  assert_same_graph(graph, loaded_graph);
  assert_same_network(network, loaded, true);
  train(network, STEPS);
  train(loaded, STEPS);
  assert_same_network(network, loaded, true);
  fovea_network_destroy(loaded);
  fovea_graph_destroy(loaded_graph);
}

static uint8_t *slurp(const char *name, size_t *size) {
  FILE *f = fopen(name, "rb");
  assert_non_null(f);
  uint8_t *data = malloc(1 << 22);
  assert_non_null(data);
  *size = fread(data, 1, 1 << 22, f);
  fclose(f);
  return data;
}

static void test_saved_again(void **state) {
  (void)state;
  fovea_graph *loaded_graph = NULL;
  fovea_network *loaded = NULL;
  size_t size = 0, size_again = 0;
  OK(fovea_network_load(device, path, NULL, &loaded_graph, &loaded));
  OK(fovea_network_save(loaded, other));
  uint8_t *once = slurp(path, &size), *twice = slurp(other, &size_again);
  assert_int_equal(size, size_again);
  assert_memory_equal(once, twice, size);
  free(once);
  free(twice);
  fovea_network_destroy(loaded);
  fovea_graph_destroy(loaded_graph);
}

/* Numbers that a few digits would not bring back. */
static void test_last_bits(void **state) {
  (void)state;
  fovea_graph *odd = NULL, *loaded_graph = NULL;
  fovea_network *made = NULL, *loaded = NULL;
  OK(fovea_graph_create(&odd));
  fovea_tensor x = fovea_add_batchnorm(odd, fovea_add_input(odd, 1, 2, 2), "\xc3\xa4 \\/\n", 1 - 0x1p-24f, 0x1p-149f);
  x = fovea_add_dropout(odd, fovea_add_dropout(odd, x, 1.0 / 3.0), 1.0 - 0x1p-32);
  x = fovea_add_dropout(odd, fovea_add_dropout(odd, x, 0x1p-1074), -0.0);
  x = fovea_add_dense(odd, x, "d", 2, true);
  fovea_add_reparameterize(odd, x, x, nextafterf(0.1f, 1));
  const fovea_network_options options = {.batch = 65, .seed = 0};
  OK(fovea_network_create(device, odd, &options, &made));
  OK(fovea_network_set_step(made, UINT32_MAX));
  OK(fovea_network_save(made, other));
  OK(fovea_network_load(device, other, NULL, &loaded_graph, &loaded));
  assert_same_graph(odd, loaded_graph);
  assert_int_equal(fovea_network_get_step(loaded), UINT32_MAX);
  fovea_network_destroy(loaded);
  fovea_network_destroy(made);
  fovea_graph_destroy(loaded_graph);
  fovea_graph_destroy(odd);
}

static void test_other_options(void **state) {
  (void)state;
  const fovea_network_options fixed = {.batch = 3, .seed = 1}, trained = {.batch = 3, .seed = 1, .training = true};
  fovea_graph *loaded_graph = NULL;
  fovea_network *loaded = NULL;
  float value;
  OK(fovea_network_load(device, path, &fixed, &loaded_graph, &loaded));
  assert_memory_equal(fovea_network_get_options(loaded), &fixed, sizeof fixed);
  assert_int_equal(fovea_network_train_step(loaded, pixels, NULL, 1, 0.1f), FOVEA_INVALID);
  assert_int_equal(fovea_network_evaluate(loaded, pixels, NULL, 4, 0), FOVEA_INVALID);
  assert_int_equal(fovea_network_get_step(loaded), STEPS);
  OK(fovea_network_save(loaded, other));
  fovea_network_destroy(loaded);
  fovea_graph_destroy(loaded_graph);
  loaded = NULL, loaded_graph = NULL;
  assert_int_equal(fovea_network_load(device, other, &trained, &loaded_graph, &loaded), FOVEA_INVALID);
  assert_non_null(strstr(fovea_error_message(), "evaluation only"));
  assert_true(!loaded && !loaded_graph);
  OK(fovea_network_load(device, other, NULL, &loaded_graph, &loaded));
  assert_int_equal(fovea_network_get(loaded, 0, FOVEA_FIRST_MOMENT, &value), FOVEA_INVALID);
  fovea_network_destroy(loaded);
  fovea_graph_destroy(loaded_graph);
}

/* A batch or a seed of 0 is the saved one; and what was loaded says what it is. */
static void test_saved_options(void **state) {
  (void)state;
  const fovea_network_options inspected = {.inspect = true};
  fovea_graph *loaded_graph = NULL;
  fovea_network *loaded = NULL;
  OK(fovea_network_load(device, path, &inspected, &loaded_graph, &loaded));
  const fovea_network_options *o = fovea_network_get_options(loaded);
  assert_int_equal(o->batch, BATCH);
  assert_true(o->seed == seed && !o->training && o->inspect);
  assert_int_equal(fovea_network_input(loaded), graph->input);
  assert_int_equal(fovea_network_output(loaded), graph->count - 1);
  fovea_network_destroy(loaded);
  fovea_graph_destroy(loaded_graph);
  loaded = NULL, loaded_graph = NULL;
  OK(fovea_network_load(device, path, NULL, &loaded_graph, &loaded));
  o = fovea_network_get_options(loaded);
  assert_true(o->batch == BATCH && o->seed == seed && o->training && !o->inspect);
  for (fovea_tensor t = 0; t < graph->count; t++)
    assert_int_equal(fovea_network_keeps(loaded, t), fovea_graph_is_result(graph, t));
  fovea_network_destroy(loaded);
  fovea_graph_destroy(loaded_graph);
}

/* Without a device; and it goes on from there. */
static void test_graph_alone(void **state) {
  (void)state;
  fovea_graph *loaded = NULL;
  OK(fovea_graph_load(path, &loaded));
  assert_same_graph(graph, loaded);
  assert_true(fovea_add_activation(loaded, 0, FOVEA_RELU) == graph->count);
  fovea_graph_destroy(loaded);
}

/* --- what is refused -------------------------------------------------------------------------------------------------
 */

/* The file with this metadata, and without the tensor called `without`. */
static fovea_status write_changed(const char *graph_text, const char *options_text, const char *without) {
  fovea_safetensors *file = NULL;
  fovea_safetensor kept[MOST_TENSORS];
  size_t count = 0;
  OK(fovea_safetensors_open(path, &file));
  for (size_t i = 0; i < fovea_safetensors_count(file); i++) {
    const fovea_safetensor *t = fovea_safetensors_get(file, i);
    assert_true(count < MOST_TENSORS);
    if (!without || strcmp(t->name, without) != 0) kept[count++] = *t;
  }
  const fovea_safetensor_text texts[] = {{"graph", graph_text}, {"network", options_text}};
  const fovea_status status = fovea_safetensors_write(other, kept, count, texts, options_text ? 2 : 1);
  fovea_safetensors_close(file);
  return status;
}

static void metadata(const char *key, char text[MOST_TEXT]) {
  fovea_safetensors *file = NULL;
  OK(fovea_safetensors_open(path, &file));
  const char *value = fovea_safetensors_metadata(file, key);
  assert_true(value && strlen(value) < MOST_TEXT);
  snprintf(text, MOST_TEXT, "%s", value);
  fovea_safetensors_close(file);
}

/* The first `from` becomes `to`. */
static void change(char text[MOST_TEXT], const char *from, const char *to) {
  static char rest[MOST_TEXT];
  char *at = strstr(text, from);
  if (!at) fail_msg("'%s' is not in %s", from, text);
  snprintf(rest, sizeof rest, "%s", at + strlen(from));
  snprintf(at, (size_t)(text + MOST_TEXT - at), "%s%s", to, rest);
}

typedef struct changed {
  const char *from, *to, *part; /* of the message */
} changed;

static const changed of_graph[] = {
    {"\"version\":2", "\"version\":3", "version 3, this library reads 1 to 2"},
    {"\"version\":2", "\"version\":0", "version 0, this library reads 1 to 2"},
    {"\"version\":2", "\"version\":1", "'parameters' is unknown"},
    {"\"version\":2,", "", "'version' is missing"},
    {"\"version\":2", "\"version\":\"2\"", "'version' is of another type, expected an integer"},
    {"\"version\":2", "\"version\":2,\"more\":[]", "'more' is unknown"},
    {"\"op\":\"conv2d\"", "\"op\":\"conv3d\"", "'conv3d' is no op"},
    {"\"op\":\"conv2d\"", "\"op\":3", "'op' is of another type"},
    {"\"op\":\"conv2d\"", "\"op\":\"dense\"", "'units' is missing"},
    {"\"op\":\"conv2d\"", "\"op\":\"conv2d\",\"op\":\"conv2d\"", "duplicate"},
    {"\"filters\":3", "\"filters\":-3", "-3 filters"},
    {"\"filters\":3", "\"filters\":3.0", "'filters' is of another type"},
    {"\"filters\":3", "\"filters\":4294967299", "'filters' is 4294967299"},
    {"\"filters\":3", "\"filters\":4", "'shape' says 3x8x8"},
    {"\"filters\":3", "\"filters\":3,\"groups\":1", "the attributes of conv2d: 'groups' is unknown"},
    {"\"filters\":3,", "", "'filters' is missing"},
    {"\"bias\":true", "\"bias\":1", "'bias' is of another type, expected a boolean"},
    {"\"activation\":\"relu\"", "\"activation\":\"gelu\"", "'gelu' is no activation"},
    {"\"momentum\":", "\"momentum\":1e300,\"more\":", "'momentum' is 1e+300"},
    {"\"momentum\":", "\"momentum\":7,\"epsilon_\":", "'epsilon_' is unknown"},
    {"\"rate\":0.20000000000000001", "\"rate\":1.5", "rate 1.5"},
    {"\"inputs\":[0]", "\"inputs\":[]", "takes 1 inputs, 'inputs' has 0"},
    {"\"inputs\":[0]", "\"inputs\":[-1]", "input -1 is not a tensor"},
    {"\"inputs\":[0]", "\"inputs\":[900]", "input 900 is not a tensor"},
    {"\"inputs\":[0]", "\"inputs\":[0,0]", "takes 1 inputs, 'inputs' has 2"},
    {"\"inputs\":[0]", "\"inputs\":[0,0,0]", "'inputs' has 3 numbers"},
    {"\"inputs\":[0]", "\"inputs\":[\"a\"]", "'inputs' has what is no integer"},
    {"\"name\":\"valid\"", "\"name\":\"conv1\"", "conv1"},
    {"\"name\":\"valid\"", "\"name\":\"\"", "the name is empty"},
    {"\"shape\":[2,8,8]", "\"shape\":[2,8]", "'shape' has 2 numbers"},
    {"\"shape\":[2,8,8]", "\"shape\":[2,8,9]", "'shape' says 2x8x9"},
    {"\"parameters\":[\"conv1.weight\"", "\"parameters\":[\"conv1.wait\"",
     "'parameters' of this conv2d is not what follows"},
    {"\"pads\":[1,1,1,1]", "\"pads\":[1,1,1,2]", "'pads' of this conv2d is not what follows"},
    {",\"pads\":[1,1,1,1]", "", "'pads' of this conv2d is missing"},
    {"\"columns\":[", "\"columns\":[0,", "'columns' of this dense is not what follows"},
    {"\"rows\":[", "\"rows\":[0,", "'rows' of this dense is not what follows"},
    {"\"kept\":[0", "\"kept\":[-1", "-1 is not one of"},
    {"\"kept\":[0", "\"kept\":[0.5", "'kept' has what is no integer"},
    {"\"kept\":", "\"kept_\":", "'kept_' is unknown"},
    {"\"nodes\":[", "\"nodes\":[7,", "node 0: it is no object"},
    {"{", "[", "it is no JSON object"},
};

static const changed of_options[] = {
    {"\"batch\":12", "\"batch\":0", "\"batch\":0"},
    {"\"batch\":12", "\"batch\":65537", "65537"},
    {"\"batch\":12,", "", "is not what fovea_network_save writes"},
    {"\"seed\":\"", "\"seed\":\"0", "is not what"},
    {"\"seed\":\"", "\"seed\":\"-", "is not what"},
    {"\"seed\":\"", "\"seed\":\"9", "is not what"},
    {"\"training\":true", "\"training\":1", "is not what"},
    {"\"step\":3", "\"step\":-3", "is not what"},
    {"\"step\":3", "\"step\":4294967296", "is not what"},
    {"\"step\":3", "\"step\":3,\"more\":4", "is not what"},
    {"{", "{{", "is not what"},
};

static int refused(const char *what, const char *part) {
  fovea_graph *loaded_graph = NULL;
  fovea_network *loaded = NULL;
  const fovea_status status = fovea_network_load(device, other, NULL, &loaded_graph, &loaded);
  const char *message = fovea_error_message();
  if (status == FOVEA_INVALID && !loaded && !loaded_graph && strstr(message, part) && strstr(message, other)) return 0;
  fprintf(stderr, "%s: %d, '%s' expected in: %s\n", what, (int)status, part, message);
  fovea_network_destroy(loaded);
  fovea_graph_destroy(loaded_graph);
  return 1;
}

static void test_refused(void **state) {
  (void)state;
  static char graph_text[MOST_TEXT], options_text[MOST_TEXT];
  int failures = 0;
  for (size_t i = 0; i < sizeof of_graph / sizeof *of_graph; i++) {
    metadata("graph", graph_text), metadata("network", options_text);
    change(graph_text, of_graph[i].from, of_graph[i].to);
    OK(write_changed(graph_text, options_text, NULL));
    failures += refused(of_graph[i].to, of_graph[i].part);
  }
  for (size_t i = 0; i < sizeof of_options / sizeof *of_options; i++) {
    metadata("graph", graph_text), metadata("network", options_text);
    change(options_text, of_options[i].from, of_options[i].to);
    OK(write_changed(graph_text, options_text, NULL));
    failures += refused(of_options[i].to, of_options[i].part);
  }
  if (failures) fail_msg("%d files", failures);
}

static void test_other_tensors(void **state) {
  (void)state;
  static char graph_text[MOST_TEXT], options_text[MOST_TEXT];
  static const char *const names[] = {"bn1.running_var", "optimizer.m.conv2.weight", "optimizer.v.mu.bias"};
  int failures = 0;
  metadata("graph", graph_text), metadata("network", options_text);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    OK(write_changed(graph_text, options_text, names[i]));
    failures += refused(names[i], names[i]);
  }
  OK(write_changed(graph_text, NULL, NULL));
  failures += refused("without options", "its metadata has no 'network'");
  change(graph_text, "\"name\":\"conv2\"", "\"name\":\"conv2_\"");
  change(graph_text, "[\"conv2.weight\"]", "[\"conv2_.weight\"]");
  OK(write_changed(graph_text, options_text, NULL));
  failures += refused("another name", "conv2_.weight");
  if (failures) fail_msg("%d files", failures);
}

/* What version 1 did not have is away, and the graph the same. */
static void test_first_version(void **state) {
  (void)state;
  static char text[MOST_TEXT];
  static const char *const facts[] = {"parameters", "pads", "rows", "columns"};
  fovea_graph *loaded = NULL;
  json_t *node = NULL;
  size_t i = 0;
  metadata("graph", text);
  json_t *root = json_loads(text, 0, NULL);
  assert_int_equal(json_object_set_new(root, "version", json_integer(1)), 0);
  json_array_foreach(json_object_get(root, "nodes"), i, node) {
    for (size_t k = 0; k < sizeof facts / sizeof *facts; k++) json_object_del(node, facts[k]);
  }
  char *first = json_dumps(root, JSON_REAL_PRECISION(17));
  assert_true(strlen(first) < strlen(text));
  OK(fovea_graph_from_json(first, &loaded));
  assert_same_graph(graph, loaded);
  fovea_graph_destroy(loaded);
  json_decref(root);
  free(first);
}

/* Which no builder would make. */
static void test_loss_without_the_images(void **state) {
  (void)state;
  static const char text[] =
      "{\"version\":1,\"nodes\":["
      "{\"op\":\"input\",\"name\":\"\",\"inputs\":[],\"attributes\":{\"channels\":1,\"height\":1,\"width\":1},"
      "\"shape\":[1,1,1]},"
      "{\"op\":\"activation\",\"name\":\"\",\"inputs\":[0],\"attributes\":{\"activation\":\"relu\"},\"shape\":[1,1,1]},"
      "{\"op\":\"sigmoid_bce\",\"name\":\"\",\"inputs\":[1,1],\"attributes\":{},\"shape\":[1,1,1]}],\"kept\":[]}";
  fovea_graph *made = NULL;
  assert_int_equal(fovea_graph_from_json(text, &made), FOVEA_INVALID);
  assert_non_null(
      strstr(fovea_error_message(), "node 2: sigmoid_bce compares with the images, 'inputs' says with tensor 1"));
  assert_null(made);
}

static void test_not_to_be_saved(void **state) {
  (void)state;
  const fovea_network_options options = {.batch = 1};
  fovea_graph *made_graph = NULL;
  fovea_network *made = NULL;
  const float nan = NAN;
  OK(fovea_graph_create(&made_graph));
  fovea_add_dense(made_graph, fovea_add_input(made_graph, 1, 1, 1), "\xff", 1, false);
  OK(fovea_network_create(device, made_graph, &options, &made));
  remove(other);
  assert_int_equal(fovea_network_save(made, other), FOVEA_INVALID);
  assert_non_null(strstr(fovea_error_message(), "is not UTF-8"));
  assert_int_equal(fovea_network_save(network, "/dev/null/network"), FOVEA_IO);
  OK(fovea_network_set(made, 0, FOVEA_VALUE, &nan));
  fovea_network_destroy(made);
  fovea_graph_destroy(made_graph);
  OK(fovea_network_load(device, path, NULL, &made_graph, &made));
  OK(fovea_network_set(made, fovea_network_parameter_count(made) - 1, FOVEA_VALUE,
                       (const float[64]){nan, nan, nan, nan}));
  assert_int_equal(fovea_network_save(made, other), FOVEA_MISMATCH);
  assert_null(fopen(other, "rb"));
  assert_int_equal(fovea_graph_load(other, &made_graph), FOVEA_IO);
  fovea_network_destroy(made);
  fovea_graph_destroy(made_graph);
}

/* --- any bytes -------------------------------------------------------------------------------------------------------
 */

static uint64_t draws = 1;

/* Marsaglia's xorshift64. */
static size_t draw(size_t below) {
  draws ^= draws << 13, draws ^= draws >> 7, draws ^= draws << 17;
  return (size_t)(draws % below);
}

/* Some of it changed: other characters, pieces lost, pieces twice. */
static void spoil(char text[MOST_TEXT]) {
  static const char characters[] = "0123456789-.eE\"{}[]:,tfnaul\\ ";
  const size_t length = strlen(text), at = draw(length), count = 1 + draw(20);
  if (draw(4) > 0)
    text[at] = characters[draw(sizeof characters - 1)];
  else if (draw(2) && at + count < length)
    memmove(text + at, text + at + count, length - at - count + 1);
  else if (at + count < length && length + count < MOST_TEXT)
    memmove(text + at + count, text + at, length - at + 1);
}

static void test_any_metadata(void **state) {
  (void)state;
  enum { TEXTS = 5000 };
  static char graph_text[MOST_TEXT], text[MOST_TEXT];
  int good = 0;
  metadata("graph", graph_text);
  for (int i = 0; i < TEXTS; i++) {
    fovea_graph *loaded = NULL;
    memcpy(text, graph_text, sizeof text);
    for (size_t k = 1 + draw(3); k > 0; k--) spoil(text);
    const fovea_status status = fovea_graph_from_json(text, &loaded);
    assert_true(status == FOVEA_OK ? loaded != NULL : status == FOVEA_INVALID && loaded == NULL);
    if (status == FOVEA_OK) OK(fovea_graph_check(loaded));
    good += status == FOVEA_OK;
    fovea_graph_destroy(loaded);
  }
  assert_in_range(good, 1, TEXTS / 2);
}

static void test_any_bytes(void **state) {
  (void)state;
  size_t size = 0;
  uint8_t *data = slurp(path, &size);
  for (int i = 0; i < 200; i++) {
    fovea_graph *loaded_graph = NULL;
    fovea_network *loaded = NULL;
    const size_t at = draw(i % 2 ? size : 4096), length = i % 10 ? size : at;
    const uint8_t was = data[at];
    data[at] ^= (uint8_t)(1 + draw(255));
    FILE *f = fopen(other, "wb");
    assert_true(f && fwrite(data, 1, length, f) == length && fclose(f) == 0);
    data[at] = was;
    assert_int_equal(fovea_network_load(device, other, NULL, &loaded_graph, &loaded), FOVEA_INVALID);
    assert_true(!loaded && !loaded_graph);
  }
  free(data);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_round_trip),      cmocka_unit_test(test_saved_again),
      cmocka_unit_test(test_last_bits),       cmocka_unit_test(test_other_options),
      cmocka_unit_test(test_saved_options),   cmocka_unit_test(test_graph_alone),
      cmocka_unit_test(test_refused),         cmocka_unit_test(test_other_tensors),
      cmocka_unit_test(test_first_version),   cmocka_unit_test(test_loss_without_the_images),
      cmocka_unit_test(test_not_to_be_saved), cmocka_unit_test(test_any_metadata),
      cmocka_unit_test(test_any_bytes)};
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
