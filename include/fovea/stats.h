/* Least squares on tables: a CSV file, a design matrix from it, the fit, and its summary as statsmodels prints it. */
#ifndef FOVEA_STATS_H
#define FOVEA_STATS_H

#include <stdbool.h>
#include <stddef.h>

#include "fovea/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A table of text cells. */
typedef struct fovea_table {
  size_t rows, columns; /* at least 1 each, the header line not counted */
  char **names;         /* columns: the header, all different, UTF-8 */
  char **cells;         /* rows x columns, row-major, UTF-8; numbers with a decimal point and no thousands separators */
  size_t *lines;        /* rows: the line of the file where each starts, from 1 */
  char *notes;          /* NULL, or what was found out, changed or left out: sentences, a newline after each */
  char *text, *made;    /* what the pointers above point into */
} fovea_table;

typedef struct fovea_table_options {
  char separator; /* of the columns: ',' ';' '\t' '|', ' ' for any blanks; 0: found out */
  char decimal;   /* '.' or ','; 0: found out, column by column */
  bool no_header; /* the first line is a row; the columns are called x1, x2, ... */
} fovea_table_options;

/* Reads a table: RFC 4180's CSV (double quotes, a header line; LF, CRLF or CR) and what programs make of it. It may be
 * compressed by gzip, a pipe, or standard input, "-". `options` may be NULL. Passed over are a byte order mark, empty
 * lines, lines that begin with #, blanks around fields, a separator at the end of every line, and a first column
 * without a name; a comment with as many names as the first line has numbers is the header. A column whose every number
 * has decimal commas or thousands separators is rewritten. What of this was done is in the table's notes.
 *
 * The caller owns *table. FOVEA_IO when it cannot be read; FOVEA_INVALID, naming the line, when it is empty, larger
 * than 1 GiB, has a header alone, a header of numbers, a row with more or fewer fields than the others (a torn last
 * line is such a row), a quote that is not closed, a column without a name or with another's, text that is not UTF-8 or
 * has control characters, a number that may have a decimal comma or thousands; FOVEA_NO_MEMORY. */
FOVEA_API fovea_status fovea_table_read_as(const char *path, const fovea_table_options *options, fovea_table **table);
FOVEA_API fovea_status fovea_table_read(const char *path, fovea_table **table); /* without options */
FOVEA_API void fovea_table_destroy(fovea_table *table);                         /* takes NULL */

/* A table of columns that a program has: `names` of `columns` of them, and `cells`, rows x columns, row-major, all
 * copied. A cell is read as one of a file is, but nothing of it is guessed or rewritten: a number has a decimal point
 * and no thousands separators, and any other text is a word. lines[i] is i + 1, so that messages name the row.
 *
 * The caller owns *table. FOVEA_INVALID for no row or column, more than 1 GiB of text, a name that is empty or
 * another's, and text that is not UTF-8 or has control characters other than, in cells, tabs and line breaks;
 * FOVEA_NO_MEMORY. */
FOVEA_API fovea_status fovea_table_create(const char *const *names, size_t columns, const char *const *cells,
                                          size_t rows, fovea_table **table);

/* A column of the table as a design has it: numbers, or a factor, which is one of some levels in each row. */
typedef struct fovea_design_variable {
  char *name;         /* the column's; of its logarithm log(NAME) */
  bool logarithm;     /* the values are natural logarithms */
  size_t degree;      /* of numbers: how many powers enter, 1 or more; 0: a factor */
  double *values;     /* n, of numbers; else NULL */
  double *low;        /* NULL, or n: what the decimal numbers have below the last digit of `values`; of tables of up to
                         2^20 cells */
  size_t level_count; /* of a factor */
  char **levels;  /* level_count: the baseline, then the others in the order of bytes, or of numbers; in a sweep's own
                     design none is attention's first */
  size_t *at;     /* n: the level in each row; of numbers NULL */
  bool is_switch; /* the levels are off and on, or no and yes, or false and true */
  bool is_block;
} fovea_design_variable;

