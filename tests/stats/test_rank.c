/* Rank, aliased columns and numbers against rational arithmetic (tests/golden/make_rank.py); what must not change them:
 * units, the order of rows, and where a combination stands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fovea/stats.h"

static int bad;

static fovea_ols *fit(const double *y, const double *x, size_t n, size_t k) {
  static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};
  fovea_ols *ols = NULL;
  assert_true(k <= sizeof names / sizeof *names);
  if (fovea_ols_fit(y, x, n, k, "y", names, &ols)) fail_msg("%s", fovea_error_message());
  return ols;
}

static void check_near(const char *name, const char *key, size_t i, double got, double expected, double tolerance) {
  if (fabs(got - expected) <= tolerance * fabs(expected)) return;
  print_error("%s: %s[%zu] is %.17g, expected %.17g\n", name, key, i, got, expected);
  bad++;
}

/* --- tables --------------------------------------------------------------------------------------------------- */

static fovea_design *design_of(const char *name, bool constant) {
  char path[512];
  fovea_table *table = NULL;
  fovea_design *design = NULL;
  const fovea_design_options options = {.constant = constant, .all_levels = true};
  snprintf(path, sizeof path, "%s/tests/golden/rank/%s.csv", FOVEA_SOURCE_DIR, name);
  fovea_status status = fovea_table_read(path, &table);
  if (!status) status = fovea_design_from_table(table, &options, &design);
  if (status) fail_msg("%s: %s", name, fovea_error_message());
  fovea_table_destroy(table);
  return design;
}

static void check_table(const char *name, json_t *golden, const fovea_ols *o, double spread) {
  static const double tolerance = 1e-13;
  json_t *aliased = json_object_get(golden, "aliased");
  assert_int_equal(json_array_size(aliased), o->k);
  assert_int_equal(o->rank, json_integer_value(json_object_get(golden, "rank")));
  assert_int_equal(o->constant, json_is_true(json_object_get(golden, "constant")));
  check_near(name, "r_squared", 0, o->r_squared, json_real_value(json_object_get(golden, "r_squared")), tolerance);
  check_near(name, "f_value", 0, o->f_value, json_real_value(json_object_get(golden, "f_value")), tolerance);
  for (size_t i = 0; i < o->k; i++) {
    json_t *b = json_array_get(json_object_get(golden, "coefficients"), i);
    json_t *se = json_array_get(json_object_get(golden, "std_errors"), i);
    assert_string_equal(json_string_value(json_array_get(json_object_get(golden, "names"), i)), o->names[i]);
    assert_int_equal(o->aliased[i], json_is_true(json_array_get(aliased, i)));
    if (o->aliased[i]) {
      assert_true(isnan(o->coefficients[i]) && isnan(o->std_errors[i]) && isnan(o->t_values[i]));
      assert_true(isnan(o->p_values[i]) && isnan(o->low[i]) && isnan(o->high[i]));
      continue;
    }
    check_near(name, "coefficients", i, o->coefficients[i], json_real_value(b), tolerance);
    check_near(name, "std_errors", i, o->std_errors[i], json_real_value(se), spread);
    check_near(name, "t_values", i, o->t_values[i], json_real_value(b) / json_real_value(se), spread);
  }
}

