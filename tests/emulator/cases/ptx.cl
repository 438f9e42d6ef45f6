/* Each instruction of PTX that the emulator knows and clang makes of no kernel of items.cl; ptx.c has what they give.
 * As there each kernel computes words out[k * n + i] of a[i], b[i], c[i]. */
#define KERNEL(name, statements)                                                                                    \
  __kernel void name(__global const uint *a_, __global const uint *b_, __global const uint *c_, __global uint *out, \
                     uint n) {                                                                                      \
    const uint i = (uint)get_global_id(0), a = a_[i], b = b_[i], c = c_[i];                                         \
    const ulong p = (ulong)a << 32 | b, q = (ulong)c << 32 | a;                                                     \
    const float x = as_float(a), y = as_float(b), z = as_float(c);                                                  \
    __global uint *o = out + i;                                                                                     \
    (void)a, (void)b, (void)c, (void)x, (void)y, (void)z, (void)p, (void)q;                                         \
    statements                                                                                                      \
  }
#define PUT(value) (*o = (value), o += n)
#define PUT64(value)       \
  do {                     \
    const ulong v = value; \
    PUT((uint)v);          \
    PUT((uint)(v >> 32));  \
  } while (0)

#define F1(op, x)                              \
  do {                                         \
    float r;                                   \
    __asm__(op " %0, %1;" : "=f"(r) : "f"(x)); \
    PUT(as_uint(r));                           \
  } while (0)
#define F2(op, x, y)                                       \
  do {                                                     \
    float r;                                               \
    __asm__(op " %0, %1, %2;" : "=f"(r) : "f"(x), "f"(y)); \
    PUT(as_uint(r));                                       \
  } while (0)
#define F3(op, x, y, z)                                                \
  do {                                                                 \
    float r;                                                           \
    __asm__(op " %0, %1, %2, %3;" : "=f"(r) : "f"(x), "f"(y), "f"(z)); \
    PUT(as_uint(r));                                                   \
  } while (0)
#define I1(op, x)                              \
  do {                                         \
    uint r;                                    \
    __asm__(op " %0, %1;" : "=r"(r) : "r"(x)); \
    PUT(r);                                    \
  } while (0)
#define I2(op, x, y)                                       \
  do {                                                     \
    uint r;                                                \
    __asm__(op " %0, %1, %2;" : "=r"(r) : "r"(x), "r"(y)); \
    PUT(r);                                                \
  } while (0)
#define I3(op, x, y, z)                                                \
  do {                                                                 \
    uint r;                                                            \
    __asm__(op " %0, %1, %2, %3;" : "=r"(r) : "r"(x), "r"(y), "r"(z)); \
    PUT(r);                                                            \
  } while (0)
#define W2(op, x, y)                                       \
  do {                                                     \
    ulong r;                                               \
    __asm__(op " %0, %1, %2;" : "=l"(r) : "l"(x), "l"(y)); \
    PUT64(r);                                              \
  } while (0)
#define WS(op, x, y)                                       \
  do {                                                     \
    ulong r;                                               \
    __asm__(op " %0, %1, %2;" : "=l"(r) : "l"(x), "r"(y)); \
    PUT64(r);                                              \
  } while (0)
#define SETP(type, in, x, y)                                                                            \
  do {                                                                                                  \
    uint r;                                                                                             \
    __asm__(".reg .pred %%q${:uid};\nsetp." type " %%q${:uid}, %1, %2;\nselp.u32 %0, 1, 0, %%q${:uid};" \
            : "=r"(r)                                                                                   \
            : in(x), in(y));                                                                            \
    PUT(r);                                                                                             \
  } while (0)

