/* Checkpoints: what is saved comes back, bit for bit; what is not good is neither saved nor loaded. */
#include "model/small.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#include "fovea/safetensors.h"

static fovea_vae *make(const fovea_vae_config *config, bool training) {
  fovea_vae *vae = NULL;
  OK(fovea_vae_create(device, config, training, &vae));
  return vae;
}

/* A network after three steps, so that moments and moving averages are not what they began with. */
static fovea_vae *trained(void) {
  const fovea_vae_config c = small_config();
  fovea_vae *vae = make(&c, true);
  fovea_dataset *d = images("train", 48);
  fovea_losses losses;
  for (size_t i = 0; i < 3; i++) OK(fovea_network_train_step(vae->network, d->pixels + i * 16 * 784, NULL, 16, 0.01f));
  OK(fovea_network_losses(vae->network, &losses));
  fovea_dataset_destroy(d);
  return vae;
}

static const fovea_training_state some_state = {
    .epoch = 7, .images_done = 48, .so_far = {1.0 / 3, 2.0 / 7, 1.0 / 3 + 0.001 * 2.0 / 7, 40, 3}};

static void assert_same_values(fovea_vae *a, fovea_vae *b, fovea_value which) {
  for (size_t i = 0; i < fovea_network_parameter_count(a->network); i++) {
    const fovea_parameter *p = fovea_network_parameter(a->network, i);
    if (which != FOVEA_VALUE && !p->trainable) continue;
    float *x = malloc(p->count * sizeof *x), *y = malloc(p->count * sizeof *y);
    OK(fovea_network_get(a->network, i, which, x));
    OK(fovea_network_get(b->network, i, which, y));
    if (memcmp(x, y, p->count * sizeof *x) != 0) fail_msg("%s (kind %d) differs", p->name, (int)which);
    free(x);
    free(y);
  }
}

/* Another program finds the moments under their names. */
static void assert_in_file(const char *path, fovea_vae *vae, fovea_value which, const char *prefix) {
  fovea_safetensors *file = NULL;
  OK(fovea_safetensors_open(path, &file));
  for (size_t i = 0; i < fovea_network_parameter_count(vae->network); i++) {
    const fovea_parameter *p = fovea_network_parameter(vae->network, i);
    const fovea_safetensor *t = NULL;
    char name[200];
    if (!p->trainable) continue;
    snprintf(name, sizeof name, "%s%s", prefix, p->name);
    OK(fovea_safetensors_find(file, name, &t));
    float *values = malloc(p->count * sizeof *values);
    OK(fovea_network_get(vae->network, i, which, values));
    assert_int_equal(t->size, p->count * sizeof *values);
    if (memcmp(values, t->data, t->size) != 0) fail_msg("%s is not what is in the network", name);
    free(values);
  }
  fovea_safetensors_close(file);
}

static void round_trip(void **state) {
  (void)state;
  fovea_vae *saved = trained();
  const char *path = temp_path("a.safetensors"), *again = temp_path("b.safetensors");
  OK(fovea_vae_save(saved, path, &some_state, "{\"seed\":768}"));
  assert_in_file(path, saved, FOVEA_VALUE, "");
  assert_in_file(path, saved, FOVEA_FIRST_MOMENT, "optimizer.m.");
  assert_in_file(path, saved, FOVEA_SECOND_MOMENT, "optimizer.v.");
  fovea_vae_config c = small_config();
  c.seed = 1; /* other weights to begin with */
  fovea_vae *loaded = make(&c, true);
  fovea_training_state back = {0};
  OK(fovea_vae_load(loaded, path, &back));
  assert_int_equal(fovea_network_get_step(loaded->network), 3);
  assert_int_equal(back.epoch, 7);
  assert_int_equal(back.images_done, 48);
  assert_memory_equal(&back.so_far, &some_state.so_far, sizeof back.so_far);
  assert_same_values(saved, loaded, FOVEA_VALUE);
  assert_same_values(saved, loaded, FOVEA_FIRST_MOMENT);
  assert_same_values(saved, loaded, FOVEA_SECOND_MOMENT);
  OK(fovea_vae_save(loaded, again, &back, "{\"seed\":768}"));
  assert_same_bytes(path, again);
  fovea_vae_destroy(saved);
  fovea_vae_destroy(loaded);
}

