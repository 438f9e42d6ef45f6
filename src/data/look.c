/* The header of a picture, by a few bytes here and there: of all pictures of a set, before one is decoded. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/file.h"
#include "data/kind.h"
#include "data/listing.h"
#include "data/picture.h"

/* Pixels that a byte of a file can make: of deflate 1032 bytes (zlib.net/zlib_tech.html), of JPEG half a block, for its
 * codes of 64 values have a bit at least. */
enum { DEFLATE_RATIO = 1032, JPEG_RATIO = 1024, MOST_PARTS = 100000, HEAD = 1024 };

typedef struct reader {
  const char *path;
  int descriptor, error;
  uint64_t size;
  uint8_t head[HEAD]; /* the file's first bytes, `held` of them: headers are mostly there */
  size_t held;
} reader;

/* Of `n` bytes from `at` as many as there are. */
static size_t fetch(reader *r, uint64_t at, uint8_t *to, size_t n) {
  const ptrdiff_t got = fovea_file_read_at(r->descriptor, at, to, n);
  if (got >= 0) return (size_t)got;
  r->error = errno;
  return 0;
}

/* All `n` bytes from `at`, or false. */
static bool get(reader *r, uint64_t at, void *to, size_t n) {
  if (at > r->held || n > r->held - at) return fetch(r, at, to, n) == n;
  memcpy(to, r->head + at, n);
  return true;
}

static uint32_t big(const uint8_t *p, int bytes) {
  uint32_t value = 0;
  for (int i = 0; i < bytes; i++) value = value << 8 | p[i];
  return value;
}

static fovea_status damaged(const reader *r, const char *kind, const char *why) {
  if (r->error != 0) return fovea_fail(FOVEA_IO, "cannot read '%s': %s", r->path, strerror(r->error));
  return fovea_fail(FOVEA_INVALID, "'%s' is not a good %s: %s (--skip-bad passes over such files)", r->path, kind, why);
}

/* Sets the size, unless it is none that can be. `units` of it a byte of the file can hold at most. */
static fovea_status set_size(const reader *r, const char *kind, uint32_t width, uint32_t height, uint64_t units,
                             uint64_t ratio, fovea_picture_info *info) {
  const bool large = width > FOVEA_PICTURE_MAX_SIDE || height > FOVEA_PICTURE_MAX_SIDE;
  if (large && width > 0 && height > 0 && units / ratio <= r->size)
    return fovea_fail(FOVEA_INVALID,
                      "'%s' is too large: %lu x %lu, at most %d a side; make it smaller, or go on with --skip-bad",
                      r->path, (unsigned long)width, (unsigned long)height, FOVEA_PICTURE_MAX_SIDE);
  if (width == 0 || height == 0 || large)
    return fovea_fail(FOVEA_INVALID, "'%s' is not a good %s: it is said to be %lu x %lu, expected 1 to %d a side",
                      r->path, kind, (unsigned long)width, (unsigned long)height, FOVEA_PICTURE_MAX_SIDE);
  if (units / ratio > r->size)
    return fovea_fail(FOVEA_INVALID, "'%s' is said to be %lu x %lu, more than its %llu bytes can hold", r->path,
                      (unsigned long)width, (unsigned long)height, (unsigned long long)r->size);
  info->width = (int)width;
  info->height = (int)height;
  return FOVEA_OK;
}

static void turn(fovea_picture_info *info, int orientation) {
  const int width = info->width;
  info->orientation = orientation;
  if (orientation < 5) return;
  info->width = info->height;
  info->height = width;
}

/* ---- PNG -------------------------------------------------------------------------------------------------------- */

/* What chunks say that stand anywhere before the end: tRNS, acTL and eXIf. */
static fovea_status look_at_chunks(reader *r, fovea_picture_info *info) {
  uint8_t head[8], frames[4], exif[1024];
  uint64_t at = 33; /* after the signature and IHDR */
  int orientation = 1;
  for (int i = 0; i < MOST_PARTS && get(r, at, head, sizeof head); i++) {
    const uint32_t size = big(head, 4);
    if (memcmp(head + 4, "IEND", 4) == 0) break;
    if (memcmp(head + 4, "tRNS", 4) == 0) info->alpha = true;
    if (memcmp(head + 4, "acTL", 4) == 0 && get(r, at + 8, frames, sizeof frames)) info->animated = big(frames, 4) > 1;
    if (memcmp(head + 4, "eXIf", 4) == 0) {
      const size_t n = size < sizeof exif ? size : sizeof exif;
      if (get(r, at + 8, exif, n)) orientation = fovea_exif_orientation(exif, n);
    }
    at += 12 + (uint64_t)size;
  }
  if (r->error != 0) return damaged(r, "PNG", "");
  turn(info, orientation);
  return FOVEA_OK;
}

