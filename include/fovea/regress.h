/* Least squares on tables: a CSV file, a design matrix from it, the fit, and its summary as statsmodels prints it. */
#ifndef FOVEA_REGRESS_H
#define FOVEA_REGRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "fovea/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A CSV file as text. */
typedef struct fovea_table {
  size_t rows, columns; /* at least 1 each, the header line not counted */
  char **names;         /* columns: the header, all different, UTF-8 */
  char **cells;         /* rows x columns, row-major */
  size_t *lines;        /* rows: the line of the file where each starts, the header's being 1 */
  char *text;           /* what the pointers above point into */
} fovea_table;

/* Reads a CSV file (RFC 4180: commas, double quotes, a header line; LF or CRLF; a byte order mark is skipped, an empty
 * line too). The caller owns *table. FOVEA_IO when it cannot be read; FOVEA_INVALID, naming the line, when it is empty,
 * has a header alone, a row with more or fewer fields than the header (a torn last line is such a row), a quote that is
 * not closed, or a column without a name or with another's; FOVEA_NO_MEMORY. */
fovea_status fovea_table_read(const char *path, fovea_table **table);
void fovea_table_destroy(fovea_table *table); /* takes NULL */

/* y = x b + error. */
typedef struct fovea_design {
  size_t n, k;    /* observations, columns of x */
  char *response; /* the name of y */
  char **names;   /* k: the names of x's columns */
  double *y;      /* n */
  double *x;      /* n x k, row-major */
} fovea_design;

typedef struct fovea_design_options {
  const char *response;       /* NULL: the last column, or a sweep's test_loss */
  const char *const *columns; /* the predictors; NULL: every column but the response, or a sweep's own design */
  size_t column_count;
  bool constant; /* a column "const" of ones comes first, unless some column is a nonzero constant already (as
                    statsmodels' add_constant) */
} fovea_design_options;

/* The columns activation, attention, batchnorm, dropout and test_loss are there: the results.csv of a sweep. */
bool fovea_table_is_sweep(const fovea_table *table);

/* The design of a table; `options` may be NULL. The caller owns *design. A numeric column enters as it is; one of on
 * and off, or of true and false, as 1 and 0; one of other words as a column NAME_WORD of 0 and 1 for each word, in byte
 * order (pandas.get_dummies).
 *
 * A sweep's table without options->columns gives the design of the original experiment, in its order: BatchNorm,
 * Dropout, SpatialAttention, ChannelAttention, CBAM, Activation_elu, _relu, _selu, _sigmoid, less what does not occur.
 * A factor that does not vary is left out; without attention "none" the first level that occurs has no column. Where
 * the activation does not vary "const" stands in its place, because its columns are what carries the mean.
 *
 * FOVEA_INVALID, naming line and column: an unknown or repeated column, the response among the predictors, a missing
 * value, nan or inf, a word among numbers, a response that is not numeric or is the same in every row, an unknown word
 * in a sweep's column; FOVEA_NO_MEMORY. */
fovea_status fovea_design_from_table(const fovea_table *table, const fovea_design_options *options,
                                     fovea_design **design);
void fovea_design_destroy(fovea_design *design); /* takes NULL */

/* What statsmodels 0.13.5 calls sm.OLS(y, X).fit(), by the same formulas; NaN and infinities where it has them. */
typedef struct fovea_ols {
  size_t n, k;    /* observations, coefficients */
  size_t rank;    /* of x: singular values above k * 2^-52 * the largest */
  bool constant;  /* a nonzero constant column, or rank([1, x]) = rank(x): R-squared is centred */
  char *response; /* the name of y */
  char **names;   /* k */
  /* k each: pinv(x) y with singular values up to 1e-15 of the largest taken as zero, standard error, t,
   * 2 P(T > |t|) with n - rank degrees of freedom, 95% confidence interval */
  double *coefficients, *std_errors, *t_values, *p_values, *low, *high;
  double df_model, df_resid; /* rank - constant, n - rank */
  double r_squared, r_squared_adjusted;
  double f_value, f_p_value; /* explained over residual mean square, P(F > f) */
  double log_likelihood, aic, bic;
  double omnibus, omnibus_p; /* D'Agostino and Pearson's K^2; NaN below 8 observations */
  double jarque_bera, jarque_bera_p;
  double skew, kurtosis; /* of the residuals; the normal distribution's kurtosis is 3 */
  double durbin_watson;
  double condition_number; /* largest over smallest singular value of x */
  double min_eigenvalue;   /* smallest squared singular value of x */
} fovea_ols;

/* Fits y (n) = x (n x k, row-major) b. `names` (k) and `response` are copied; the caller owns *ols. The singular value
 * decomposition is LAPACK's. FOVEA_INVALID for n < 2, k < 1, more than 2^28 values, a NaN or an infinity, or when the
 * decomposition does not converge; FOVEA_NO_MEMORY. */
fovea_status fovea_ols_fit(const double *y, const double *x, size_t n, size_t k, const char *response,
                           const char *const *names, fovea_ols **ols);
void fovea_ols_destroy(fovea_ols *ols); /* takes NULL */

/* The text of print(results.summary()) in statsmodels 0.13.5, digit for digit, UTF-8, a newline last. Date and time are
 * the local ones, or SOURCE_DATE_EPOCH's in UTC. The caller frees *text. FOVEA_INVALID when that is no number of
 * seconds; FOVEA_NO_MEMORY. */
fovea_status fovea_ols_summary(const fovea_ols *ols, char **text);

/* All the numbers with 17 digits, and the notes, as a JSON object; NaN and infinities are null. The caller frees *text.
 * FOVEA_INVALID when a name is not UTF-8, FOVEA_NO_MEMORY. */
fovea_status fovea_ols_json(const fovea_ols *ols, char **text);

#ifdef __cplusplus
}
#endif
#endif
