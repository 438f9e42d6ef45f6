/* Each kernel computes words out[k * n + i] of a[i], b[i], c[i]; items.c has the same in plain C. */
#define KERNEL(name, statements)                                                                                    \
  __kernel void name(__global const uint *a_, __global const uint *b_, __global const uint *c_, __global uint *out, \
                     uint n) {                                                                                      \
    const uint i = (uint)get_global_id(0), a = a_[i], b = b_[i], c = c_[i];                                         \
    const float x = as_float(a), y = as_float(b), z = as_float(c);                                                  \
    __global uint *o = out + i;                                                                                     \
    (void)a, (void)b, (void)c, (void)x, (void)y, (void)z;                                                           \
    statements                                                                                                      \
  }
#define PUT(value) (*o = (value), o += n)
#define PUTF(value) PUT(as_uint((float)(value)))

KERNEL(arithmetic, PUTF(x + y); PUTF(x - y); PUTF(x * y); PUTF(fma(x, y, z)); PUTF(fma(-x, fabs(y), -z));
       PUTF(fma(x, 1.5f, z)); PUTF(2.0f - fabs(x)); PUTF(fma(x, x, x));)

/* Registers whose number is in a scalar: gfx90a switches that on and off around a move. */
KERNEL(indexed, uint w[16]; for (uint k = 0; k < 16; k++) w[k] = a * k + (b ^ k); uint sum = c;
       _Pragma("nounroll") for (uint k = 1; k < 13; k += 3) w[k + 2] = sum = sum * 5 + w[k] * w[k - 1]; PUT(sum);
       PUT(w[3]);)

/* On gfx90a two numbers a lane, by instructions that may hold a constant. */
KERNEL(pairs, float2 p = (float2)(x, y); float2 q = (float2)(z, x); float2 r = fma(p, (float2)(2.0f), q); PUTF(r.x);
       PUTF(r.y); r = fma(q, (float2)(-0.5f), p); PUTF(r.x); PUTF(r.y); r = p * 4.0f; PUTF(r.x); PUTF(r.y);
       r = q + 1.0f; PUTF(r.x); PUTF(r.y);)

KERNEL(rounding, PUTF(floor(x)); PUTF(ceil(x)); PUTF(trunc(x)); PUTF(rint(x)); PUTF(fmax(x, y)); PUTF(fmin(x, y));)

/* Of quotients beyond 2^192 the instruction-set documents do not say how they become infinite. */
KERNEL(divisions, PUTF(x / (fabs(y) < 0x1p-60f ? 1.0f : y)); PUTF((x * 0x1p-100f) / y); PUTF(1.0f / y); PUTF(z / 3.0f);)

KERNEL(integers, PUT(a *b + c); PUT(mul_hi(a, b)); PUT((uint)mul_hi((int)a, (int)b)); PUT(a << (b & 31));
       PUT(a >> (b & 31)); PUT((uint)((int)a >> (b & 31))); PUT(rotate(a, b & 31)); PUT(clz(a)); PUT(popcount(a));
       PUT(bitselect(a, b, c)); PUT(max(a, b)); PUT((uint)min((int)a, (int)b)); PUT((a & b) | c); PUT(a ^ b ^ c);
       PUT(~a); PUT(a + b + c); PUT((uint)mad24((int)(a << 9) >> 9, (int)(b << 9) >> 9, (int)c)); PUT(abs_diff(a, b));)

/* The loop is as clang makes counters of 16 bits. */
KERNEL(
    short_integers, const ushort p = (ushort)a; const ushort q = (ushort)b; const short r = (short)a;
    const short s = (short)b; PUT((ushort)(p + q)); PUT((ushort)(p - q)); PUT((ushort)(p * q + (ushort)c));
    PUT((ushort)(p << (b & 15))); PUT((ushort)(p >> (b & 15))); PUT((uint)(int)(short)(r >> (b & 15))); PUT(max(p, q));
    PUT(min(p, q)); PUT((uint)(int)max(r, s)); PUT((uint)(int)min(r, s)); PUT((uint)(p < q) | (uint)(r > s) << 1);
    ushort k = (ushort)(c & 63); uint sum = 0; do {
      sum += k * a;
      k = (ushort)(k + 7);
    } while ((k & 127) < 100);
    PUT(sum);)

