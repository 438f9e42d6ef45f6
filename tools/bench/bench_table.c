/* The results as text. */
#include <stdio.h>
#include <string.h>

#include "bench/bench.h"
#include "op/list.h"

double bench_ceiling_of(const bench_result *r) {
  return r->before.flops > r->after.flops ? r->before.flops : r->after.flops;
}

double bench_share(const bench_result *r, const fovea_profile_row *row, const char **bound) {
  const double arithmetic = row->flops / bench_ceiling_of(r), memory = row->bytes / r->bandwidth;
  *bound = arithmetic > memory ? "fma" : "bytes";
  const double least = arithmetic > memory ? arithmetic : memory;
  return row->seconds > 0 ? least / row->seconds : 0;
}

/* --- the breakdown ------------------------------------------------------------------------------------------------ */

/* By the op that recorded the launch, but for kernels of which the op matters less. */
static void name_kind(const fovea_profile_row *row, char name[48]) {
  static const char *const by_kernel[][2] = {{"adam", "optimizer"},
                                             {"losses_log", "loss"},
                                             {"batch_sums", "gradient sums"},
                                             {"bias_backward", "bias gradient"},
                                             {"pack_weights", "weight packing"},
                                             {"fill_zero", "zeroing of gradients"}};
  const bool gradient = strstr(row->kernel, "backward_weight") != NULL;
  const char *direction = strchr(row->op, ' '), *kind = row->op[0] ? row->op : row->kernel;
  int length = (int)strcspn(kind, " ");
  char op_name[48];
  snprintf(op_name, sizeof op_name, "%.*s", length, row->op);
  const fovea_op *op = fovea_op_named(op_name);
  if (op && op->group) kind = op->group, length = (int)strlen(kind);
  snprintf(name, 48, "%.*s%s", length, kind, gradient ? " weight gradient" : direction ? direction : "");
  for (size_t i = 0; i < sizeof by_kernel / sizeof *by_kernel; i++)
    if (strcmp(row->kernel, by_kernel[i][0]) == 0) snprintf(name, 48, "%s", by_kernel[i][1]);
}

static void sort_kinds(bench_kind *kinds, size_t count) {
  for (size_t i = 1; i < count; i++)
    for (size_t j = i; j > 0 && kinds[j].seconds > kinds[j - 1].seconds; j--) {
      const bench_kind other = kinds[j];
      kinds[j] = kinds[j - 1], kinds[j - 1] = other;
    }
}

size_t bench_breakdown(const bench_profile *profile, bench_kind kinds[BENCH_KINDS]) {
  const double steps = (double)profile->steps;
  double kernels = 0;
  size_t count = 0;
  for (size_t i = 0; i < profile->count; i++) {
    const fovea_profile_row *row = &profile->rows[i];
    char name[48];
    size_t at = 0;
    name_kind(row, name);
    while (at < count && strcmp(kinds[at].name, name) != 0) at++;
    if (at == BENCH_KINDS - 1) at--; /* no network of ours has so many */
    if (at == count) kinds[count] = (bench_kind){0}, snprintf(kinds[count++].name, sizeof name, "%s", name);
    kinds[at].seconds += row->seconds / steps, kinds[at].bytes += row->bytes / steps;
    kernels += row->seconds / steps;
  }
  sort_kinds(kinds, count);
  kinds[count] = (bench_kind){.name = "between kernels", .seconds = profile->step - kernels};
  return count + 1;
}

static void print_breakdown(const bench_result *r) {
  bench_kind kinds[BENCH_KINDS];
  const size_t count = bench_breakdown(&r->profile, kinds);
  const double step = r->profile.step;
  double seconds = 0, bytes = 0;
  printf("\n%-42s %9s %7s %9s %8s\n", "kind of op", "ms", "step", "MB", "GB/s");
  for (size_t i = 0; i < count; i++) {
    const bench_kind *k = &kinds[i];
    seconds += k->seconds, bytes += k->bytes;
    printf("%-42s %9.3f %6.1f%% %9.1f %8.2f\n", k->name, 1e3 * k->seconds, 100 * k->seconds / step, k->bytes / 1e6,
           k->seconds > 0 ? k->bytes / k->seconds / 1e9 : 0);
  }
  printf("%-42s %9.3f %6.1f%% %9.1f %8.2f\n", "the profiled step, mean", 1e3 * seconds, 100 * seconds / step,
         bytes / 1e6, bytes / step / 1e9);
  printf("%-42s %9s %7s %9.1f %8s\n", "the fewest bytes of a fused step", "", "", r->work.step_bytes / 1e6, "");
}

