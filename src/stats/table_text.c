/* The text of a table: from a file, a pipe or standard input, compressed or not, in UTF-8. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/foreign.h"
#include "base/gzip.h"
#include "stats/table.h"

enum { FIRST_ROOM = 1 << 16 };
static const size_t max_size = (size_t)1 << 30;

static fovea_status read_all(fovea_gzip *file, const char *path, char **text, size_t *size) {
  size_t room = FIRST_ROOM, got = 1;
  const uint64_t bound = fovea_gzip_bound(file);
  if (bound > room && bound <= max_size) room = (size_t)bound; /* a plain file is read into its size */
  *size = 0;
  *text = malloc(room + 2);
  fovea_status status = *text ? FOVEA_OK : fovea_fail(FOVEA_NO_MEMORY, "no memory for the %zu bytes of %s", room, path);
  while (!status && got > 0) {
    if (*size == room) {
      room *= 2;
      char *more = realloc(*text, room + 2);
      if (!more) return fovea_fail(FOVEA_NO_MEMORY, "no memory for %zu bytes of %s", room, path);
      *text = more;
    }
    status = fovea_gzip_read(file, *text + *size, room - *size, &got);
    if (!status) *size += got;
    if (*size > max_size)
      return fovea_fail(FOVEA_INVALID, "'%s' has more than the %zu bytes that a table may have", path, max_size);
  }
  return status;
}

static fovea_status open_table(const char *path, fovea_gzip **file) {
  const bool standard = strcmp(path, "-") == 0;
  struct stat about;
  const int descriptor = standard ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0) : open(path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return fovea_fail(FOVEA_IO, "cannot read '%s': %s", path, strerror(errno));
  if (fstat(descriptor, &about) == 0 && S_ISDIR(about.st_mode)) {
    close(descriptor);
    return fovea_fail(FOVEA_INVALID, "cannot read '%s': it is a folder, and no table", path);
  }
  return fovea_gzip_adopt(descriptor, standard ? "standard input" : path, file);
}

/* Lines that end in \r alone, as old spreadsheets write them. */
static void end_lines(char *text, size_t size) {
  if (memchr(text, '\n', size)) return;
  for (size_t i = 0; i < size; i++)
    if (text[i] == '\r') text[i] = '\n';
}

static bool starts_with(const char *text, size_t size, const char *bytes, size_t count) {
  return size >= count && memcmp(text, bytes, count) == 0;
}

#define SAVE(read) "; in Python: pandas." read "(FILE).to_csv('table.csv', index=False)"

/* FOVEA_INVALID, naming it, for a text that is known to be no table. */
static fovea_status check_foreign(const char *path, const char *text, size_t size) {
  static const fovea_magic kinds[] = {
      {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8, 0, "an Excel workbook: save its sheet as CSV" SAVE("read_excel")},
      {"PK\3\4", 4, 0, "a zip archive, as .xlsx and .ods are: save the sheet as CSV, or unzip it first"},
      {"PAR1", 4, 0, "a Parquet file" SAVE("read_parquet")},
      {"\x89HDF\r\n\x1a\n", 8, 0, "an HDF5 file" SAVE("read_hdf")},
      {"$FL2", 4, 0, "an SPSS file" SAVE("read_spss")},
      {"<stata_dta>", 11, 0, "a Stata file" SAVE("read_stata")},
      {"X\n\0\0\0", 5, 0, "a file of R's saveRDS; in R: write.csv(readRDS(FILE), 'table.csv', row.names = FALSE)"},
      {"{\"", 2, 0, "JSON and no table: write it as CSV"},
      {"[{", 2, 0, "JSON and no table: write it as CSV"},
  };
  const uint8_t *bytes = (const uint8_t *)text;
  const char *says = fovea_magic_find(kinds, sizeof kinds / sizeof *kinds, bytes, size);
  if (!says) says = fovea_foreign(bytes, size < FOVEA_FOREIGN_BYTES ? size : FOVEA_FOREIGN_BYTES);
  return says ? fovea_fail(FOVEA_INVALID, "%s: this is %s", path, says) : FOVEA_OK;
}

fovea_status fovea_table_load(const char *path, char **text, char **start, size_t *size) {
  fovea_gzip *file = NULL;
  *text = NULL;
  fovea_status status = open_table(path, &file);
  if (!status) {
    status = read_all(file, path, text, size);
    fovea_gzip_close(file);
  }
  if (status) return status;
  if (starts_with(*text, *size, "\xff\xfe", 2) || starts_with(*text, *size, "\xfe\xff", 2))
    return fovea_fail(FOVEA_INVALID, "%s: the text is UTF-16; convert it: iconv -f utf-16 -t utf-8", path);
  status = check_foreign(path, *text, *size);
  if (status) return status;
  if (memchr(*text, 0, *size)) return fovea_fail(FOVEA_INVALID, "%s: a zero byte in it; this is no CSV file", path);
  const size_t mark = starts_with(*text, *size, "\xef\xbb\xbf", 3) ? 3 : 0;
  *start = *text + mark;
  *size -= mark;
  (*start)[*size] = 0;
  end_lines(*start, *size);
  return FOVEA_OK;
}

/* How many bytes the character at s has by RFC 3629; 0: it is none. Overlong forms and surrogates are none. */
static size_t character_size(const unsigned char *s) {
  const size_t size = *s < 0x80                 ? 1
                      : *s >= 0xc2 && *s < 0xe0 ? 2
                      : *s >= 0xe0 && *s < 0xf0 ? 3
                      : *s >= 0xf0 && *s < 0xf5 ? 4
                                                : 0;
  if ((*s == 0xe0 && s[1] < 0xa0) || (*s == 0xed && s[1] > 0x9f)) return 0;
  if ((*s == 0xf0 && s[1] < 0x90) || (*s == 0xf4 && s[1] > 0x8f)) return 0;
  for (size_t i = 1; i < size; i++)
    if ((s[i] & 0xc0) != 0x80) return 0;
  return size;
}

fovea_status fovea_table_check_text(const char *path, const char *what, const char *text, bool breaks) {
  for (const unsigned char *s = (const unsigned char *)text; *s;) {
    const size_t size = character_size(s);
    if (size == 0)
      return fovea_fail(FOVEA_INVALID,
                        "%s: %s: not UTF-8, byte 0x%02x; convert the file, for example: iconv -f latin1 -t utf-8", path,
                        what, *s);
    const bool control = *s < 0x20 || *s == 0x7f || (s[0] == 0xc2 && s[1] < 0xa0);
    if (control && !(breaks && (*s == '\t' || *s == '\n' || *s == '\r')))
      return fovea_fail(FOVEA_INVALID, "%s: %s: a control character, 0x%02x, in it", path, what,
                        size == 2 ? s[1] : s[0]);
    s += size;
  }
  return FOVEA_OK;
}