static void test_tables(void **state) {
  (void)state;
  static const struct {
    const char *name;
    double spread; /* of the standard errors, which no refinement reaches: 2^-106 times the condition number squared */
  } tables[] = {
      {"dummy_trap", 1e-13},   {"tiny_units", 1e-13},     {"nanoseconds", 1e-13},    {"seconds", 1e-13},
      {"milliseconds", 1e-13}, {"two_words", 1e-13},      {"near_tolerance", 1e-13}, {"near_tolerance_thirds", 1e-13},
      {"shares", 1e-13},       {"shares_constant", 1e-13}};
  bad = 0;
  for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
    const char *name = tables[i].name;
    char path[512];
    snprintf(path, sizeof path, "%s/tests/golden/rank/%s.json", FOVEA_SOURCE_DIR, name);
    json_t *golden = json_load_file(path, 0, NULL);
    if (!golden) fail_msg("%s cannot be read", path);
    fovea_design *d = design_of(name, json_is_true(json_object_get(json_object_get(golden, "options"), "constant")));
    fovea_ols *o = NULL;
    assert_int_equal(fovea_ols_fit(d->y, d->x, d->n, d->k, d->response, (const char *const *)d->names, &o), FOVEA_OK);
    check_table(name, golden, o, tables[i].spread);
    fovea_ols_destroy(o);
    fovea_design_destroy(d);
    json_decref(golden);
  }
  assert_int_equal(bad, 0);
}

/* --- random numbers ------------------------------------------------------------------------------------------- */

static uint64_t seed;

static int integer_between(int low, int high) {
  seed = seed * 6364136223846793005u + 1442695040888963407u;
  return low + (int)((seed >> 33) % (unsigned)(high - low + 1));
}

static double uniform(void) { return integer_between(-1000000, 1000000) / 1e6; }

/* --- statsmodels' issue 6570 ------------------------------------------------------------------------------------ */

/* x1 is 0 once and 1 ten thousand times, x2 = 2 x1 - 1: the fit is the means of two groups. */
static void test_many_rows(void **state) {
  (void)state;
  enum { N = 10001 };
  double *x = malloc(3 * N * sizeof *x), *y = malloc(N * sizeof *y), mean = 0, ssr = 0, total = 0;
  assert_true(x && y);
  seed = 6570;
  for (size_t i = 0; i < N; i++) {
    x[3 * i] = 1;
    x[3 * i + 1] = i > 0;
    x[3 * i + 2] = i > 0 ? 1 : -1;
    y[i] = uniform();
    mean += i > 0 ? y[i] / (N - 1) : 0;
  }
  double all = (mean * (N - 1) + y[0]) / N;
  for (size_t i = 0; i < N; i++) {
    ssr += i > 0 ? (y[i] - mean) * (y[i] - mean) : 0;
    total += (y[i] - all) * (y[i] - all);
  }
  fovea_ols *o = fit(y, x, N, 3);
  assert_int_equal(o->rank, 2);
  assert_true(o->aliased[2] && !o->aliased[1] && !o->aliased[0]);
  assert_true(fabs(o->r_squared - (1 - ssr / total)) < 1e-13);
  assert_true(fabs(o->coefficients[0] - y[0]) < 1e-13);
  assert_true(fabs(o->coefficients[1] - (mean - y[0])) < 1e-13);
  fovea_ols_destroy(o);
  free(x);
  free(y);
}

/* --- rank ------------------------------------------------------------------------------------------------------- */

enum { PRIME = 1000003, MOST = 12, COLUMNS = 6 };

static long long power(long long base, int exponent) {
  long long result = 1;
  for (; exponent > 0; exponent >>= 1, base = base * base % PRIME)
    if (exponent & 1) result = result * base % PRIME;
  return result;
}

/* The rank of an integer matrix, modulo a prime: exact for almost all of them. Overwrites m. */
static size_t modular_rank(long long m[MOST][COLUMNS], size_t n, size_t k) {
  size_t rank = 0;
  for (size_t j = 0; j < k; j++) {
    size_t pivot = rank;
    while (pivot < n && m[pivot][j] % PRIME == 0) pivot++;
    if (pivot == n) continue;
    for (size_t c = 0; c < k; c++) {
      long long value = m[pivot][c];
      m[pivot][c] = m[rank][c];
      m[rank][c] = (value % PRIME + PRIME) % PRIME;
    }
    long long inverse = power(m[rank][j], PRIME - 2);
    for (size_t i = rank + 1; i < n; i++) {
      long long factor = (m[i][j] % PRIME + PRIME) % PRIME * inverse % PRIME;
      for (size_t c = 0; c < k; c++) m[i][c] = (m[i][c] - factor * m[rank][c]) % PRIME;
    }
    rank++;
  }
  return rank;
}