/* --- the kernels -------------------------------------------------------------------------------------------------- */

/* Rows too short to matter are summed; JSON has them all. */
static void print_kernels(const bench_result *r) {
  const double steps = (double)r->profile.steps, shortest = 1e-3 * r->profile.step * steps;
  double rest = 0;
  size_t rest_count = 0;
  printf("\n%-33s %-27s %-24s %6s %9s %6s %8s %7s %8s\n", "kernel", "op", "shape", "count", "ms", "step", "GFLOP/s",
         "GB/s", "ceiling");
  for (size_t i = 0; i < r->profile.count; i++) {
    const fovea_profile_row *k = &r->profile.rows[i];
    const double seconds = k->seconds;
    const char *bound;
    const double share = bench_share(r, k, &bound);
    if (seconds < shortest) {
      rest += seconds, rest_count++;
      continue;
    }
    printf("%-33s %-27s %-24s %6.1f %9.3f %5.1f%% %8.1f %7.2f %6.1f%% %s\n", k->kernel, k->op, k->shape,
           (double)k->launches / steps, 1e3 * k->seconds / steps, 100 * k->seconds / steps / r->profile.step,
           k->flops / seconds / 1e9, k->bytes / seconds / 1e9, 100 * share, bound);
  }
  printf("and %zu rows of less than 0.1%% each: %.3f ms\n", rest_count, 1e3 * rest / steps);
  printf(
      "ceiling: the least time that the declared flops (at the fma ceiling) or bytes (at the triad's bandwidth) "
      "take, over the time taken.\nOver 100%%: caches, or Winograd's filtering, whose flops are those of direct "
      "convolution.\n");
}

/* --- all ---------------------------------------------------------------------------------------------------------- */

void bench_print_device(const fovea_device_info *info) {
  printf("device     %s (%s, driver %s), %u compute units\n", info->name, info->platform, info->driver,
         info->compute_units);
}

static void print_pass(const bench_result *r, const char *name, const bench_spread *s, double flops) {
  const double batch = (double)r->config.batch;
  printf(
      "%-10s %.1f images/s, %.1f%% of the ceiling at %.1f MFLOP an image; %.2f ms (quartiles %.2f to %.2f, "
      "all %.2f to %.2f)\n",
      name, batch / s->median, 100 * flops / s->median / bench_ceiling_of(r), flops / batch / 1e6, 1e3 * s->median,
      1e3 * s->lower, 1e3 * s->upper, 1e3 * s->least, 1e3 * s->most);
}

void bench_print(const bench_result *r) {
  const fovea_vae_config *c = &r->config;
  bench_print_device(fovea_device_get_info(r->device));
  printf("ceiling    %.1f GFLOP/s of fma before (float%d), %.1f after (float%d)\n", r->before.flops / 1e9,
         r->before.width, r->after.flops / 1e9, r->after.width);
  printf("bandwidth  %.1f GB/s (triad)\n", r->bandwidth / 1e9);
  printf("network    batch %d of %dx%dx%d, units ", c->batch, c->channels, c->height, c->width);
  for (int i = 0; i < c->unit_count; i++) printf("%s%d", i > 0 ? "," : "", c->units[i]);
  printf(", %s products\n", r->blas);
  printf("memory     %.1f MiB on the device, %.1f MiB resident in the process at its peak\n",
         (double)r->device_memory / 1048576.0, (double)r->resident / 1048576.0);
  print_pass(r, "training", &r->training, r->work.step_flops);
  print_pass(r, "inference", &r->inference, r->work.forward_flops);
  print_breakdown(r);
  print_kernels(r);
}
