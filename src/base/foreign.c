#include "base/foreign.h"

#include <string.h>
#include <strings.h>

static const fovea_magic kinds[] = {
    {"PK\3\4", 4, 0, "a zip archive: unzip it first"},
    {"PK\5\6", 4, 0, "an empty zip archive"},
    {"version https://git-lfs", 23, 0, "a pointer of Git LFS and not the data: fetch them by git lfs pull"},
    {"\xfd"
     "7zXZ",
     6, 0, "compressed by xz: unpack it first, by xz -d"},
    {"BZh", 3, 0, "compressed by bzip2: unpack it first, by bzip2 -d"},
    {"\x28\xb5\x2f\xfd", 4, 0, "compressed by zstd: unpack it first, by zstd -d"},
    {"7z\xbc\xaf\x27\x1c", 6, 0, "a 7z archive: unpack it first, by 7z x"},
    {"Rar!", 4, 0, "a RAR archive: unpack it first, by unrar x"},
    {"ustar", 5, 257, "a tar archive: unpack it first, by tar -xf"},
    {"SQLite format 3", 15, 0, "an SQLite database, which fovea does not read"},
    {"%PDF", 4, 0, "a PDF document and no data"},
};

static const char *text_kind(const uint8_t *bytes, size_t size) {
  static const struct {
    const char *begin, *says;
  } texts[] = {{"<!doctype html", "an HTML page: the download went wrong"},
               {"<html", "an HTML page: the download went wrong"},
               {"<head", "an HTML page: the download went wrong"},
               {"<?xml", "an XML document, perhaps a server's error: the download went wrong"}};
  size_t i = 0;
  while (i < size && strchr(" \t\r\n\xef\xbb\xbf", bytes[i]) != NULL && bytes[i] != 0) i++;
  for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
    const size_t n = strlen(texts[k].begin);
    if (size - i >= n && strncasecmp((const char *)bytes + i, texts[k].begin, n) == 0) return texts[k].says;
  }
  return NULL;
}

const char *fovea_magic_find(const fovea_magic *of, size_t count, const uint8_t *bytes, size_t size) {
  for (size_t i = 0; i < count; i++)
    if (size >= of[i].at + of[i].size && memcmp(bytes + of[i].at, of[i].bytes, of[i].size) == 0) return of[i].says;
  return NULL;
}

const char *fovea_foreign(const uint8_t *bytes, size_t size) {
  const char *says = fovea_magic_find(kinds, sizeof kinds / sizeof *kinds, bytes, size);
  return says != NULL ? says : text_kind(bytes, size);
}
