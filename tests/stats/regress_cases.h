/* The goldens of tests/golden/regress, made by tests/golden/make_regress.py with statsmodels 0.13.5. */
#ifndef FOVEA_TESTS_REGRESS_CASES_H
#define FOVEA_TESTS_REGRESS_CASES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* What of a golden is rounding noise, and so another LAPACK's to choose. */
typedef enum regress_noise {
  NO_NOISE,
  NOISY_CONDITION, /* a singular design: its smallest singular value */
  NOISY_RESIDUALS  /* an exact fit: everything but coefficients, R-squared, rank and shape */
} regress_noise;

typedef struct regress_case {
  const char *name;
  bool constant; /* --constant */
  regress_noise noise;
  double tolerance; /* relative, of the JSON's numbers; 0: 1e-10. About 2^-52 times the condition number where that is
                       large. */
} regress_case;

static const regress_case regress_cases[] = {
    {"seed", false, NO_NOISE, 0},
    {"seed_constant", true, NOISY_CONDITION, 0},
    {"seed_pure_noise", false, NO_NOISE, 0},
    {"seed_tiny_response", false, NO_NOISE, 0},
    {"seed_huge_response", false, NO_NOISE, 0},
    {"sweep_spatial", false, NO_NOISE, 0},
    {"sweep_all_attentions", false, NO_NOISE, 0},
    {"random_constant", true, NO_NOISE, 0},
    {"random_no_constant", false, NO_NOISE, 0},
    {"one_column", false, NO_NOISE, 0},
    {"twelve_columns", true, NO_NOISE, 0},
    {"prime_rows", true, NO_NOISE, 0},
    {"long_names", true, NO_NOISE, 0},
    {"words", false, NO_NOISE, 0},
    {"words_constant", true, NOISY_CONDITION, 0},
    {"rank_deficient", true, NOISY_CONDITION, 0},
    {"rank_deficient_integers", false, NOISY_CONDITION, 0},
    {"nearly_collinear", true, NO_NOISE, 1e-7},
    {"large_condition", true, NO_NOISE, 1e-7},
    {"huge_scale", true, NO_NOISE, 1e-7},
    {"tiny_scale", true, NO_NOISE, 1e-7},
    {"mixed_scale", true, NO_NOISE, 1e-8},
    {"rows_4", true, NO_NOISE, 0},
    {"rows_7", true, NO_NOISE, 0},
    {"rows_8", true, NO_NOISE, 0},
    {"rows_9", true, NO_NOISE, 0},
    {"outlier", true, NO_NOISE, 0},
    {"ten_thousand", true, NO_NOISE, 0},
    {"constant_only", false, NOISY_RESIDUALS, 0},
    {"saturated", true, NOISY_RESIDUALS, 0},
    {"more_columns_than_rows", true, NOISY_RESIDUALS, 0},
    {"perfect_fit", true, NOISY_RESIDUALS, 0},
};
enum { REGRESS_CASES = sizeof regress_cases / sizeof *regress_cases };

static inline void regress_path(const char *name, const char *extension, char path[512]) {
  snprintf(path, 512, "%s/tests/golden/regress/%s.%s", FOVEA_SOURCE_DIR, name, extension);
}

#endif