/* A variable, or the product of some. */
typedef struct fovea_design_term {
  char *name;          /* "a", "a:b" */
  size_t order;        /* how many variables it multiplies */
  size_t *variables;   /* order: which */
  bool *full;          /* order: this factor has a column for each level here, also for the baseline */
  size_t first, count; /* its columns of x */
} fovea_design_term;

/* y = x b + error. */
typedef struct fovea_design {
  size_t n, k;    /* observations, columns of x */
  char *response; /* the name of y */
  char **names;   /* k: the names of x's columns, all different */
  double *y;      /* n */
  double *y_low;  /* NULL, or n: what is to be added to y, below its last digit: decimal numbers are no doubles */
  double *x;      /* n x k, row-major */
  double *x_low;  /* NULL, or n x k: what is to be added to x, below its last digit, likewise and of powers */
  bool constant;  /* the first column is the ones of options->constant */
  size_t variable_count, term_count; /* 0 of a sweep's design with all levels */
  fovea_design_variable *variables;
  fovea_design_term *terms;
  size_t cluster_count; /* 0, or the number of different cells in options->cluster */
  size_t *clusters;     /* n: which of them each row has */
  /* NULL, or the first integer found that double precision rounds: line 3, column a: "12345678901234567890" */
  char *rounded;
  /* NULL, or sentences, a newline after each: which columns and rows are left out and why, words nearly as many as
   * rows, options that change nothing */
  char *remarks;
} fovea_design;

/* What becomes of rows with missing values: an empty cell, NA, N/A, NaN, null, None, "?", ".", "-"
 * and what else pandas and spreadsheets write for it. */
typedef enum fovea_missing {
  FOVEA_MISSING_ERROR, /* they are refused */
  FOVEA_MISSING_DROP   /* left out, where a column of the design has one */
} fovea_missing;

/* Zeros are the defaults. */
typedef struct fovea_design_options {
  const char *response;       /* NULL: a sweep's test_loss, also with columns; of another table the last column */
  const char *const *columns; /* the predictors; NULL, without terms: every column but the response, block and cluster,
                                 or a sweep's factors */
  size_t column_count;
  bool constant;   /* a column "const" of ones comes first, unless some column is a nonzero constant already (as
                      statsmodels' add_constant) */
  bool all_levels; /* words get a column for each level, also for the baseline; a sweep gets the original experiment's
                      design */
  const char *const *terms; /* predictors too: "a", "a:b", the product; "a*b", which is a, b and a:b; names that hold
                               such signs "in quotes" */
  size_t term_count;
  const char *const *baselines; /* "NAME=LEVEL"; without one it is the first level */
  size_t baseline_count;
  const char *const *first_levels; /* "NAME=LEVEL": the first level, where that predictor has it; a switch's is off */
  size_t first_level_count;
  const char *const *categorical; /* columns of numbers that are names */
  size_t categorical_count;
  const char *const *powers; /* "NAME:DEGREE", a predictor: x, x^2, ... to that degree, without loss */
  size_t power_count;
  const char *block;   /* a factor that comes last and is not asked about; NULL: the seed of a sweep that has several */
  const char *cluster; /* the column whose equal cells are a cluster, for FOVEA_CLUSTER; NULL: none */
  bool log;            /* the response is its natural logarithm */
  fovea_missing missing;
} fovea_design_options;

/* The columns activation, attention, batchnorm, dropout and test_loss are there: the results.csv of a sweep. */
FOVEA_API bool fovea_table_is_sweep(const fovea_table *table);

