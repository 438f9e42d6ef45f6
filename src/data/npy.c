/* numpy's .npy (numpy.org/neps/nep-0001-npy-format.html), versions 1 to 3, and the .npy in an .npz. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zip.h>

#include "base/fail.h"
#include "data/array.h"
#include "data/npz.h"

enum { MOST_HEADER = 65536, DEFLATE_RATIO = 1032 };

/* ---- the header, a Python dict ---------------------------------------------------------------------------------- */

/* What stands after 'KEY': , or NULL. */
static const char *value_of(const char *header, const char *key) {
  char quoted[32];
  const char *at = NULL;
  for (int i = 0; i < 2 && at == NULL; i++) {
    snprintf(quoted, sizeof quoted, "%c%s%c", "'\""[i], key, "'\""[i]);
    at = strstr(header, quoted);
  }
  if (at == NULL) return NULL;
  at += strlen(quoted);
  at += strspn(at, " \t");
  if (*at != ':') return NULL;
  at++;
  return at + strspn(at, " \t");
}

static fovea_status bad(const fovea_array *a, const char *what) {
  return fovea_fail(FOVEA_INVALID, "%s: the header of a .npy file needs %s", a->name, what);
}

/* "<f4", "|u1", ">i8": byte order, kind, bytes. */
static fovea_status read_type(const char *at, fovea_array *a) {
  if (at == NULL || (*at != '\'' && *at != '"')) return bad(a, "a 'descr' of one type, as '<f4'");
  const char order = at[1], type = (char)(at[1] != '\0' ? at[2] : '\0');
  const size_t length = strcspn(at + 1, "'\"");
  const char digit = (char)(length == 3 ? at[3] : '\0');
  a->size = (size_t)(digit - '0');
  a->type = (char)(type == 'b' ? 'u' : type);
  a->big_endian = order == '>';
  a->boolean = type == 'b';
  const bool whole = (type == 'u' || type == 'i') && strchr("1248", digit) != NULL;
  const bool real = type == 'f' && (digit == '4' || digit == '8');
  if (length == 3 && digit != '\0' && strchr("<>|=", order) != NULL && (whole || real || (type == 'b' && digit == '1')))
    return FOVEA_OK;
  if (type == 'O') return fovea_fail(FOVEA_INVALID, "%s holds Python objects (pickles); save numbers", a->name);
  if (type == 'U' || type == 'S')
    return fovea_fail(FOVEA_INVALID,
                      "%s holds text; labels are numbers: save numpy.unique(y, return_inverse=True)[1] in its place",
                      a->name);
  return fovea_fail(FOVEA_INVALID,
                    "%s has numbers of type '%.*s'; read are u1 to u8, i1 to i8, f4 and f8: x.astype('f4')", a->name,
                    length < 20 ? (int)length : 20, at + 1);
}

static fovea_status read_shape(const char *at, fovea_array *a) {
  if (at == NULL || *at != '(') return bad(a, "a 'shape', as (60000, 28, 28)");
  at++;
  for (a->rank = 0; *(at += strspn(at, " \t,")) != ')'; a->rank++) {
    if (!isdigit((unsigned char)*at)) return bad(a, "a 'shape', as (60000, 28, 28)");
    if (a->rank == FOVEA_ARRAY_RANK)
      return fovea_fail(FOVEA_INVALID, "%s has more than %d dimensions", a->name, FOVEA_ARRAY_RANK);
    size_t value = 0;
    for (; isdigit((unsigned char)*at); at++) {
      if (value > (SIZE_MAX - 9) / 10) return fovea_fail(FOVEA_INVALID, "%s: a dimension overflows", a->name);
      value = 10 * value + (size_t)(*at - '0');
    }
    a->dims[a->rank] = value;
    if (*at == 'L') at++; /* Python 2 */
  }
  if (a->rank == 0) return fovea_fail(FOVEA_INVALID, "%s is a single number and no array", a->name);
  return FOVEA_OK;
}

static fovea_status read_dict(const char *header, fovea_array *a) {
  const char *order = value_of(header, "fortran_order");
  if (order == NULL || (strncmp(order, "True", 4) != 0 && strncmp(order, "False", 5) != 0))
    return bad(a, "a 'fortran_order' of True or False");
  a->fortran = order[0] == 'T';
  fovea_status status = read_type(value_of(header, "descr"), a);
  if (status == FOVEA_OK) status = read_shape(value_of(header, "shape"), a);
  if (status == FOVEA_OK) status = fovea_array_check(a);
  a->fortran = a->fortran && a->rank > 1;
  return status;
}

/* Exactly `size` bytes of the header. */
static fovea_status take(fovea_array *a, void *bytes, size_t size) {
  size_t got;
  fovea_status status = a->stream.read(a->stream.of, bytes, size, &got);
  if (status == FOVEA_OK && got < size) status = fovea_fail(FOVEA_INVALID, "%s ends in its header", a->name);
  return status;
}