KERNEL(flushes, F2("add.ftz.f32", x, y); F2("add.rn.ftz.f32", x, y); F2("sub.ftz.f32", x, y); F2("mul.ftz.f32", x, y);
       F3("fma.rn.ftz.f32", x, y, z); F2("div.rn.ftz.f32", x, y); F1("rcp.rn.ftz.f32", x); F1("sqrt.rn.ftz.f32", x);
       F2("min.ftz.f32", x, y); F2("max.ftz.f32", x, y); F1("abs.ftz.f32", x); F1("neg.ftz.f32", x);
       F2("min.ftz.NaN.f32", x, y); F2("max.ftz.NaN.f32", x, y);)

KERNEL(floats, F2("add.f32", x, y); F2("sub.f32", x, y); F2("mul.f32", x, y); F1("rcp.rn.f32", x); F1("sqrt.rn.f32", x);
       F2("min.f32", x, y); F2("max.f32", x, y); F2("min.NaN.f32", x, y); F2("max.NaN.f32", x, y); F1("abs.f32", x);
       F1("neg.f32", x);)

KERNEL(fields, I3("bfe.u32", a, b, c); I3("bfe.s32", a, b, c); I3("bfe.u32", a, b & 31, c & 31);
       I3("bfe.s32", a, b & 31, c & 31); I3("shf.l.wrap.b32", a, b, c); I3("shf.r.wrap.b32", a, b, c);
       I2("shl.b32", a, b & 63); I2("shr.u32", a, b & 63); I2("shr.s32", a, b & 63); I2("shl.b32", a, b);
       I2("shr.u32", a, b); I2("shr.s32", a, b); I1("clz.b32", a); I1("popc.b32", a); I1("abs.s32", a);
       I1("neg.s32", a); I2("div.u32", a, b); I2("rem.u32", a, b | 1); I2("div.s32", a, b); I2("rem.s32", a, b | 1);
       I3("mad.lo.s32", a, b, c); I3("mad.lo.u32", a, b, c);)

KERNEL(wides, W2("div.u64", p, q | 1); W2("rem.u64", p, q | 1); W2("div.s64", p, q | 1); W2("rem.s64", p, q | 1);
       W2("mul.hi.u64", p, q); W2("mul.hi.s64", p, q); W2("min.s64", p, q); W2("max.s64", p, q); W2("min.u64", p, q);
       W2("max.u64", p, q); W2("and.b64", p, q);)

KERNEL(wide_shifts, WS("shl.b64", p, c & 127); WS("shr.u64", p, c & 127); WS("shr.s64", p, c & 127);
       WS("shl.b64", p, c); WS("shr.u64", p, c); WS("shr.s64", p, c); ulong r; __asm__("mad.wide.s32 %0, %1, %2, %3;"
                                                                                       : "=l"(r)
                                                                                       : "r"(a), "r"(b), "l"(q));
       PUT64(r); __asm__("mad.wide.u32 %0, %1, %2, %3;"
                         : "=l"(r)
                         : "r"(a), "r"(b), "l"(q));
       PUT64(r); __asm__("mad.lo.u64 %0, %1, %2, %3;"
                         : "=l"(r)
                         : "l"(p), "l"(q), "l"(p));
       PUT64(r);)

KERNEL(orders, SETP("eq.f32", "f", x, y); SETP("ne.f32", "f", x, y); SETP("lt.f32", "f", x, y);
       SETP("le.f32", "f", x, y); SETP("gt.f32", "f", x, y); SETP("ge.f32", "f", x, y); SETP("equ.f32", "f", x, y);
       SETP("neu.f32", "f", x, y); SETP("ltu.f32", "f", x, y); SETP("leu.f32", "f", x, y); SETP("gtu.f32", "f", x, y);
       SETP("geu.f32", "f", x, y); SETP("num.f32", "f", x, y); SETP("nan.f32", "f", x, y); SETP("lt.s64", "l", p, q);
       SETP("ge.u64", "l", p, q); SETP("le.u32", "r", a, b); SETP("gt.s32", "r", a, b);)

