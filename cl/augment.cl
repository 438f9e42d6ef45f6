/* The images' bytes become the first tensor of a training step, augmented: in place of input.cl. The image of number m
 * of the set in epoch e, where high(w, k) is the upper half of w k and words come from the seed's Philox:
 *
 *   a = philox({m, 0, STREAM, e}),  sx = high(a0, 2 shift + 1) - shift,  sy of a1;  px, py of a2, a3 and crop likewise
 *   b = philox({m, 1, STREAM, e}),  u(w) = (w >> 9) 2^-22 - 1 + 2^-23, in (-1, 1)
 *   i = bytes / 255, rounded
 *   shift       s[y][x] = i[y - sy][x - sx], outside of i its nearest pixel or (edge 0) 0
 *   flip        r = s, its columns reversed when flips has bit 0 and b0 bit 31, its rows when flips bit 1 and b0 bit 30
 *   crop        q[y][x] = r[y + py][x + px], outside of r 0
 *   contrast    q = fma(fma(contrast, u(b2), 1), q - 1/2, 1/2), where contrast is not 0
 *   brightness  x = q fma(brightness, u(b1), 1), clipped to [0, 1]
 *
 * k values of a word are equally likely to k / 2^32. A factor is one of 2^23, and 1 where its part is 0. No reductions.
 *
 * Layout: pixels [N][C][H * W] bytes, x [C][N/16][H * W][16]; state[9 + n] the number of image n. One work-item per V
 * images and a range of the elements. Padding images: masked. */
#include "common/math.clh"
#include "common/philox.clh"

#define STREAM 0x4155474Du /* "AUGM": no op's number, nor that of the initial weights or the shuffling */

/* Uniform in -most to most. */
static inline vint draw_whole(vuint word, int most) {
  return vas_int(mul_hi(word, (vuint)((uint)(2 * most + 1)))) - (vint)(most);
}

/* 1 + part u(word) */
static inline vfloat draw_factor(vuint word, float part) {
  const vfloat u = fma(vconvert_float(word >> 9), (vfloat)(0x1p-22f), (vfloat)(0x1p-23f - 1.0f));
  return fma((vfloat)(part), u, (vfloat)(1.0f));
}

/* The column, of `side`, of i that is column `at` of q; *seen becomes 0 where that is none. */
static inline vint source(int at, int side, vint crop, vint flipped, vint shift, int edge, vint *seen) {
  const vint zero = (vint)(0), last = (vint)(side - 1), of_r = (vint)(at) + crop;
  const vint of_s = vselect(of_r, last - of_r, flipped), of_i = of_s - shift, nearest = clamp(of_i, zero, last);
  *seen &= vmask(of_r >= zero) & vmask(of_r <= last);
  if (!edge) *seen &= vmask(of_i == nearest);
  return nearest;
}

__kernel void augment_forward(__global const uchar *restrict bytes, __global const uint *restrict state,
                              __global float *restrict x_base, const ulong x_offset, const int n, const int c_count,
                              const int h, const int w, const int shift, const int edge, const int flips,
                              const int crop, const float contrast, const float brightness) {
  const int n0 = first_image(0), pixels = h * w, elements = c_count * pixels, end = range_end(elements);
  const int n_valid = (int)state[1];
  const uint epoch = state[4], k0 = state[5], k1 = state[6];
  union {
    vuint v;
    uint lane[V];
  } numbers;
  for (int i = 0; i < V; i++) numbers.lane[i] = state[9 + n0 + i];
  const philox4 a = philox(numbers.v, 0u, STREAM, epoch, k0, k1), b = philox(numbers.v, 1u, STREAM, epoch, k0, k1);
  const vint sx = draw_whole(a.word[0], shift), sy = draw_whole(a.word[1], shift);
  const vint px = draw_whole(a.word[2], crop), py = draw_whole(a.word[3], crop);
  const vint zero = (vint)(0);
  const vint mirrored = flips & 1 ? vmask(vas_int(b.word[0]) < zero) : zero;
  const vint turned = flips & 2 ? vmask(vas_int(b.word[0] << 1) < zero) : zero;
  const vfloat none = (vfloat)(0.0f), middle = (vfloat)(0.5f), one = (vfloat)(1.0f);
  const vfloat contrasts = draw_factor(b.word[2], contrast), brightnesses = draw_factor(b.word[1], brightness);
  for (int e = range_begin(elements); e < end; e++) {
    const int c = e / pixels, p = e % pixels;
    union {
      vint v;
      int lane[V];
    } seen, place;
    union {
      vfloat v;
      float lane[V];
    } i;
    seen.v = vmask((vint)(n0) + vlane() < (vint)(n_valid));
    const vint column = source(p % w, w, px, mirrored, sx, edge, &seen.v);
    place.v = source(p / w, h, py, turned, sy, edge, &seen.v) * (vint)(w) + column;
    for (int k = 0; k < V; k++) {
      const size_t at = (size_t)(n0 + k) * elements + (size_t)c * pixels + place.lane[k];
      i.lane[k] = seen.lane[k] ? (float)bytes[at] : 0.0f;
    }
    vfloat x = vdiv(i.v, (vfloat)(255.0f));
    if (contrast != 0.0f) x = fma(contrasts, x - middle, middle);
    x = x * brightnesses;
    x = vselect(x, none, vmask(x < none));
    x = vselect(x, one, vmask(x > one));
    vstore(vkeep(x, n0, n_valid), x_base + x_offset + (size_t)c * pixels * n + vplace(p, n0, pixels));
  }
}
