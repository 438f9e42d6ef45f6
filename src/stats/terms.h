/* Which terms a design has: lists of its variables, read from text and ordered. */
#ifndef FOVEA_STATS_TERMS_H
#define FOVEA_STATS_TERMS_H

#include <stddef.h>

#include "fovea/stats.h"

/* Gives the variable of a column; FOVEA_INVALID where there is no such column, or it may not be a predictor. */
typedef fovea_status (*fovea_variable_lookup)(void *user, const char *name, size_t *variable);

/* Adds the product of those variables to d->terms, unless it is there; a variable given twice counts once. */
fovea_status fovea_terms_add(fovea_design *d, const size_t *variables, size_t order);

/* Reads the name at *at into `name` (as long as that text): up to one of `ends` or, in double quotes, to the closing
 * one, a quote in it being doubled; *at is after it then. False where a quote is not closed. */
bool fovea_name_read(const char **at, const char *ends, char *name);

/* Adds what `text`, "a*b:c", stands for. FOVEA_INVALID where it is none. */
fovea_status fovea_terms_read(fovea_design *d, const char *text, fovea_variable_lookup lookup, void *user);

/* Sorts the terms by order, blocks last, and decides in which a factor has all its levels (R's model.matrix): where
 * the term without it is missing, the one without variables being there if the mean is carried by a constant, or by
 * an earlier factor; or, with all_levels, everywhere. */
void fovea_terms_arrange(fovea_design *d, bool constant, bool all_levels);

/* Whether each variable of `part` is one of `whole`. */
bool fovea_term_contains(const fovea_design_term *whole, const fovea_design_term *part);

/* "a:b" from the names of the variables; the caller frees it. NULL: no memory. */
char *fovea_term_name(const fovea_design *d, const fovea_design_term *t);

void fovea_term_free(fovea_design_term *t); /* what it holds */

/* Numbers that are the same, and not 0, in all n rows. */
bool fovea_variable_is_constant(const fovea_design_variable *v, size_t n);

#endif
