#include "data/kind.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

const char *fovea_kind_junk(const char *name) {
  static const char *const names[] = {".DS_Store",  "Thumbs.db",          "desktop.ini",  "__MACOSX",
                                      "@eaDir",     ".ipynb_checkpoints", "$RECYCLE.BIN", "System Volume Information",
                                      "lost+found", "#recycle",           "#snapshot"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcasecmp(name, names[i]) == 0) return names[i];
  if (strncmp(name, "._", 2) == 0) return "._*";
  return name[0] == '.' ? "hidden" : NULL;
}

static const struct {
  const char *kind;
  size_t at, size;
  const char *bytes;
} magics[] = {
    {"PNG", 0, 8, "\x89PNG\r\n\x1a\n"},
    {"JPEG", 0, 3, "\xff\xd8\xff"},
    {"GIF", 0, 6, "GIF87a"},
    {"GIF", 0, 6, "GIF89a"},
    {"WebP", 8, 4, "WEBP"},
    {"TIFF", 0, 4, "II*\0"},
    {"TIFF", 0, 4, "MM\0*"},
    {"HEIC", 4, 8, "ftypheic"},
    {"HEIC", 4, 8, "ftypheix"},
    {"HEIC", 4, 8, "ftypmif1"},
    {"AVIF", 4, 8, "ftypavif"},
    {"JPEG 2000", 4, 6, "jP  \r\n"},
    {"JPEG XL", 0, 2, "\xff\x0a"},
    {"JPEG XL", 4, 6, "JXL \r\n"},
    {"Photoshop", 0, 4, "8BPS"},
    {"OpenEXR", 0, 4, "\x76\x2f\x31\x01"},
};

/* A bitmap's first two bytes are any text's: the length of its second header, at 14, is small. */
static bool is_bmp(const uint8_t *bytes, size_t size) {
  return size >= 16 && bytes[0] == 'B' && bytes[1] == 'M' && bytes[14] >= 12 && bytes[14] <= 128 && bytes[15] == 0;
}

/* P1 to P7 and a space (netpbm.sourceforge.net): PBM, PGM, PPM and PAM. */
static bool is_ppm(const uint8_t *bytes, size_t size) {
  return size >= 3 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '7' && strchr("\n\r\t ", bytes[2]) != NULL &&
         bytes[2] != '\0';
}

const char *fovea_kind_picture(const uint8_t *bytes, size_t size) {
  for (size_t i = 0; i < sizeof magics / sizeof *magics; i++) {
    if (size >= magics[i].at + magics[i].size && memcmp(bytes + magics[i].at, magics[i].bytes, magics[i].size) == 0)
      return magics[i].kind;
  }
  if (is_bmp(bytes, size)) return "BMP";
  return is_ppm(bytes, size) ? "PPM" : NULL;
}

/* The last point and what follows; NULL where there is none. */
static const char *suffix_of(const char *name) {
  const char *point = strrchr(name, '.');
  return point != NULL && point != name && point[1] != '\0' ? point : NULL;
}

bool fovea_kind_page(const uint8_t *bytes, size_t size) {
  static const char *const beginnings[] = {"<!doctype", "<html", "<head"};
  char text[FOVEA_KIND_BYTES + 1] = "";
  if (size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) bytes += 3, size -= 3;
  for (; size > 0 && strchr(" \t\r\n", *bytes) != NULL && *bytes != 0; size--) bytes++;
  memcpy(text, bytes, size < FOVEA_KIND_BYTES ? size : FOVEA_KIND_BYTES);
  for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
    if (strncasecmp(text, beginnings[i], strlen(beginnings[i])) == 0) return true;
  return false;
}

bool fovea_kind_named_picture(const char *name) {
  static const char *const suffixes[] = {".png",  ".jpg",  ".jpeg", ".jpe", ".jfif", ".bmp", ".gif", ".webp",
                                         ".tif",  ".tiff", ".ppm",  ".pgm", ".pbm",  ".pnm", ".pam", ".heic",
                                         ".heif", ".avif", ".jp2",  ".jxl", ".psd",  ".exr", ".apng"};
  const char *suffix = suffix_of(name);
  for (size_t i = 0; suffix != NULL && i < sizeof suffixes / sizeof *suffixes; i++)
    if (strcasecmp(suffix, suffixes[i]) == 0) return true;
  return false;
}

const char *fovea_kind_suffix(const char *name, char suffix[FOVEA_KIND_NAME]) {
  const char *from = suffix_of(name);
  if (from == NULL || strlen(from) >= FOVEA_KIND_NAME) return "without suffix";
  size_t i = 0;
  for (; from[i] != '\0'; i++) suffix[i] = (char)(from[i] >= 'A' && from[i] <= 'Z' ? from[i] + 32 : from[i]);
  suffix[i] = '\0';
  return suffix;
}
