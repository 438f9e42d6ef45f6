/* The benchmark: what its files share. bench.c is the command, bench_ceilings.c the device, bench_step.c the passes,
 * bench_table.c and bench_json.c the results, bench_growth.c tables of growing networks; what a network costs by its
 * graph is src/graph/work.c. */
#ifndef FOVEA_TOOLS_BENCH_BENCH_H
#define FOVEA_TOOLS_BENCH_BENCH_H

#include <jansson.h>

#include "cli/options.h"
#include "fovea/vae.h"
#include "graph/work.h"
#include "train/images.h"

typedef struct bench_settings {
  const char *device, *data;
  image_options images;
  long long steps, batch, size, threads; /* size: of noise, where --size gives another; threads 0: the whole device */
  long long seed;                        /* of a split that is made */
  option_ints units;
  bool json, growth, tune;
} bench_settings;

/* --- the device --------------------------------------------------------------------------------------------------- */

typedef struct bench_ceiling {
  double flops; /* a second */
  int width;    /* the vector that got it */
} bench_ceiling;

/* The median of `steps` launches, from 1, of at most 7. */
fovea_status bench_measure_fma(fovea_device *device, long long steps, bench_ceiling *best);
fovea_status bench_measure_bandwidth(fovea_device *device, long long steps, double *bytes_per_s);

/* --- the passes --------------------------------------------------------------------------------------------------- */

/* Seconds. */
typedef struct bench_spread {
  double least, lower, median, upper, most; /* lower and upper: quartiles */
} bench_spread;

/* Sorts the values. Between two of them it interpolates. */
bench_spread bench_spread_of(double *values, size_t count);

fovea_vae_config bench_config(const bench_settings *settings, int channels, int height, int width);

/* `count` images of noise; the caller frees pixels. */
fovea_status bench_noise(size_t count, int height, int width, fovea_dataset *images);

/* Times `count` passes, each waited for, after `warm_up` others; fewer, but at least 2, where they take longer than
 * `limit` seconds. */
fovea_status bench_time(fovea_device *device, fovea_vae *vae, const fovea_dataset *images, bool training, size_t count,
                        size_t warm_up, double limit, bench_spread *spread);

/* Training steps one after another, none waited for: the kernels' times, and the mean step by the clock. */
typedef struct bench_profile {
  fovea_profile_row *rows; /* of all `steps`; the caller frees it */
  size_t count, steps;
  double step;
} bench_profile;
fovea_status bench_profile_steps(fovea_device *device, fovea_vae *vae, const fovea_dataset *images, size_t steps,
                                 bench_profile *profile);

/* --- the results ---------------------------------------------------------------------------------------------------
 */

typedef struct bench_result {
  const bench_settings *settings;
  fovea_device *device;
  fovea_vae_config config;
  bench_ceiling before, after;
  double bandwidth;
  bench_spread training, inference;
  bench_profile profile;
  fovea_work work;
  size_t device_memory, resident; /* bytes; the peak of the process before the bandwidth was measured */
  char blas[16];
} bench_result;

/* Of the better of the two ceilings, so that a share is not flattered. */
double bench_ceiling_of(const bench_result *r);

/* The least time that a row's declared work takes over the time that it took; *bound: "fma" or "bytes". */
double bench_share(const bench_result *r, const fovea_profile_row *row, const char **bound);

/* The step by kind of op and direction; the last kind is what is between the kernels, so that the sum is the step. */
enum { BENCH_KINDS = 40 };
typedef struct bench_kind {
  char name[48];
  double seconds, bytes; /* a step */
} bench_kind;
size_t bench_breakdown(const bench_profile *profile, bench_kind kinds[BENCH_KINDS]);

void bench_print_device(const fovea_device_info *info);
void bench_print(const bench_result *r);
json_t *bench_json_spread(const bench_spread *s); /* NULL without memory, as below */
json_t *bench_json(const bench_result *r);

/* Runs and prints the tables, as text or JSON. */
fovea_status bench_growth(const bench_settings *settings);

#endif
