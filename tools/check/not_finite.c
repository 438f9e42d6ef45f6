/* Passes that must fail: a number that is not finite is reported for the pass where it began, and no step learns from
 * it.
 *
 * Three 1x1 convolutions in a row, of one weight each: images of zeros and others, so a value that overflows becomes
 * NaN by a last weight of 0. Where the first weight is 0 the values, and so the loss, are finite, and the gradient, or
 * only its square, is not. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "check/check.h"
#include "fovea/network.h"

enum { WEIGHTS = 3, ARRAYS = 3, PASSES = 2, FIRST = 1000, IMAGES = 2, SIZE = 4 };

typedef struct trial {
  const char *name;
  bool training;
  bool taken; /* the first step's Adam, which is what goes wrong, changes the parameters */
  float weights[WEIGHTS], learning_rate;
  const char *told; /* in the message */
} trial;

static const trial trials[] = {
    {"a weight that is NaN",
     true,
     false,
     {1, NAN, 1},
     0.01f,
     "training step 1000, counted from 0: the loss is not finite"},
    {"a value that overflows",
     true,
     false,
     {1e30f, 1e30f, 0},
     0.01f,
     "training step 1000, counted from 0: the loss is not"},
    {"a gradient that overflows",
     true,
     true,
     {0, 1e30f, 1e30f},
     0.01f,
     "training step 1000, counted from 0: the gradient of"},
    {"its square that overflows",
     true,
     true,
     {0, 1e22f, 1},
     0.01f,
     "training step 1000, counted from 0: the gradient of"},
    {"a parameter that overflows",
     true,
     true,
     {1, 1, 1},
     FLT_MAX,
     "training step 1000, counted from 0: the gradient of"},
    {"a weight that is NaN, evaluated",
     false,
     false,
     {1, 1, NAN},
     0.01f,
     "evaluation of batch 1000, counted from 0: the loss"},
};

/* Values and moments of all weights. */
typedef struct snapshot {
  float of[ARRAYS][WEIGHTS];
} snapshot;

static fovea_status take(fovea_network *network, snapshot *to) {
  static const fovea_value arrays[ARRAYS] = {FOVEA_VALUE, FOVEA_FIRST_MOMENT, FOVEA_SECOND_MOMENT};
  fovea_status status = FOVEA_OK;
  for (size_t k = 0; k < ARRAYS; k++)
    for (size_t i = 0; i < WEIGHTS && status == FOVEA_OK; i++)
      status = fovea_network_get(network, i, arrays[k], &to->of[k][i]);
  return status;
}

static fovea_status pass(fovea_network *network, const trial *t, uint32_t number) {
  static const uint8_t pixels[IMAGES * SIZE] = {200, 3, 0, 255, 1, 1, 77, 0};
  return t->training ? fovea_network_train_step(network, pixels, NULL, IMAGES, t->learning_rate)
                     : fovea_network_evaluate(network, pixels, NULL, IMAGES, number);
}

/* What is wrong with what came of it: a sentence, "" where nothing is. told: what the losses' call said. */
static void judge(const trial *t, const snapshot shots[PASSES + 1], const char *told, check_not_finite *result) {
  char why[sizeof result->first] = "";
  const bool first_kept = t->taken || memcmp(&shots[0], &shots[1], sizeof *shots) == 0;
  if (!told)
    snprintf(why, sizeof why, "%s went unnoticed", t->name);
  else if (!strstr(told, t->told))
    snprintf(why, sizeof why, "%s is told as: %.120s", t->name, told);
  else if (!first_kept || memcmp(&shots[1], &shots[2], sizeof *shots) != 0)
    snprintf(why, sizeof why, "%s: a parameter or a moment was changed after it", t->name);
  result->count++;
  if (*why && result->failed++ == 0) memcpy(result->first, why, sizeof why);
}

static fovea_status run(fovea_network *network, const trial *t, check_not_finite *result) {
  snapshot shots[PASSES + 1];
  fovea_losses losses;
  fovea_status status = fovea_network_set_step(network, FIRST);
  for (size_t i = 0; i < WEIGHTS && status == FOVEA_OK; i++)
    status = fovea_network_set(network, i, FOVEA_VALUE, &t->weights[i]);
  if (status == FOVEA_OK) status = take(network, &shots[0]);
  for (uint32_t i = 0; i < PASSES && status == FOVEA_OK; i++) {
    status = pass(network, t, FIRST + i);
    if (status == FOVEA_OK) status = take(network, &shots[i + 1]);
  }
  if (status != FOVEA_OK) return status;
  status = fovea_network_losses(network, &losses);
  if (status != FOVEA_OK && status != FOVEA_MISMATCH) return status;
  judge(t, shots, status == FOVEA_MISMATCH ? fovea_error_message() : NULL, result);
  return FOVEA_OK;
}

static fovea_status build(fovea_graph **graph) {
  static const char *const names[WEIGHTS] = {"a", "b", "c"};
  const fovea_conv2d one = {.filters = 1, .kernel = 1, .stride = 1, .same = true};
  fovea_status status = fovea_graph_create(graph);
  if (status != FOVEA_OK) return status;
  fovea_tensor x = fovea_add_input(*graph, 1, 2, SIZE / 2);
  for (int i = 0; i < WEIGHTS; i++) x = fovea_add_conv2d(*graph, x, names[i], &one);
  fovea_add_sigmoid_bce(*graph, x);
  return fovea_graph_check(*graph);
}

fovea_status check_not_finite_passes(fovea_device *device, check_not_finite *result) {
  const fovea_network_options options = {.batch = IMAGES, .seed = 1, .training = true};
  fovea_graph *graph = NULL;
  *result = (check_not_finite){0};
  fovea_status status = build(&graph);
  for (size_t i = 0; i < sizeof trials / sizeof *trials && status == FOVEA_OK; i++) {
    fovea_network *network = NULL;
    status = fovea_network_create(device, graph, &options, &network);
    if (status == FOVEA_OK) status = run(network, &trials[i], result);
    fovea_network_destroy(network);
  }
  fovea_graph_destroy(graph);
  return status == FOVEA_OK ? FOVEA_OK : fovea_fail_in(status, "passes that are not finite");
}