/* The design of a table; `options` may be NULL. The caller owns *design.
 *
 * A numeric column enters as it is; one of on and off, yes and no, or true and false, whatever their case, as 1 and 0.
 * One of other words has a column NAME_WORD of 0 and 1 for each word, in byte order (pandas.get_dummies), but for the
 * baseline wherever there is a constant or an earlier such column, which hold the mean then. A product has the columns
 * that R's model matrix has: a factor has all its levels in it where the term without that factor is missing. A name
 * that another column has gets a number: w_u_2.
 *
 * A sweep's table without options->columns and terms gives a constant, batchnorm, dropout, attention and
 * activation, each against a baseline, and other options that it varied, less what does not vary (learning rates as
 * natural logarithms, and KL weights too where none is 0, which columns and terms get, too, with a remark), and the
 * seed as a block where there are several. With all_levels it gives the design of the original experiment, in its
 * order: BatchNorm, Dropout, SpatialAttention, ChannelAttention, CBAM, Activation_elu, _relu, ...
 * (fovea_activation_name), less what does not occur. A factor that does not vary is left out; without attention
 * "none" the first level that occurs has no column. Where the activation does not vary "const" stands in its place,
 * because its columns are what carries the mean.
 *
 * FOVEA_INVALID, naming line and column: an unknown or repeated column, the response among the predictors, a missing
 * value, nan or inf, a number too large for a double or not 0 and too near to it, integers that are different numbers
 * and the same double, a word among numbers, a response that is not numeric, or not positive where its logarithm is
 * asked for, or is the same in every row, an unknown word in a sweep's column, a baseline, power or term that does not
 * fit; more than 2^28 values of x; FOVEA_NO_MEMORY. */
FOVEA_API fovea_status fovea_design_from_table(const fovea_table *table, const fovea_design_options *options,
                                               fovea_design **design);
FOVEA_API void fovea_design_destroy(fovea_design *design); /* takes NULL */

/* A column of x without a coefficient, and those before it of which it is a combination. */
typedef struct fovea_ols_alias {
  size_t column;   /* of x */
  size_t count;    /* of `with`; 0: the column is zero in every row */
  size_t *with;    /* columns of x that have a coefficient, ascending */
  double *weights; /* count: the column is the sum of those times these */
} fovea_ols_alias;

/* How the errors of the coefficients are found: with errors of one variance (classical), of any (HC0; HC1 is that times
 * n / (n - rank), HC3 has each residual over 1 - its leverage), or of any within clusters, which are independent (with
 * g / (g - 1) (n - 1) / (n - rank), as Stata and statsmodels have it). */
typedef enum fovea_covariance { FOVEA_CLASSICAL, FOVEA_HC0, FOVEA_HC1, FOVEA_HC3, FOVEA_CLUSTER } fovea_covariance;

typedef struct fovea_ols_options {
  fovea_covariance covariance;
  double alpha; /* intervals hold with probability 1 - alpha; 0: 0.05 */
} fovea_ols_options;

/* What statsmodels 0.13.5 calls sm.OLS(y, X).fit(), by the same formulas; NaN and infinities where it has them.
 *
 * Rank and coefficients do not depend on the units of y and of x's columns. statsmodels' do, and of dependent columns
 * it gives the coefficients of least norm; here, as in R, the later of such columns is aliased and has none. */
typedef struct fovea_ols {
  size_t n, k;   /* observations, columns of x */
  size_t rank;   /* of x: how many columns are not aliased */
  bool constant; /* ones are a combination of x's columns, by the rule of aliased ones: R-squared is centred */
  /* the column that is that constant though its values differ, by no more than the rule's tolerance; k: none */
  size_t nearly_constant;
  char *response; /* the name of y */
  char **names;   /* k */
  /* k: the column is, at unit length and within max(n, k) * 2^-52, a combination of columns before it */
  bool *aliased;
  fovea_ols_alias *aliases; /* alias_count = k - rank: the aliased columns in order */
  size_t alias_count;
  fovea_covariance covariance;
  size_t cluster_count; /* of FOVEA_CLUSTER */
  double alpha;
  /* k each: the coefficient, its standard error, t, 2 P(T > |t|) with df_inference degrees of freedom, 1 - alpha
   * confidence interval; NaN where aliased */
  double *coefficients, *std_errors, *t_values, *p_values, *low, *high;
  /* k x k: of the estimates; times both standard errors it is their covariance. NaN where aliased */
  double *correlation;
  double df_model, df_resid; /* rank - constant, n - rank */
  double df_inference;       /* of t and F: df_resid, or the number of clusters - 1 */
  double residual_deviation; /* the root of the sum of squares over df_resid; NaN without any */
  /* the residuals are within the rounding of y and of the products x b: what is made of them is noise */
  bool exact;
  double r_squared, r_squared_adjusted;
  /* explained over residual mean square, P(F > f); with a robust covariance Wald's, of all columns but the constant */
  double f_value, f_p_value;
  double log_likelihood, aic, bic;
  double omnibus, omnibus_p; /* D'Agostino and Pearson's K^2; NaN below 8 observations */
  double jarque_bera, jarque_bera_p;
  double skew, kurtosis; /* of the residuals; the normal distribution's kurtosis is 3 */
  double durbin_watson;
  double condition_number;   /* largest over smallest singular value of x, in its units */
  double min_eigenvalue;     /* smallest squared singular value of x */
  size_t statsmodels_rank;   /* the rank that statsmodels 0.13.5 reports or, if that is `rank`, solves with */
  bool statsmodels_constant; /* its `constant` */
} fovea_ols;

