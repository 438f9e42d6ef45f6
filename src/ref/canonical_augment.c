/* cl/augment.cl, one transform after the other as its opening comment has them. */
#include <stdlib.h>

#include "ref/canonical.h"
#include "ref/canonical_math.h"
#include "ref/canonical_ops.h"

enum { STREAM = 0x4155474D };

/* What Philox draws of an image. */
struct drawn {
  int shift_x, shift_y, crop_x, crop_y;
  bool mirrored, turned;
  float contrast, brightness; /* factors */
};

static int whole(uint32_t word, int most) { return (int)((uint64_t)word * (uint64_t)(2 * most + 1) >> 32) - most; }

static float factor(uint32_t word, float part) {
  const float u = fmaf((float)(word >> 9), 0x1p-22f, 0x1p-23f - 1.0f);
  return fmaf(part, u, 1.0f);
}

static struct drawn draw(const struct canonical_augmentation *a, uint64_t seed, uint32_t number) {
  const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
  uint32_t first[4], second[4];
  ref_philox((uint32_t[4]){number, 0, STREAM, a->epoch}, key, first);
  ref_philox((uint32_t[4]){number, 1, STREAM, a->epoch}, key, second);
  return (struct drawn){.shift_x = whole(first[0], a->shift),
                        .shift_y = whole(first[1], a->shift),
                        .crop_x = whole(first[2], a->crop),
                        .crop_y = whole(first[3], a->crop),
                        .mirrored = a->horizontal && second[0] >= 1u << 31,
                        .turned = a->vertical && (second[0] >> 30 & 1) == 1,
                        .contrast = factor(second[2], a->contrast),
                        .brightness = factor(second[1], a->brightness)};
}

static int clip(int at, int side) { return at < 0 ? 0 : at >= side ? side - 1 : at; }

static bool is_inside(const struct canonical_shape *s, int y, int x) {
  return y >= 0 && y < s->h && x >= 0 && x < s->w;
}

static float shifted(const struct canonical_shape *s, bool edge, const struct drawn *d, const uint8_t *channel, int y,
                     int x) {
  y -= d->shift_y, x -= d->shift_x;
  if (!edge && !is_inside(s, y, x)) return 0.0f;
  return (float)channel[clip(y, s->h) * s->w + clip(x, s->w)] / 255.0f;
}

static float cropped(const struct canonical_shape *s, bool edge, const struct drawn *d, const uint8_t *channel, int y,
                     int x) {
  y += d->crop_y, x += d->crop_x;
  if (!is_inside(s, y, x)) return 0.0f;
  return shifted(s, edge, d, channel, d->turned ? s->h - 1 - y : y, d->mirrored ? s->w - 1 - x : x);
}

void canonical_augment_images(const struct canonical_shape *s, const struct canonical_augmentation *a, uint64_t seed,
                              const uint8_t *pixels, float *x) {
  const size_t channel = (size_t)(s->h * s->w), image = (size_t)s->c * channel;
  for (size_t i = 0; i < image * (size_t)s->n; i++) x[i] = 0.0f;
  for (int n = 0; n < s->n_valid; n++) {
    const struct drawn d = draw(a, seed, a->numbers[n]);
    for (size_t e = 0; e < image; e++) {
      const int y = (int)(e % channel) / s->w, column = (int)(e % channel) % s->w;
      const uint8_t *bytes = pixels + (size_t)n * image + e / channel * channel;
      float v = cropped(s, a->edge, &d, bytes, y, column);
      if (a->contrast != 0.0f) v = fmaf(d.contrast, v - 0.5f, 0.5f);
      v *= d.brightness;
      x[e * (size_t)s->n + (size_t)n] = v < 0.0f ? 0.0f : v > 1.0f ? 1.0f : v;
    }
  }
}