/* Integers, some columns combinations of others, in any place; as doubles, tenths or sevenths, whose rounding makes the
 * dependent ones depend only nearly. */
static void random_table(long long m[MOST][COLUMNS], size_t n, size_t k) {
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < k; j++) m[i][j] = integer_between(-9, 9);
  for (size_t j = 0; j < k; j++) {
    if (integer_between(0, 2) > 0) continue;
    size_t a = (size_t)integer_between(0, (int)k - 1), b = (size_t)integer_between(0, (int)k - 1);
    long long p = integer_between(-5, 5), q = integer_between(-3, 3), r = integer_between(0, 1);
    for (size_t i = 0; i < n; i++) m[i][j] = p * m[i][a] + q * m[i][b] + r;
  }
}

static void test_rank(void **state) {
  (void)state;
  static const double units[] = {1, 10, 7};
  int deficient = 0;
  seed = 1;
  for (int round = 0; round < 3000; round++) {
    long long m[MOST][COLUMNS];
    double x[MOST * COLUMNS], y[MOST], unit = units[round % 3];
    size_t n = (size_t)integer_between(3, MOST), k = (size_t)integer_between(1, COLUMNS);
    random_table(m, n, k);
    for (size_t i = 0; i < n; i++) {
      y[i] = uniform();
      for (size_t j = 0; j < k; j++) x[i * k + j] = (double)m[i][j] / unit;
    }
    fovea_ols *o = fit(y, x, n, k);
    size_t expected = modular_rank(m, n, k);
    if (o->rank != expected) fail_msg("round %d: %zu x %zu has rank %zu, not %zu", round, n, k, expected, o->rank);
    assert_int_equal(o->alias_count, k - expected);
    deficient += expected < k;
    assert_true(o->r_squared >= 0 && o->r_squared <= 1);
    fovea_ols_destroy(o);
  }
  assert_true(deficient > 500 && deficient < 2500);
}

/* --- exact fits ----------------------------------------------------------------------------------------------------
 */

/* y is x1 - x2, whose difference is far below either: its residuals are the rounding of their decimals, not of its. */
static void test_exact(void **state) {
  (void)state;
  double x[20 * 2], y[20];
  seed = 3;
  for (size_t i = 0; i < 20; i++) {
    int a = integer_between(900000, 999999), b = integer_between(1, 99);
    x[2 * i] = a / 1e3;
    x[2 * i + 1] = (a - b) / 1e3;
    y[i] = b / 1e3;
  }
  fovea_ols *o = fit(y, x, 20, 2);
  assert_true(o->exact);
  assert_true(fabs(o->coefficients[0] - 1) < 1e-9 && fabs(o->coefficients[1] + 1) < 1e-9);
  fovea_ols_destroy(o);
  y[7] += 1e-9;
  o = fit(y, x, 20, 2);
  assert_false(o->exact);
  fovea_ols_destroy(o);
}

/* --- what changes nothing ------------------------------------------------------------------------------------ */

enum { N = 40, K = 5 };

/* A constant, two numbers far from zero, a switch, and a combination of them. */
static void make(double *x, double *y) {
  seed = 7;
  for (size_t i = 0; i < N; i++) {
    double row[K] = {1, 100 + uniform(), 5000 + 3 * uniform(), integer_between(0, 1), 0};
    row[4] = row[1] - 2 * row[3];
    memcpy(x + i * K, row, sizeof row);
    y[i] = 3 + 2 * row[1] - row[3] + uniform();
  }
}