static fovea_status look_at_png(reader *r, fovea_picture_info *info) {
  enum { PALETTE = 3, GRAY_ALPHA = 4, RGB_ALPHA = 6 };
  static const unsigned samples[] = {1, 0, 3, 1, 2, 0, 4};
  uint8_t head[25];
  if (!get(r, 8, head, sizeof head)) return damaged(r, "PNG", "the file ends too early");
  if (memcmp(head + 4, "CgBI", 4) == 0)
    return fovea_fail(FOVEA_INVALID,
                      "'%s' is an iPhone PNG (CgBI), which no PNG reader takes; convert such files (Xcode: pngcrush "
                      "-revert-iphone-optimizations) or pass them over with --skip-bad",
                      r->path);
  const uint32_t width = big(head + 8, 4), height = big(head + 12, 4);
  const unsigned depth = head[16], color = head[17];
  if (memcmp(head, "\0\0\0\15IHDR", 8) != 0 || color > RGB_ALPHA || samples[color] == 0 || depth > 16)
    return damaged(r, "PNG", "its header is damaged");
  info->kind = FOVEA_PICTURE_PNG;
  info->channels = color == 0 || color == GRAY_ALPHA ? 1 : 3;
  info->alpha = color == GRAY_ALPHA || color == RGB_ALPHA;
  info->deep = depth == 16;
  const uint64_t bytes = (uint64_t)width * height / 8 * samples[color] * depth;
  fovea_status status = set_size(r, "PNG", width, height, bytes, DEFLATE_RATIO, info);
  return status != FOVEA_OK ? status : look_at_chunks(r, info);
}

/* ---- JPEG ------------------------------------------------------------------------------------------------------- */

static fovea_status take_frame(reader *r, uint64_t at, int marker, int orientation, fovea_picture_info *info) {
  uint8_t frame[6];
  if (!get(r, at, frame, sizeof frame)) return damaged(r, "JPEG", "the file ends too early");
  if (frame[0] != 8)
    return fovea_fail(FOVEA_INVALID, "'%s' is a JPEG of %d bits, expected 8; convert such files to PNG", r->path,
                      frame[0]);
  if (frame[5] != 1 && frame[5] != 3 && frame[5] != 4)
    return fovea_fail(FOVEA_INVALID, "'%s' is a JPEG of %d components, expected 1, 3 or 4", r->path, frame[5]);
  const uint32_t height = big(frame + 1, 2), width = big(frame + 3, 2);
  const uint64_t pixels = marker < 0xc9 ? (uint64_t)width * height : 0; /* arithmetic codes have no least length */
  info->kind = FOVEA_PICTURE_JPEG;
  info->channels = frame[5] == 1 ? 1 : 3;
  info->inks = frame[5] == 4;
  fovea_status status = set_size(r, "JPEG", width, height, pixels, JPEG_RATIO, info);
  if (status == FOVEA_OK) turn(info, orientation);
  return status;
}

/* The orientation in an APP1 of Exif, else what it was. */
static int take_exif(reader *r, uint64_t at, size_t size, int orientation) {
  static uint8_t const name[] = {'E', 'x', 'i', 'f', 0, 0};
  uint8_t bytes[1024];
  const size_t n = size < sizeof bytes ? size : sizeof bytes;
  if (n < sizeof name || !get(r, at, bytes, n) || memcmp(bytes, name, sizeof name) != 0) return orientation;
  return fovea_exif_orientation(bytes + sizeof name, n - sizeof name);
}

/* The marker at or after `at`, with filling and other bytes before it; *at is then behind it. */
static bool next_marker(reader *r, uint64_t *at, int *marker) {
  uint8_t byte = 0;
  for (int i = 0; i < MOST_PARTS; i++) {
    if (!get(r, (*at)++, &byte, 1)) return false;
    if (byte != 0xff) continue;
    do
      if (!get(r, (*at)++, &byte, 1)) return false;
    while (byte == 0xff);
    if (byte == 0) continue;
    *marker = byte;
    return true;
  }
  return false;
}