KERNEL(casts, uint r; __asm__("cvt.rni.s32.f32 %0, %1;"
                              : "=r"(r)
                              : "f"(x));
       PUT(r); __asm__("cvt.rni.u32.f32 %0, %1;"
                       : "=r"(r)
                       : "f"(x));
       PUT(r); __asm__("cvt.rzi.s32.f32 %0, %1;"
                       : "=r"(r)
                       : "f"(x));
       PUT(r); __asm__("cvt.rzi.u32.f32 %0, %1;"
                       : "=r"(r)
                       : "f"(x));
       PUT(r); float f; __asm__("cvt.rn.f32.u64 %0, %1;"
                                : "=f"(f)
                                : "l"(p));
       PUT(as_uint(f)); __asm__("cvt.rn.f32.s64 %0, %1;"
                                : "=f"(f)
                                : "l"(p));
       PUT(as_uint(f)); ulong l; __asm__("cvt.s64.s8 %0, %1;"
                                         : "=l"(l)
                                         : "r"(a));
       PUT64(l); __asm__("cvt.u64.u16 %0, %1;"
                         : "=l"(l)
                         : "r"(a));
       PUT64(l); __asm__("cvt.s32.s16 %0, %1;"
                         : "=r"(r)
                         : "l"(p));
       PUT(r); __asm__("ld.global.s8 %0, [%1+1];"
                       : "=l"(l)
                       : "l"(a_ + i));
       PUT64(l); __asm__("ld.global.u16 %0, [%1+2];"
                         : "=l"(l)
                         : "l"(a_ + i));
       PUT64(l);)

/* Generic addresses: of shared, private and global memory by one instruction, each thread's another. And volatile ones.
 */
__kernel void windows(__global const uint *a, __global const uint *b, __global const uint *c, __global uint *out,
                      uint n) {
  __local uint shared[64];
  uint mine[24];
  const uint i = (uint)get_global_id(0), l = (uint)get_local_id(0);
  for (uint k = 0; k < 24; k++) mine[k] = a[i] * k;
  for (uint k = 0; k < 24; k++) mine[(b[i] + k) % 24] += k;
  *(volatile __local uint *)&shared[l] = c[i];
  barrier(CLK_LOCAL_MEM_FENCE);
  ulong from = 0;
  __local const uint *there = &shared[l ^ 1];
  if (a[i] % 3 == 0) {
    __asm__("cvta.shared.u64 %0, %1;" : "=l"(from) : "l"(there));
    __asm__("cvta.to.shared.u64 %0, %1;" : "=l"(from) : "l"(from));
    __asm__("cvta.shared.u64 %0, %1;" : "=l"(from) : "l"(from));
  }
  if (a[i] % 3 == 1) from = (ulong)&mine[c[i] % 24];
  if (a[i] % 3 == 2) __asm__("cvta.global.u64 %0, %1;" : "=l"(from) : "l"(&a[i ^ 2]));
  uint r;
  __asm__ volatile("ld.u32 %0, [%1];" : "=r"(r) : "l"(from) : "memory");
  out[i] = r;
  uint old;
  __asm__ volatile("atom.shared.add.u32 %0, [%1], %2;" : "=r"(old) : "l"(&shared[0]), "r"(1) : "memory");
  out[n + i] = mine[b[i] % 24];
  barrier(CLK_LOCAL_MEM_FENCE);
  const uint all = *(volatile __local uint *)&shared[0];
  *(volatile __global uint *)&out[2 * n + i] = all - *(volatile __global const uint *)&c[i - l];
}

/* Ends in several places: threads that go on must. */
__kernel void ends(__global const uint *a, __global const uint *b, __global const uint *c, __global uint *out, uint n) {
  const uint i = (uint)get_global_id(0);
  uint sum = c[i];
  for (uint k = 0; k < (b[i] & 7); k++) {
    sum += k * k;
    out[i] = sum;
    if ((a[i] >> k & 3) == 2) __asm__ volatile("exit;" ::: "memory");
    if ((sum & 5) == 4) __asm__ volatile("exit;" ::: "memory");
  }
  out[n + i] = sum;
}