KERNEL(integer_division, const uint d = b | 1; const int e = (int)(b >> 1) | 1; PUT(a / d); PUT(a % d);
       PUT((uint)((int)a / e)); PUT((uint)((int)a % e)); PUT(a / 7); PUT(a % 28);)

KERNEL(wide, const ulong p = (ulong)a << 32 | b; const ulong q = (ulong)b * c; const long s = (long)p;
       PUT((uint)(p + q)); PUT((uint)((p + q) >> 32)); PUT((uint)(p - q)); PUT((uint)((p - q) >> 32));
       PUT((uint)((p * q) >> 32)); PUT((uint)((p << (c & 63)) >> 32)); PUT((uint)(p >> (c & 63)));
       PUT((uint)(s >> (c & 63))); PUT(p < q); PUT(s > (long)q); PUT((uint)mul_hi(p, q));)

KERNEL(conversions, PUT(convert_uint_sat(x)); PUT((uint)convert_int_sat(x)); PUTF(a); PUTF((int)a); PUTF(a & 255);
       PUTF(a >> 24); PUTF((float)convert_uchar((uint)(b >> 8 & 255))); PUT((uint)(int)(short)a);
       PUT((uint)(int)(char)b);)

KERNEL(comparisons, PUT((x < y) | (x <= y) << 1 | (x > y) << 2 | (x >= y) << 3 | (x == y) << 4 | (x != y) << 5);
       PUT(isnan(x) | isinf(x) << 1 | isunordered(x, y) << 2 | (!(x < y)) << 3 | (!(x >= y)) << 4);
       PUT((a < b) | (a <= b) << 1 | ((int)a > (int)b) << 2 | ((int)a >= (int)b) << 3 | (a == b) << 4);
       PUT(x < y ? a : b); PUTF(x > 0 ? x : 0.25f * x); PUT((x < y && y < z) || a == c);)

/* Two instructions that gfx11 issues as one: both read before either writes. The first adds to its result, v0, while
 * the second reads something else, or what was there. */
#ifdef __gfx1100__
#define DUAL(instructions, first, second)                                                             \
  __asm__("v_mov_b32 v0, %2\n v_mov_b32 v1, %3\n v_mov_b32 v2, %4\n v_mov_b32 v7, %3\n " instructions \
          "\n v_mov_b32 %0, v0\n v_mov_b32 %1, v1"                                                    \
          : "=&v"(p), "=&v"(q)                                                                        \
          : "v"(x), "v"(y), "v"(z)                                                                    \
          : "v0", "v1", "v2", "v7")
#else
#define DUAL(instructions, first, second) (p = (first), q = (second))
#endif
KERNEL(dual, float p; float q; DUAL("v_dual_fmac_f32 v0, v2, v7 :: v_dual_add_f32 v1, v1, v2", fma(z, y, x), y + z);
       PUTF(p); PUTF(q); DUAL("v_dual_fmac_f32 v0, v2, v7 :: v_dual_mul_f32 v1, v1, v0", fma(z, y, x), y *x); PUTF(p);
       PUTF(q); DUAL("v_dual_mul_f32 v0, v2, v7 :: v_dual_add_f32 v1, v1, v0", z *y, y + x); PUTF(p); PUTF(q);)

/* Branches and loops of which each item takes its own way. The inner loop begins at another place in each item, so that
 * its counter is no scalar: one_counter. */
KERNEL(
    divergence, uint steps = 0; uint v = a & 1023; uint sum = 0; while (v > 1 && steps < 200) {
      v = v & 1 ? 3 * v + 1 : v >> 1;
      steps++;
      if (v == (b & 63)) break;
    } PUT(steps);
    for (uint k = 0; k < (b & 15); k++) {
      if ((k ^ a) & 1) continue;
      for (uint m = k + (c >> 7 & 1); m < (c & 7); m++) sum += m * k + (a >> m & 1);
      if (sum > 60) {
        sum -= 11;
      } else if (k & 2) {
        sum ^= 5;
      }
    } PUT(sum);)