/* --init: parameters and moving averages alone; an evaluating network has nothing else. */
static void weights_alone(void **state) {
  (void)state;
  fovea_vae *saved = trained();
  const char *path = temp_path("weights.safetensors");
  OK(fovea_vae_save(saved, path, &some_state, NULL));
  const fovea_vae_config c = small_config();
  for (int training = 0; training < 2; training++) {
    fovea_vae *loaded = make(&c, training == 1);
    OK(fovea_vae_load(loaded, path, NULL));
    assert_int_equal(fovea_network_get_step(loaded->network), 0);
    assert_same_values(saved, loaded, FOVEA_VALUE);
    fovea_vae_destroy(loaded);
  }
  fovea_vae_destroy(saved);
}

/* --- weights of other types, as other programs write them --- */

enum { NUMBERS = 7 };

typedef struct type {
  const char *dtype;
  size_t size;
  uint64_t bits[NUMBERS]; /* the numbers in the file ... */
  float is[NUMBERS];      /* ... and as floats */
} type;

static const type types[] = {{"F16",
                              2,
                              {0x3c00, 0xc000, 0x0001, 0x83ff, 0x7bff, 0x8000, 0x0400},
                              {1, -2, 0x1p-24f, -1023 * 0x1p-24f, 65504, -0.0f, 0x1p-14f}},
                             {"BF16",
                              2,
                              {0x3f80, 0xc000, 0x0001, 0x807f, 0x7f7f, 0x8000, 0x3eab},
                              {1, -2, 0x1p-133f, -127 * 0x1p-133f, 0x1.fep127f, -0.0f, 0x1.56p-2f}},
                             {"F64",
                              8,
                              {0x3ff0000000000000, 0xc000000000000000, 0x3ff0000010000001, 0x3ff0000010000000,
                               0x36a0000000000000, 0x8000000000000000, 0x47efffffe0000000},
                              {1, -2, 0x1.000002p0f, 1, 0x1p-149f, -0.0f, 0x1.fffffep127f}}};

/* The checkpoint with its first tensor of that type, all of these numbers; `last` is the last of them. */
static void write_as(const char *from, const char *to, const type *as, uint64_t last) {
  fovea_safetensors *file = NULL;
  fovea_safetensor all[256] = {{NULL}};
  OK(fovea_safetensors_open(from, &file));
  const size_t count = fovea_safetensors_count(file);
  assert_true(count < 256);
  for (size_t i = 0; i < count; i++) all[i] = *fovea_safetensors_get(file, i);
  const size_t numbers = all[0].size / sizeof(float);
  char *data = malloc(numbers * as->size);
  for (size_t i = 0; i < numbers; i++)
    memcpy(data + i * as->size, i + 1 < numbers ? &as->bits[i % NUMBERS] : &last, as->size);
  all[0].dtype = as->dtype, all[0].data = data;
  OK(fovea_safetensors_write(to, all, count, NULL, 0));
  fovea_safetensors_close(file);
  free(data);
}

static void weights_of_other_types(void **state) {
  (void)state;
  fovea_vae *saved = trained();
  const fovea_vae_config c = small_config();
  const char *path = temp_path("floats.safetensors"), *other = temp_path("other.safetensors");
  static const uint64_t infinite[] = {0x7c00, 0xff80, 0x47effffff0000000}; /* the last as a float */
  fovea_training_state back;
  OK(fovea_vae_save(saved, path, &some_state, NULL));
  for (size_t k = 0; k < sizeof types / sizeof *types; k++) {
    fovea_vae *loaded = make(&c, true);
    const size_t count = fovea_network_parameter(loaded->network, 0)->count;
    float *values = malloc(count * sizeof *values);
    write_as(path, other, &types[k], types[k].bits[0]);
    OK(fovea_vae_load(loaded, other, NULL));
    OK(fovea_network_get(loaded->network, 0, FOVEA_VALUE, values));
    for (size_t i = 0; i + 1 < count; i++)
      if (memcmp(&values[i], &types[k].is[i % NUMBERS], sizeof *values) != 0)
        fail_msg("%s number %zu is %a", types[k].dtype, i % NUMBERS, (double)values[i]);
    /* A training that goes on has the bits that it had. */
    assert_int_equal(fovea_vae_load(loaded, other, &back), FOVEA_INVALID);
    assert_message("this network has F32 [");
    write_as(path, other, &types[k], infinite[k]);
    assert_int_equal(fovea_vae_load(loaded, other, NULL), FOVEA_INVALID);
    assert_message("expected numbers that are finite as floats");
    free(values);
    fovea_vae_destroy(loaded);
  }
  const type whole = {.dtype = "I32", .size = 4};
  write_as(path, other, &whole, 0);
  assert_int_equal(fovea_vae_load(saved, other, NULL), FOVEA_INVALID);
  assert_message("F32, F64, F16 or BF16");
  fovea_vae_destroy(saved);
}