static void check_same(const fovea_ols *a, const fovea_ols *b, double tolerance) {
  assert_int_equal(a->rank, b->rank);
  assert_int_equal(a->constant, b->constant);
  check_near("units", "r_squared", 0, b->r_squared, a->r_squared, tolerance);
  check_near("units", "f_value", 0, b->f_value, a->f_value, tolerance);
  for (size_t j = 0; j < K; j++) {
    assert_int_equal(a->aliased[j], b->aliased[j]);
    if (a->aliased[j]) continue;
    check_near("units", "t_values", j, b->t_values[j], a->t_values[j], tolerance);
    check_near("units", "p_values", j, b->p_values[j], a->p_values[j], 1e3 * tolerance);
  }
}

/* Powers of two change no bit; others round each value of a column, by 2^-53 of it. */
static void test_units(void **state) {
  (void)state;
  static const double units[] = {0x1p-60, 0x1p60, 0x1p-600, 0x1p600, 1e-17, 1e17, 1e-200, 1e200};
  double x[N * K], y[N];
  make(x, y);
  fovea_ols *o = fit(y, x, N, K);
  assert_int_equal(o->rank, 4);
  assert_true(o->aliased[4]);
  bad = 0;
  for (size_t u = 0; u < sizeof units / sizeof *units; u++)
    for (size_t j = 0; j <= K; j++) {
      make(x, y);
      for (size_t i = 0; i < N; i++) *(j == K ? &y[i] : &x[i * K + j]) *= units[u];
      fovea_ols *scaled = fit(y, x, N, K);
      check_same(o, scaled, u < 4 ? 0 : 1e-12);
      if (j < K && !o->aliased[j])
        check_near("units", "coefficients", j, scaled->coefficients[j] * units[u], o->coefficients[j], 1e-12);
      double shift = j == K ? -N * log(units[u]) : 0;
      check_near("units", "log_likelihood", j, scaled->log_likelihood, o->log_likelihood + shift, 1e-13);
      fovea_ols_destroy(scaled);
    }
  fovea_ols_destroy(o);
  assert_int_equal(bad, 0);
}

static void test_order_of_rows(void **state) {
  (void)state;
  double x[N * K], y[N], turned_x[N * K], turned_y[N];
  make(x, y);
  for (size_t i = 0; i < N; i++) {
    size_t from = i * 7 % N;
    memcpy(turned_x + i * K, x + from * K, K * sizeof *x);
    turned_y[i] = y[from];
  }
  fovea_ols *o = fit(y, x, N, K), *turned = fit(turned_y, turned_x, N, K);
  bad = 0;
  check_same(o, turned, 1e-14);
  assert_int_equal(bad, 0);
  fovea_ols_destroy(o);
  fovea_ols_destroy(turned);
}

/* Whichever of the three stands last is the one that goes, and the others are named. */
static void test_later_column_goes(void **state) {
  (void)state;
  static const size_t orders[][K] = {{0, 1, 2, 3, 4}, {0, 4, 3, 2, 1}, {4, 1, 2, 0, 3}, {1, 3, 4, 0, 2}};
  static const size_t goes[] = {4, 4, 4, 2}, with[][2] = {{1, 3}, {1, 2}, {0, 1}, {0, 1}};
  double x[N * K], y[N], ordered[N * K];
  make(x, y);
  for (size_t r = 0; r < 4; r++) {
    for (size_t i = 0; i < N; i++)
      for (size_t j = 0; j < K; j++) ordered[i * K + j] = x[i * K + orders[r][j]];
    fovea_ols *o = fit(y, ordered, N, K);
    assert_int_equal(o->alias_count, 1);
    assert_int_equal(o->aliases[0].column, goes[r]);
    assert_int_equal(o->aliases[0].count, 2);
    assert_memory_equal(o->aliases[0].with, with[r], sizeof with[r]);
    fovea_ols_destroy(o);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_tables),
                                     cmocka_unit_test(test_many_rows),
                                     cmocka_unit_test(test_rank),
                                     cmocka_unit_test(test_exact),
                                     cmocka_unit_test(test_units),
                                     cmocka_unit_test(test_order_of_rows),
                                     cmocka_unit_test(test_later_column_goes)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