static fovea_status read_header(fovea_array *a) {
  uint8_t bytes[12];
  fovea_status status = take(a, bytes, 8);
  if (status != FOVEA_OK) return status;
  if (memcmp(bytes, "\x93NUMPY", 6) != 0)
    return fovea_fail(FOVEA_INVALID, "%s begins with %02x %02x %02x %02x and not as a .npy file", a->name, bytes[0],
                      bytes[1], bytes[2], bytes[3]);
  if (bytes[6] < 1 || bytes[6] > 3)
    return fovea_fail(FOVEA_INVALID, "%s is a .npy file of version %d, known are 1 to 3", a->name, bytes[6]);
  const size_t wide = bytes[6] == 1 ? 2 : 4;
  status = take(a, bytes + 8, wide);
  if (status != FOVEA_OK) return status;
  size_t length = (size_t)bytes[8] | (size_t)bytes[9] << 8;
  if (wide == 4) length |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
  if (length > MOST_HEADER)
    return fovea_fail(FOVEA_INVALID, "%s says that its header has %zu bytes, at most %d are expected", a->name, length,
                      MOST_HEADER);
  char *header = calloc(length + 1, 1);
  if (header == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for the header of %s", a->name);
  status = take(a, header, length);
  if (status == FOVEA_OK) status = read_dict(header, a);
  free(header);
  return status;
}

fovea_status fovea_npy_begin(fovea_array *a) {
  fovea_status status = read_header(a);
  if (status != FOVEA_OK) fovea_array_close(a);
  return status;
}

/* ---- .npz: a zip of .npy --------------------------------------------------------------------------------------- */

typedef struct member {
  zip_t *archive;
  zip_file_t *file;
  char name[FOVEA_ARRAY_NAME];
} member;

static fovea_status member_read(void *of, void *data, size_t size, size_t *got) {
  member *m = of;
  *got = 0;
  while (*got < size) {
    const zip_int64_t n = zip_fread(m->file, (uint8_t *)data + *got, size - *got);
    if (n < 0) return fovea_fail(FOVEA_INVALID, "%s is damaged: %s", m->name, zip_file_strerror(m->file));
    if (n == 0) break;
    *got += (size_t)n;
  }
  return FOVEA_OK;
}

static void member_close(void *of) {
  member *m = of;
  if (m->file != NULL) zip_fclose(m->file);
  if (m->archive != NULL) zip_discard(m->archive);
  free(m);
}

static fovea_status open_zip(const char *path, zip_t **archive) {
  int code = 0;
  struct stat about;
  if (stat(path, &about) == 0 && !S_ISREG(about.st_mode)) /* libzip would wait for a FIFO's writer */
    return fovea_fail(FOVEA_INVALID, "cannot read '%s': it is not a regular file", path);
  *archive = zip_open(path, ZIP_RDONLY | ZIP_CHECKCONS, &code);
  if (*archive != NULL) return FOVEA_OK;
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  const fovea_status status = code == ZIP_ER_MEMORY                                                ? FOVEA_NO_MEMORY
                              : code == ZIP_ER_OPEN || code == ZIP_ER_READ || code == ZIP_ER_NOENT ? FOVEA_IO
                                                                                                   : FOVEA_INVALID;
  fovea_fail(status, "'%s' is no good .npz file (a zip of arrays): %s", path, zip_error_strerror(&error));
  zip_error_fini(&error);
  return status;
}

fovea_status fovea_npz_list(const char *path, fovea_names *names) {
  zip_t *archive;
  fovea_status status = open_zip(path, &archive);
  if (status != FOVEA_OK) return status;
  const zip_int64_t count = zip_get_num_entries(archive, 0);
  for (zip_int64_t i = 0; i < count && status == FOVEA_OK; i++) {
    const char *name = zip_get_name(archive, (zip_uint64_t)i, 0);
    const size_t n = name != NULL ? strlen(name) : 0;
    if (n > 4 && strcmp(name + n - 4, ".npy") == 0) status = fovea_names_add(names, strndup(name, n - 4));
  }
  zip_discard(archive);
  return status;
}

static fovea_status open_member(const fovea_array_place *place, member *m, uint64_t *size) {
  char name[FOVEA_ARRAY_NAME];
  zip_stat_t about;
  snprintf(name, sizeof name, "%.500s.npy", place->member);
  fovea_status status = open_zip(place->path, &m->archive);
  if (status != FOVEA_OK) return status;
  zip_stat_init(&about);
  if (zip_stat(m->archive, name, 0, &about) == 0 && (about.valid & ZIP_STAT_SIZE) != 0)
    m->file = zip_fopen(m->archive, name, 0);
  if (m->file == NULL) return fovea_fail(FOVEA_INVALID, "%s cannot be read: %s", m->name, zip_strerror(m->archive));
  const bool stored = (about.valid & ZIP_STAT_COMP_METHOD) != 0 && about.comp_method == ZIP_CM_STORE;
  const uint64_t most =
      stored || about.comp_size > UINT64_MAX / DEFLATE_RATIO ? about.comp_size : about.comp_size * DEFLATE_RATIO;
  *size = about.size < most ? about.size : most;
  return FOVEA_OK;
}

fovea_status fovea_npz_begin(const fovea_array_place *place, fovea_array *a) {
  member *m = calloc(1, sizeof *m);
  if (m == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory to read %s", a->name);
  memcpy(m->name, a->name, sizeof m->name);
  a->stream = (fovea_stream){.of = m, .read = member_read, .close = member_close};
  fovea_status status = open_member(place, m, &a->stream.bound);
  if (status == FOVEA_OK) return fovea_npy_begin(a);
  fovea_array_close(a);
  return status;
}