/* Other programs find the graph in the metadata. */
static void graph_in_file(void **state) {
  (void)state;
  fovea_vae *vae = trained();
  const char *path = temp_path("graph.safetensors");
  fovea_graph *graph = NULL;
  int dims[3], expected[3];
  OK(fovea_vae_save(vae, path, &some_state, "{}"));
  OK(fovea_graph_load(path, &graph));
  for (fovea_tensor t = 0; t <= vae->reconstruction; t++) {
    OK(fovea_tensor_shape(graph, t, dims));
    OK(fovea_tensor_shape(vae->graph, t, expected));
    assert_memory_equal(dims, expected, sizeof dims);
  }
  assert_int_equal(fovea_tensor_shape(graph, vae->reconstruction + 1, dims), FOVEA_INVALID);
  fovea_graph_destroy(graph);
  fovea_vae_destroy(vae);
}

static void bad_numbers_are_not_saved(void **state) {
  (void)state;
  fovea_vae *vae = trained();
  const char *path = temp_path("good.safetensors"), *copy = temp_path("copy.safetensors");
  OK(fovea_vae_save(vae, path, &some_state, NULL));
  OK(fovea_vae_save(vae, copy, &some_state, NULL));
  fovea_training_state bad_state = some_state;
  bad_state.so_far.kl = NAN;
  assert_int_equal(fovea_vae_save(vae, path, &bad_state, NULL), FOVEA_MISMATCH);
  for (int which = 0; which < 2; which++) {
    const fovea_parameter *p = fovea_network_parameter(vae->network, 0);
    const fovea_value kinds[2] = {FOVEA_SECOND_MOMENT, FOVEA_VALUE};
    float *values = calloc(p->count, sizeof *values);
    values[p->count - 1] = which == 0 ? INFINITY : NAN;
    OK(fovea_network_set(vae->network, 0, kinds[which], values));
    assert_int_equal(fovea_vae_save(vae, path, &some_state, NULL), FOVEA_MISMATCH);
    assert_message(p->name);
    free(values);
  }
  assert_same_bytes(path, copy);
  fovea_vae_destroy(vae);
}

static void other_architectures(void **state) {
  (void)state;
  fovea_vae *saved = trained();
  const char *path = temp_path("arch.safetensors");
  OK(fovea_vae_save(saved, path, &some_state, NULL));
  fovea_vae_config latent = small_config(), depth = small_config(), bn = small_config();
  latent.latent = 3;
  depth.depth = 2;
  bn.batchnorm = false;
  const struct {
    const fovea_vae_config *config;
    const char *message;
  } cases[] = {{&latent, "bottleneck."}, {&depth, "encoder.block1."}, {&bn, "bn1."}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    fovea_vae *other = make(cases[i].config, true), *untouched = make(cases[i].config, true);
    assert_int_equal(fovea_vae_load(other, path, NULL), FOVEA_INVALID);
    assert_message(cases[i].message);
    assert_message(path);
    assert_same_values(other, untouched, FOVEA_VALUE);
    fovea_vae_destroy(other);
    fovea_vae_destroy(untouched);
  }
  fovea_vae_destroy(saved);
}

