/* The results as JSON. Seconds, bytes, flops: no prefixes. `fovea bench --json` prints one object:
 *
 *   device, platform, driver, compute_units      what was measured
 *   fma_before, width_before, fma_after, width_after, bandwidth
 *                                                ceilings: flops/s (and the vector's width), bytes/s
 *   batch, image [channels, height, width], units, steps, blas
 *   training, inference    {seconds: {median, least, lower, upper, most}, images_per_s, flops_an_image,
 *                           share_of_ceiling, fewest_bytes}: lower and upper are quartiles; flops as direct convolution
 *   step_seconds, images_per_s, share_of_ceiling the training step's, again
 *   memory, resident                             on the device; the process's peak
 *   profiled_step_seconds                        the mean step while profiling, which breakdown's seconds add up to
 *   breakdown  [{kind, seconds, share, bytes}]   of a step
 *   kernels    [{kernel, op, shape, launches, seconds, flops, bytes, share_of_ceiling, bound}]
 *                                                of all profiled steps
 *
 * and `fovea bench --growth --json` device, platform, driver, compute_units, fma_before, width_before, fma_after,
 * width_after and
 *
 *   growth     {batch, pixels, units, threads}: of each [{value, seconds {...}, images_per_s, flops, share_of_ceiling,
 *              memory, time_ratio, memory_ratio}], or [{value, error}] for what could not be run. A ratio is over
 * linear growth, with the flops and with the activations, from the first row */
#include <jansson.h>

#include "bench/bench.h"

json_t *bench_json_spread(const bench_spread *s) {
  return json_pack("{s:f,s:f,s:f,s:f,s:f}", "median", s->median, "least", s->least, "lower", s->lower, "upper",
                   s->upper, "most", s->most);
}

static json_t *pass_json(const bench_result *r, const bench_spread *s, double flops, double bytes) {
  const double batch = (double)r->config.batch;
  return json_pack("{s:o,s:f,s:f,s:f,s:f}", "seconds", bench_json_spread(s), "images_per_s", batch / s->median,
                   "flops_an_image", flops / batch, "share_of_ceiling", flops / s->median / bench_ceiling_of(r),
                   "fewest_bytes", bytes);
}

static json_t *breakdown_json(const bench_result *r) {
  bench_kind kinds[BENCH_KINDS];
  const size_t count = bench_breakdown(&r->profile, kinds);
  json_t *list = json_array();
  for (size_t i = 0; i < count; i++)
    json_array_append_new(list, json_pack("{s:s,s:f,s:f,s:f}", "kind", kinds[i].name, "seconds", kinds[i].seconds,
                                          "share", kinds[i].seconds / r->profile.step, "bytes", kinds[i].bytes));
  return list;
}

static json_t *kernels_json(const bench_result *r) {
  json_t *list = json_array();
  for (size_t i = 0; i < r->profile.count; i++) {
    const fovea_profile_row *k = &r->profile.rows[i];
    const char *bound;
    const double share = bench_share(r, k, &bound);
    json_array_append_new(
        list, json_pack("{s:s,s:s,s:s,s:I,s:f,s:f,s:f,s:f,s:s}", "kernel", k->kernel, "op", k->op, "shape", k->shape,
                        "launches", (json_int_t)k->launches, "seconds", k->seconds, "flops", k->flops, "bytes",
                        k->bytes, "share_of_ceiling", share, "bound", bound));
  }
  return list;
}

json_t *bench_json(const bench_result *r) {
  const fovea_device_info *info = fovea_device_get_info(r->device);
  const fovea_vae_config *c = &r->config;
  json_t *units = json_array();
  for (int i = 0; i < c->unit_count; i++) json_array_append_new(units, json_integer(c->units[i]));
  json_t *all =
      json_pack("{s:s,s:s,s:s,s:i,s:f,s:i,s:f,s:i,s:f}", "device", info->name, "platform", info->platform, "driver",
                info->driver, "compute_units", (int)info->compute_units, "fma_before", r->before.flops, "width_before",
                r->before.width, "fma_after", r->after.flops, "width_after", r->after.width, "bandwidth", r->bandwidth);
  json_t *more =
      json_pack("{s:i,s:[i,i,i],s:o,s:I,s:s,s:o,s:o,s:f,s:f,s:f,s:I,s:I,s:f,s:o,s:o}", "batch", c->batch, "image",
                c->channels, c->height, c->width, "units", units, "steps", (json_int_t)r->settings->steps, "blas",
                r->blas, "training", pass_json(r, &r->training, r->work.step_flops, r->work.step_bytes), "inference",
                pass_json(r, &r->inference, r->work.forward_flops, r->work.forward_bytes), "step_seconds",
                r->training.median, "images_per_s", (double)c->batch / r->training.median, "share_of_ceiling",
                r->work.step_flops / r->training.median / bench_ceiling_of(r), "memory", (json_int_t)r->device_memory,
                "resident", (json_int_t)r->resident, "profiled_step_seconds", r->profile.step, "breakdown",
                breakdown_json(r), "kernels", kernels_json(r));
  if (all == NULL || more == NULL || json_object_update(all, more) != 0) json_decref(all), all = NULL;
  json_decref(more);
  return all;
}