static fovea_status look_at_jpeg(reader *r, fovea_picture_info *info) {
  enum { TABLES = 0xc4, EXTENSION = 0xc8, CODES = 0xcc, RESTART = 0xd0, END = 0xd9, SCAN = 0xda, APP1 = 0xe1 };
  uint64_t at = 2;
  int marker = 0, orientation = 1;
  for (int i = 0; i < MOST_PARTS && next_marker(r, &at, &marker); i++) {
    uint8_t length[2];
    if (marker == 1 || (marker >= RESTART && marker < END)) continue; /* no length follows */
    if (marker == END || marker == SCAN) break;
    if (!get(r, at, length, sizeof length) || big(length, 2) < 2) break;
    const size_t size = big(length, 2) - 2;
    if (marker >= 0xc0 && marker <= 0xcf && marker != TABLES && marker != EXTENSION && marker != CODES)
      return take_frame(r, at + 2, marker, orientation, info);
    if (marker == APP1 && orientation == 1) orientation = take_exif(r, at + 2, size, orientation);
    at += 2 + size;
  }
  return damaged(r, "JPEG", "it has no header");
}

/* ---- WebP ------------------------------------------------------------------------------------------------------ */

static size_t get_some(void *of, uint64_t at, uint8_t *to, size_t n) { return fetch(of, at, to, n); }

static fovea_status look_at_webp(reader *r, fovea_picture_info *info) {
  const fovea_picture_reader some = {r, get_some, r->size};
  fovea_status status = fovea_webp_look(r->path, &some, info);
  if (r->error != 0) return damaged(r, "WebP", "");
  if (status == FOVEA_OK) turn(info, info->orientation);
  return status;
}

/* ---- any file --------------------------------------------------------------------------------------------------- */

/* A file that is no picture that is read here. */
static fovea_status refuse(const reader *r, const char *name, const char *kind, const uint8_t *bytes, size_t size) {
  if (kind != NULL)
    return fovea_fail(FOVEA_INVALID,
                      "'%s' is %s %s picture, which fovea does not read, and to pass it over would change what is "
                      "learned; convert such files (ImageMagick: mogrify -format png FILES), take them away, or pass "
                      "them over with --skip-bad",
                      r->path, strncmp(kind, "AVIF", 4) == 0 || strncmp(kind, "Open", 4) == 0 ? "an" : "a", kind);
  if (!fovea_kind_named_picture(name)) return FOVEA_OK;
  if (size == 0)
    return fovea_fail(FOVEA_INVALID,
                      "'%s' is named like a picture, but it is empty; take it away, or go on with "
                      "--skip-bad",
                      r->path);
  if (fovea_kind_page(bytes, size))
    return fovea_fail(FOVEA_INVALID,
                      "'%s' is an HTML page, not a picture: the download went wrong; fetch it again, or go on with "
                      "--skip-bad",
                      r->path);
  return fovea_fail(FOVEA_INVALID,
                    "'%s' is named like a picture, but its content is none; take it away, or go on with --skip-bad",
                    r->path);
}

static fovea_status look(reader *r, const char *name, fovea_picture_info *info) {
  struct stat about;
  if (fstat(r->descriptor, &about) != 0) r->error = errno;
  r->size = r->error == 0 ? (uint64_t)about.st_size : 0;
  if (r->error == 0) r->held = fetch(r, 0, r->head, HEAD);
  if (r->error != 0) return damaged(r, "", "");
  const size_t size = r->held < FOVEA_KIND_BYTES ? r->held : FOVEA_KIND_BYTES;
  const char *kind = fovea_kind_picture(r->head, size);
  if (kind != NULL && strcmp(kind, "PNG") == 0) return look_at_png(r, info);
  if (kind != NULL && strcmp(kind, "JPEG") == 0) return look_at_jpeg(r, info);
  if (kind != NULL && strcmp(kind, "WebP") == 0) return look_at_webp(r, info);
  return refuse(r, name, kind, r->head, size);
}

fovea_status fovea_picture_look(const char *path, const char *name, fovea_picture_info *info) {
  reader r = {.path = path, .descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
  *info = (fovea_picture_info){.kind = FOVEA_NO_PICTURE, .orientation = 1};
  if (r.descriptor < 0) return fovea_fail(FOVEA_IO, "cannot read '%s': %s", path, strerror(errno));
  const fovea_status status = look(&r, name, info);
  close(r.descriptor);
  return status;
}

bool fovea_picture_at(const char *dir, const char *name) {
  struct stat about;
  fovea_picture_info info;
  char *path = fovea_kind_junk(name) == NULL ? fovea_path_join(dir, name) : NULL;
  bool found = path != NULL && stat(path, &about) == 0 && S_ISREG(about.st_mode);
  if (found) found = fovea_picture_look(path, name, &info) != FOVEA_OK || info.kind != FOVEA_NO_PICTURE;
  free(path);
  return found;
}
