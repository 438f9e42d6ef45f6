/* WebP by libwebp, lossless and lossy, as its decoder makes them without options. Where the build had no libwebp, such
 * pictures are refused. The container is developers.google.com/speed/webp/docs/riff_container. */
#include <string.h>

#include "base/fail.h"
#include "data/picture.h"

#ifdef FOVEA_WEBP
#include <webp/decode.h>

enum { HEADER = 12, CHUNK = 8, EXIF_FLAG = 8, MOST_CHUNKS = 100 };
/* One colour takes no bits a pixel, so a small file may be a large picture; up to so many pixels it is taken. */
static const uint64_t cheap = 1 << 24, ratio = 344; /* of three bytes 1032, as deflate */

bool fovea_webp_built(void) { return true; }

static uint32_t little(const uint8_t *p) {
  return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* What an EXIF chunk of an extended file says; some writers put JPEG's six bytes before it. */
static int orientation_of(const fovea_picture_reader *reader, const uint8_t *head, size_t size) {
  uint8_t chunk[CHUNK], exif[1024];
  uint64_t at = HEADER;
  if (size < 21 || memcmp(head + HEADER, "VP8X", 4) != 0 || (head[20] & EXIF_FLAG) == 0) return 1;
  for (int i = 0; i < MOST_CHUNKS && reader->get(reader->of, at, chunk, CHUNK) == CHUNK; i++) {
    const uint32_t length = little(chunk + 4);
    if (memcmp(chunk, "EXIF", 4) == 0) {
      const size_t n = reader->get(reader->of, at + CHUNK, exif, length < sizeof exif ? length : sizeof exif);
      const size_t skipped = n >= 6 && memcmp(exif, "Exif\0\0", 6) == 0 ? 6 : 0;
      return fovea_exif_orientation(exif + skipped, n - skipped);
    }
    at += CHUNK + (uint64_t)length + (length & 1);
  }
  return 1;
}

fovea_status fovea_webp_look(const char *path, const fovea_picture_reader *reader, fovea_picture_info *info) {
  uint8_t head[1024];
  WebPBitstreamFeatures f;
  const size_t size = reader->get(reader->of, 0, head, sizeof head);
  const VP8StatusCode code = WebPGetFeatures(head, size, &f);
  if (code != VP8_STATUS_OK)
    return fovea_fail(FOVEA_INVALID, "'%s' is not a good WebP: %s (--skip-bad passes over such files)", path,
                      code == VP8_STATUS_NOT_ENOUGH_DATA ? "the file ends too early" : "its header is damaged");
  if (f.has_animation)
    return fovea_fail(FOVEA_INVALID,
                      "'%s' is an animated WebP, which is many pictures; take one of them (webpmux -get frame 1), or "
                      "pass such files over with --skip-bad",
                      path);
  const uint64_t pixels = (uint64_t)f.width * (uint64_t)f.height;
  if (pixels > cheap && pixels / ratio > reader->size)
    return fovea_fail(FOVEA_INVALID, "'%s' is said to be %d x %d, more than its %llu bytes can hold", path, f.width,
                      f.height, (unsigned long long)reader->size);
  info->kind = FOVEA_PICTURE_WEBP;
  info->width = f.width;
  info->height = f.height;
  info->channels = 3;
  info->alpha = f.has_alpha;
  info->orientation = orientation_of(reader, head, size);
  return FOVEA_OK;
}

static const char *why(VP8StatusCode code) {
  if (code == VP8_STATUS_NOT_ENOUGH_DATA || code == VP8_STATUS_SUSPENDED) return "the file ends too early";
  return code == VP8_STATUS_OUT_OF_MEMORY ? "no memory to decode it" : "its data are damaged";
}

fovea_status fovea_webp_decode(const char *path, const uint8_t *bytes, size_t size, const fovea_picture_info *info,
                               int width, int height, uint8_t *stored) {
  WebPDecoderConfig config;
  const size_t channels = (size_t)info->channels + info->alpha, row = (size_t)width * channels;
  if (!WebPInitDecoderConfig(&config)) return fovea_fail(FOVEA_INVALID, "'%s': libwebp is of another version", path);
  VP8StatusCode code = WebPGetFeatures(bytes, size, &config.input);
  if (code == VP8_STATUS_OK && (config.input.width != width || config.input.height != height ||
                                config.input.has_alpha != info->alpha || config.input.has_animation))
    return fovea_fail(FOVEA_INVALID,
                      "'%s' is not a good WebP: its header is another than a moment ago (--skip-bad passes over such "
                      "files)",
                      path);
  config.output.colorspace = info->alpha ? MODE_RGBA : MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA.rgba = stored;
  config.output.u.RGBA.stride = (int)row;
  config.output.u.RGBA.size = row * (size_t)height;
  if (code == VP8_STATUS_OK) code = WebPDecode(bytes, size, &config);
  WebPFreeDecBuffer(&config.output);
  if (code == VP8_STATUS_OK) return FOVEA_OK;
  return fovea_fail(code == VP8_STATUS_OUT_OF_MEMORY ? FOVEA_NO_MEMORY : FOVEA_INVALID,
                    "'%s' is not a good WebP: %s (--skip-bad passes over such files)", path, why(code));
}

#else

bool fovea_webp_built(void) { return false; }

fovea_status fovea_webp_look(const char *path, const fovea_picture_reader *reader, fovea_picture_info *info) {
  (void)reader;
  (void)info;
  return fovea_fail(FOVEA_INVALID,
                    "'%s' is a WebP picture, and this fovea was built without libwebp; convert such files "
                    "(ImageMagick: mogrify -format png FILES), or pass them over with --skip-bad",
                    path);
}

fovea_status fovea_webp_decode(const char *path, const uint8_t *bytes, size_t size, const fovea_picture_info *info,
                               int width, int height, uint8_t *stored) {
  fovea_picture_info unused = *info;
  (void)bytes;
  (void)size;
  (void)width;
  (void)height;
  (void)stored;
  return fovea_webp_look(path, NULL, &unused);
}

#endif