/* Fits y (n) = x (n x k, row-major) b, in double-double. `names` (k) and `response` are copied; the caller owns *ols.
 * The singular values behind condition_number are LAPACK's. Aliased columns are no error. FOVEA_INVALID for n < 2,
 * k < 1, more than 2^28 values, a NaN or an infinity, or when the singular values do not converge; FOVEA_NO_MEMORY. */
FOVEA_API fovea_status fovea_ols_fit(const double *y, const double *x, size_t n, size_t k, const char *response,
                                     const char *const *names, fovea_ols **ols);

/* The same of a design, with its names and with what the rounding of x and y left; `options` may be NULL. FOVEA_INVALID
 * also for an alpha outside (0, 1), clusters that the design has not, and HC3 where an observation has a leverage of 1.
 */
FOVEA_API fovea_status fovea_ols_fit_design(const fovea_design *design, const fovea_ols_options *options,
                                            fovea_ols **ols);
FOVEA_API void fovea_ols_destroy(fovea_ols *ols); /* takes NULL */

/* The text of print(results.summary()) in statsmodels 0.13.5, digit for digit, UTF-8, a newline last. Date and time are
 * the local ones, or SOURCE_DATE_EPOCH's in UTC. The caller gives *text to fovea_free. FOVEA_INVALID when that is no
 * number of seconds; FOVEA_NO_MEMORY. */
FOVEA_API fovea_status fovea_ols_summary(const fovea_ols *ols, char **text);

/* All the numbers with 17 digits, and the notes, as a JSON object; NaN and infinities are null. The caller gives *text
 * to fovea_free. FOVEA_INVALID when a name is not UTF-8, FOVEA_NO_MEMORY. */
FOVEA_API fovea_status fovea_ols_json(const fovea_ols *ols, char **text);

/* --- what the factors do ----------------------------------------------------------------------------------------- */

/* A line of the analysis of variance: a term, or a pair of factors. */
typedef struct fovea_effect {
  char *name;
  bool is_block;
  double df;
  double sum_squares; /* NaN with a robust covariance */
  double f_value, p_value;
  char *alike;   /* of a pair: "c x d or e x f", pairs that the rows cannot tell from it; or NULL */
  char *unknown; /* why there is no test; NULL where there is, or where nothing says */
} fovea_effect;

/* A mean or a difference, with the fit's 1 - alpha interval. NaN where the design cannot tell it. */
typedef struct fovea_estimate {
  char *name;
  size_t level, reference; /* of a factor's mean: its level; of a difference: that level less the reference */
  double value, std_error, t_value;
  double p_value;   /* of a difference: adjusted */
  double low, high; /* of a difference: for all differences of the factor at once, as the adjustment has it */
} fovea_estimate;

/* The means of a factor's levels, or of the cells of two: of the fit's values with every other factor at all its levels
 * alike, and numbers at their means (least-squares means, R's emmeans). */
typedef struct fovea_means {
  char *name;
  size_t variable_count;
  size_t variables[2]; /* of the design; the first varies slowest */
  size_t count;
  fovea_estimate *means;
  size_t difference_count; /* of a factor: each pair of levels; of two factors none */
  fovea_estimate *differences;
  char *sentence;    /* of a factor: what it does, in words */
  double seeds;      /* of a factor: how many seeds, or tables such as this one, its differences take to be seen if they
                        are options->difference; NaN without, or where no error can be told */
  double detectable; /* and which difference this table's rows are enough for */
} fovea_means;

