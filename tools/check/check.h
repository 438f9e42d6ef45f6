/* The self-test of a device: is what it computes right, and are the bits those of every conforming device?
 *
 * Every op is compared in lockstep (lockstep.h) with the plain-C references of src/ref: one in double precision decides
 * what is right, one in fp32 and in the kernels' canonical order decides which bits. */
#ifndef FOVEA_TOOLS_CHECK_CHECK_H
#define FOVEA_TOOLS_CHECK_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "fovea/vae.h"
#include "graph/ops.h"
#include "runtime/device.h"

/* What a probe of the device's arithmetic is of. */
typedef enum check_kind {
  CHECK_PRIMITIVE, /* fp32 add, multiply, fma, denormals: the device's own, of which OpenCL leaves some open */
  CHECK_INTEGER,   /* integers, and conversions that are exact: right on every device */
  CHECK_FUNCTION /* the library's own, composed of the former two: the reference's bits wherever the primitives conform
                  */
} check_kind;

/* One line of the device's arithmetic, measured on it (arithmetic.c). */
typedef struct check_probe {
  const char *name; /* "fma(a, b, c)" */
  check_kind kind;
  double bound;    /* ULP that it may be off, against double precision, where the primitives do not conform */
  size_t count;    /* results compared */
  size_t differ;   /* results whose bits are not the reference's */
  double ulp;      /* the largest error against double precision; not of integers */
  bool beyond;     /* a result is beyond the bound, or NaN */
  char first[200]; /* the first result that is beyond the bound, else that differs; "" when there is none */
} check_probe;

/* And one of each activation that is measured. */
enum {
  CHECK_ELEMENTARY = 12,
#define X(name, NAME, moves_zero, ulp) +((ulp) > 0)
  CHECK_PROBES = CHECK_ELEMENTARY FOVEA_ACTIVATIONS(X)
#undef X
};

typedef struct check_arithmetic {
  bool corrected; /* division and square root are rounded by our correction, not by the device */
  check_probe probes[CHECK_PROBES];
} check_arithmetic;

/* `corrected`: by our correction even where the device rounds correctly itself, to test it. */
fovea_status check_device_arithmetic(fovea_device *device, bool corrected, check_arithmetic *result);

/* True when every primitive is IEEE 754's: the device must give the recorded bits. */
bool check_conforms(const check_arithmetic *a);

/* True when the probe is what it must be on a device that conforms or does not. */
bool check_probe_good(const check_probe *probe, bool conforms);

/* How far one set of numbers is from the double reference's. */
typedef struct check_error {
  size_t count;
  double ulp;      /* the largest error, in units of the last place of the tensor's largest element */
  double relative; /* root of the mean square of the errors over that of the tensor */
  bool failed;     /* an element is outside the tolerance, or NaN */
  size_t differ;   /* elements whose bits are not the canonical reference's */
  char first[200]; /* the first element that failed, or whose bits differ */
} check_error;

/* One op at one shape. */
typedef struct check_op {
  char name[48];  /* "conv2d", "batchnorm+dropout+relu" */
  char shape[64]; /* "60->25 28x28 k3 s1" */
  const char *network;
  int nodes; /* how many of the network are alike; the errors are the largest of them */
  check_error forward, backward;
  double forward_rate, backward_rate; /* flop/s, or bytes/s where rate_is_bytes; 0: not measured */
  bool rate_is_bytes;
} check_op;

typedef struct check_training {
  const char *network; /* "seed" or "small" */
  int steps;
  uint64_t hash, expected;
  double first_loss, last_loss;
  double expected_losses[2]; /* first and last */
  double images_per_s;
  bool repeated;     /* steps back to back gave the hash of steps with the device at rest between them */
  bool few_repeated; /* so did steps of few images */
} check_training;

/* Called with each op when it is done. */
typedef void (*check_report)(void *user, const check_op *op);

/* CHECK_LEAST, for a device that interprets its kernels, has those of CHECK_SMALL but for steps of few images. */
typedef enum check_extent { CHECK_ALL, CHECK_SMALL, CHECK_LEAST } check_extent;

/* Every op, forward and backward: of a whole network, the seed network or, but for CHECK_ALL, the small one; of the
 * small network in steps of few and of equal images; where maxima tie and sigmoids are saturated; by CHECK_ALL at
 * awkward shapes; and augmentation. *failures counts ops outside the tolerance, *differ those of other bits.
 * FOVEA_MISMATCH when a kernel wrote outside its buffers, or a loss or a gradient is not finite; what was compared
 * until then has been reported. */
fovea_status check_ops(fovea_device *device, check_extent extent, check_report report, void *user, int *failures,
                       int *differ);

/* One of these: what augmentation makes of images, against plain C. */
fovea_status check_augmentation(fovea_device *device, check_op *op);

/* Passes whose loss or gradient is not finite: each must be reported, and nothing may change from there on. */
typedef struct check_not_finite {
  int count, failed;
  char first[200]; /* the first that failed, and how; "" when none did */
} check_not_finite;

fovea_status check_not_finite_passes(fovea_device *device, check_not_finite *result);

/* Steps of training on images made from integers, and the hash of the checkpoint's data after them. FOVEA_MISMATCH when
 * a step is not finite; then *result has of the results only what is recorded. */
fovea_status check_train(fovea_device *device, bool small, check_training *result);

/* What a device may be trusted with. */
typedef struct check_results {
  const check_arithmetic *arithmetic;
  int failures, differ;    /* of check_ops */
  const char *ops_stopped; /* the message of FOVEA_MISMATCH of check_ops, NULL: it went to its end */
  const check_not_finite *not_finite;
  const check_training *training;
  const char *training_stopped; /* of check_train, likewise */
} check_results;

typedef struct check_verdict {
  bool promised; /* the bits of every other conforming device: the primitives conform */
  bool arithmetic_good, ops_good, not_finite_good, training_good;
  bool passed;   /* all four */
  char why[800]; /* what is wrong, in one sentence without an end; "" when passed */
} check_verdict;

/* The table of verdict.c. */
check_verdict check_judge(const check_results *results);

/* The network and the images of that: the seed network, or a small one with everything on; 28x28 or 4x4. The caller
 * frees images->pixels. */
fovea_vae_config check_network(bool small);
fovea_status check_images(bool small, fovea_dataset *images);

#endif