/* A loop that all items begin at one place and leave in different rounds: compiled wrongly, but where machine-sink is
 * off (README.md). */
KERNEL(
    one_counter, uint sum = 0; for (uint k = 0; k < (b & 15); k++) {
      if ((k ^ a) & 1) continue;
      for (uint m = k; m < (c & 7); m++) sum += m * k + (a >> m & 1);
      if (sum > 60) {
        sum -= 11;
      } else if (k & 2) {
        sum ^= 5;
      }
    } PUT(sum);)

/* An array that registers cannot index lies in private memory. */
KERNEL(
    private_memory, uint t[40]; for (uint k = 0; k < 40; k++) t[k] = a * k + b; for (uint k = 0; k < 60; k++) {
      const uint m = (c + k * 7) % 40;
      const uint q = (a + k) % 40;
      t[m] = t[q] * 3 + k;
    } PUT(t[b % 40]);
    PUT(t[c % 40]); PUT(t[7]);)

__constant uint table[37] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8,
                             4, 6, 2, 6, 4, 3, 3, 8, 3, 2, 7, 9, 5, 0, 2, 8, 8, 4};
KERNEL(constant_table, PUT(table[a % 37] + 10 * table[b % 37]);)

/* Neighbours, one word for all, strides, any; words, pairs, threes and fours; bytes and halves. */
__kernel void loads(__global const uint *a, __global const uint *b, __global const uint *c, __global uint *out,
                    uint n) {
  const uint i = (uint)get_global_id(0), j = b[i] % (n / 4), k = c[i] % (n - 4);
  __global uint *o = out + i;
  __global const uchar *bytes = (__global const uchar *)c;
  __global const short *halves = (__global const short *)c;
  PUT(a[i]);
  PUT(a[n - 1 - i]);
  PUT(b[5]);
  PUT(a[k]);
  const uint2 two = vload2(j, a);
  PUT(two.x + 3 * two.y);
  const uint3 three = vload3(j, a);
  PUT(three.x + 3 * three.y + 5 * three.z);
  const uint4 four = ((__global const uint4 *)a)[j];
  PUT(four.x + 3 * four.y + 5 * four.z + 7 * four.w);
  const uint4 next = ((__global const uint4 *)a)[i % (n / 4)];
  PUT(next.x ^ next.y ^ next.z ^ next.w);
  PUT(bytes[k]);
  PUT((uint)(int)halves[k]);
  PUT((uint)(int)((__global const char *)bytes)[k + 1]);
  if (b[i] & 1) PUT(a[k + 1] + a[i]);
}

__kernel void stores(__global const uint *a, __global const uint *b, __global const uint *c, __global uint *out,
                     uint n) {
  const uint i = (uint)get_global_id(0);
  if (i % 3 != 1) out[i] = a[i];
  if (i < n / 2) vstore2((uint2)(a[i], b[i]), i, out + n);
  if (i < n / 4) ((__global uint4 *)(out + 2 * n))[i] = (uint4)(a[i], b[i], c[i], i);
  if (i < n / 4) vstore3((uint3)(c[i], b[i], i), i, out + 3 * n);
  ((__global uchar *)(out + 4 * n))[n - 1 - i] = (uchar)a[i];
  ((__global ushort *)(out + 5 * n))[i ^ 1] = (ushort)b[i];
}

__kernel void atomics(__global const uint *a, __global const uint *b, __global const uint *c, __global uint *out,
                      uint n) {
  const uint i = (uint)get_global_id(0);
  (void)atomic_add((__global uint *)&out[a[i] % 7], b[i]);
  (void)atomic_or((__global uint *)&out[n + c[i] % 5], 1u << (a[i] & 31));
}