/* A VAE made for evaluation has weights alone. */
static void evaluation_only(void **state) {
  (void)state;
  fovea_vae *saved = trained();
  const char *path = temp_path("trained.safetensors"), *unmade = temp_path("unmade.safetensors");
  OK(fovea_vae_save(saved, path, &some_state, NULL));
  const fovea_vae_config c = small_config();
  fovea_vae *vae = make(&c, false), *untouched = make(&c, false);
  fovea_training_state back = {.epoch = 5};
  assert_int_equal(fovea_vae_load(vae, path, &back), FOVEA_INVALID);
  assert_message("made for evaluation only: it has no training state; pass state NULL");
  assert_int_equal(back.epoch, 5);
  assert_same_values(vae, untouched, FOVEA_VALUE);
  assert_int_equal(fovea_vae_save(vae, unmade, &some_state, NULL), FOVEA_INVALID);
  assert_message("made for evaluation only: it has no training state to save");
  assert_int_not_equal(access(unmade, F_OK), 0);
  OK(fovea_vae_load(vae, path, NULL));
  assert_same_values(vae, saved, FOVEA_VALUE);
  fovea_vae_destroy(saved);
  fovea_vae_destroy(vae);
  fovea_vae_destroy(untouched);
}

static void bad_configs(void **state) {
  (void)state;
  fovea_vae *vae = trained();
  static const char *const texts[] = {
      "", "not json{", "[1]", "\"a\"", "{\"a\":1} x", "{\"a\":1,\"a\":2}", "{\"a\":\"\xff\"}"};
  const char *path = temp_path("config.safetensors");
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    if (fovea_vae_save(vae, path, &some_state, texts[i]) != FOVEA_INVALID) fail_msg("'%s' was taken", texts[i]);
    assert_message("config_json is no JSON object");
    assert_int_not_equal(access(path, F_OK), 0);
  }
  OK(fovea_vae_save(vae, path, &some_state, " { } "));
  fovea_vae_destroy(vae);
}

/* A configuration that passes the check makes a network. */
static void batches(void **state) {
  (void)state;
  fovea_vae_config c = small_config();
  c.batch = 65536;
  OK(fovea_vae_check(&c));
  c.batch = 65537;
  assert_int_equal(fovea_vae_check(&c), FOVEA_INVALID);
  assert_message("batch 65537, expected 1 to 65536");
}

static void bad_files(void **state) {
  (void)state;
  fovea_vae *vae = trained();
  fovea_training_state back;
  memcpy(&back, &some_state, sizeof back); /* its padding too: the bytes are compared below */
  const char *path = temp_path("whole.safetensors");
  OK(fovea_vae_save(vae, path, &some_state, NULL));
  uint8_t *data = NULL;
  size_t size = 0;
  OK(fovea_file_read(path, 1 << 28, &data, &size));
  const size_t lengths[] = {0, 1, 8, 100, size / 2, size - 1};
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    const char *torn = temp_file("torn.safetensors", data, lengths[i]);
    assert_int_equal(fovea_vae_load(vae, torn, &back), FOVEA_INVALID);
    if (lengths[i] >= size / 2) assert_message("shorter than its header says");
  }
  data[size - 5] ^= 4; /* a bit of the data: the hash tells */
  assert_int_equal(fovea_vae_load(vae, temp_file("flipped.safetensors", data, size), &back), FOVEA_INVALID);
  assert_int_equal(fovea_vae_load(vae, temp_path("none.safetensors"), &back), FOVEA_IO);
  assert_memory_equal(&back, &some_state, sizeof back);
  assert_int_equal(fovea_vae_save(vae, temp_path("none/x.safetensors"), &some_state, NULL), FOVEA_IO);
  free(data);
  fovea_vae_destroy(vae);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(round_trip),
                                     cmocka_unit_test(weights_alone),
                                     cmocka_unit_test(weights_of_other_types),
                                     cmocka_unit_test(graph_in_file),
                                     cmocka_unit_test(bad_numbers_are_not_saved),
                                     cmocka_unit_test(other_architectures),
                                     cmocka_unit_test(evaluation_only),
                                     cmocka_unit_test(bad_configs),
                                     cmocka_unit_test(batches),
                                     cmocka_unit_test(bad_files)};
  return cmocka_run_group_tests(tests, open_device, close_device);
}