/* What a number does: its slope, whether a straight line is enough, and what each of its values does. */
typedef struct fovea_slope {
  char *name;      /* of the column, also where its logarithm is in the design */
  size_t variable; /* of the design */
  bool logarithm;  /* is in the design */
  double step;     /* what `change` is for: so much more, or so many times as much */
  fovea_estimate
      change;         /* of the response's mean, others as in fovea_means; NaN where powers of the number are there */
  size_t value_count; /* how many different values it has */
  /* of 3 values or more: what a mean of their own adds to the line or the powers (lack of fit); else df is 0 */
  fovea_effect lack;
  fovea_means values; /* as those of a factor, by the fit in which each value has a mean of its own; count 0 where there
                         are more than FOVEA_MOST_VALUES, or as many as rows */
  char *sentence;     /* of the change */
  char *fit;          /* NULL, or a sentence of the lack of fit */
} fovea_slope;

enum { FOVEA_MOST_VALUES = 16 };

typedef struct fovea_share {
  char *name; /* a factor, or a pair of factors */
  double share;
} fovea_share;

typedef enum fovea_adjustment { FOVEA_TUKEY, FOVEA_HOLM, FOVEA_UNADJUSTED } fovea_adjustment;

typedef struct fovea_analysis_options {
  int type;                    /* of the analysis of variance: 2 or 3; 0: 2 */
  fovea_adjustment adjustment; /* of differences. With Holm's p the intervals are Bonferroni's */
  double difference;           /* what is to be seen; 0: nothing */
  double power;                /* the probability that it is; 0: 0.8 */
} fovea_analysis_options;

typedef struct fovea_analysis {
  int type;
  fovea_adjustment adjustment;
  double difference, power;
  double df_resid, residual_squares;
  size_t effect_count; /* each term, but for a column that is the constant */
  fovea_effect *effects;
  size_t pair_count;          /* each two factors that are not blocks */
  fovea_effect *interactions; /* pair_count: in the design, or added to it alone */
  fovea_means *pairs;         /* pair_count: by the same design */
  size_t factor_count;        /* factors that are not blocks */
  fovea_means *factors;
  size_t slope_count; /* numbers, in the order of their terms */
  fovea_slope *slopes;
  /* of a full factorial: the part of the variance of its cells' means that each factor and each pair has; the rest is
   * of three factors and more. 0 of any other design. */
  size_t share_count;
  fovea_share *shares;
  double share_rest;
  double
      share_noise; /* the part that errors of the fit's residual deviation make on average; NaN where it is unknown */
  size_t seeds;    /* levels of the block; 1 without one */
} fovea_analysis;

/* The analysis of variance of a fit of a design, with a joint F for each term: of type 2, each term after all that do
 * not contain it, or of type 3, each after all others, with factors coded to add up to 0 (R's car::Anova); means of the
 * levels of each factor and of each pair; all differences, adjusted; what numbers do; the parts of the variance
 * (functional ANOVA: Hooker, J. Comp. Graph. Stat. 16 (2007)); how many seeds a difference takes. `ols` is
 * fovea_ols_fit_design's of that design; `options` may be NULL. The caller owns *analysis. FOVEA_INVALID for a design
 * without a constant or without terms, and for options that are none; FOVEA_NO_MEMORY. */
FOVEA_API fovea_status fovea_analyze(const fovea_design *design, const fovea_ols *ols,
                                     const fovea_analysis_options *options, fovea_analysis **analysis);
FOVEA_API void fovea_analysis_destroy(fovea_analysis *analysis); /* takes NULL */

/* Sentences and tables, UTF-8, a newline last, or a JSON object with all digits. The caller gives *text to fovea_free.
 * FOVEA_INVALID when a name is not UTF-8, FOVEA_NO_MEMORY. */
FOVEA_API fovea_status fovea_analysis_text(const fovea_analysis *analysis, const fovea_ols *ols, char **text);
FOVEA_API fovea_status fovea_analysis_json(const fovea_analysis *analysis, const fovea_ols *ols, char **text);

#ifdef __cplusplus
}
#endif
#endif
