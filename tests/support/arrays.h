/* Small arrays in files for tests of data sets, in a test's folder (tempdir.h). All abort on failure. */
#ifndef FOVEA_TESTS_SUPPORT_ARRAYS_H
#define FOVEA_TESTS_SUPPORT_ARRAYS_H

#include <stddef.h>
#include <stdint.h>

#include "fovea/data.h"

/* "SET/NAME"; the last four last. */
const char *array_name(const char *set, const char *name);

/* An IDX file of bytes 0, 1, 2, ...; a name that ends in .gz is compressed. */
void array_idx(const char *name, uint8_t type, int rank, const uint32_t *dims);
void array_idx_floats(const char *name, int rank, const uint32_t *dims, const float *values);

void array_rename(const char *set, const char *from, const char *to);
void array_cut(const char *set, const char *name, size_t size);

/* Compresses SET/FROM, which goes, to SET/TO, of which `cut` bytes are left (0: all), and `after` comes behind. */
void array_gzip(const char *set, const char *from, const char *to, const void *after, size_t size, size_t cut);
/* Two members, the first of `first` bytes. */
void array_gzip_members(const char *set, const char *from, const char *to, size_t first);

/* numpy's .npy of this header ("{'descr': ...}") and data. */
void array_npy(const char *name, int version, const char *header, const void *data, size_t size);

/* All that the report says, "CLASS=LABEL" and remarks, a line each; of NULL the message of the failure. */
void array_said(const fovea_dataset *set, char *said, size_t size);

#endif
