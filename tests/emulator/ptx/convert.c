/* "Data Movement and Conversion Instructions": cvt. To integers a float is cut to the range, and a NaN is 0. */
#include <math.h>

#include "warp.h"

#define CONVERT(name, to_file, from_file, expression) INSTRUCTION(name, to_file, from_file, u[l] = (expression))

/* Of integers: the lower bits of the source, its sign or 0 before them, the lower bits of that. */
#define TO_ALL(from, from_file, from_type)                                      \
  CONVERT(u16_##from, narrow, from_file, (uint32_t)(from_type)a->u[l] & 0xffff) \
  CONVERT(u32_##from, narrow, from_file, (uint32_t)(from_type)a->u[l])          \
  CONVERT(u64_##from, wide, from_file, (uint64_t)(from_type)a->u[l])
TO_ALL(u8, narrow, uint8_t)
TO_ALL(s8, narrow, int8_t)
TO_ALL(u16, narrow, uint16_t)
TO_ALL(s16, narrow, int16_t)
TO_ALL(u32, narrow, uint32_t)
TO_ALL(s32, narrow, int32_t)
TO_ALL(u64, wide, uint64_t)
TO_ALL(s64, wide, int64_t)

#define TO_FLOAT(from, from_file, from_type) \
  INSTRUCTION(f32_##from, narrow, from_file, f[l] = (float)(from_type)a->u[l])
TO_FLOAT(u8, narrow, uint8_t)
TO_FLOAT(s8, narrow, int8_t)
TO_FLOAT(u16, narrow, uint16_t)
TO_FLOAT(s16, narrow, int16_t)
TO_FLOAT(u32, narrow, uint32_t)
TO_FLOAT(s32, narrow, int32_t)
TO_FLOAT(u64, wide, uint64_t)
TO_FLOAT(s64, wide, int64_t)

static inline uint32_t unsigned_of(float x) { return !(x > 0) ? 0 : x >= 0x1p32F ? ~0u : (uint32_t)x; }
static inline uint32_t signed_of(float x) {
  return (uint32_t)(isnan(x) ? 0 : x >= 0x1p31F ? INT32_MAX : x < -0x1p31F ? INT32_MIN : (int32_t)x);
}
CONVERT(rzi_u32, narrow, narrow, unsigned_of(a->f[l]))
CONVERT(rzi_s32, narrow, narrow, signed_of(a->f[l]))
CONVERT(rni_u32, narrow, narrow, unsigned_of(rintf(a->f[l])))
CONVERT(rni_s32, narrow, narrow, signed_of(rintf(a->f[l])))
INSTRUCTION(rni_f32, narrow, narrow, f[l] = rintf(a->f[l]))
INSTRUCTION(rmi_f32, narrow, narrow, f[l] = floorf(a->f[l]))
INSTRUCTION(rpi_f32, narrow, narrow, f[l] = ceilf(a->f[l]))
INSTRUCTION(rzi_f32, narrow, narrow, f[l] = truncf(a->f[l]))

#define ROWS(from, r)                                                                       \
  {"cvt.u16." #from, "R" r, u16_##from, 0}, {"cvt.s16." #from, "R" r, u16_##from, 0},       \
      {"cvt.u32." #from, "R" r, u32_##from, 0}, {"cvt.s32." #from, "R" r, u32_##from, 0},   \
      {"cvt.u64." #from, "W" r, u64_##from, 0}, {"cvt.s64." #from, "W" r, u64_##from, 0}, { \
    "cvt.rn.f32." #from, "R" r, f32_##from, 0                                               \
  }

const instruction ptx_convert_instructions[] = {
    ROWS(u8, "r"),
    ROWS(s8, "r"),
    ROWS(u16, "r"),
    ROWS(s16, "r"),
    ROWS(u32, "r"),
    ROWS(s32, "r"),
    ROWS(u64, "w"),
    ROWS(s64, "w"),
    {"cvt.rzi.u32.f32", "Rr", rzi_u32, 0},
    {"cvt.rzi.s32.f32", "Rr", rzi_s32, 0},
    {"cvt.rni.u32.f32", "Rr", rni_u32, 0},
    {"cvt.rni.s32.f32", "Rr", rni_s32, 0},
    {"cvt.rni.f32.f32", "Rr", rni_f32, 0},
    {"cvt.rmi.f32.f32", "Rr", rmi_f32, 0},
    {"cvt.rpi.f32.f32", "Rr", rpi_f32, 0},
    {"cvt.rzi.f32.f32", "Rr", rzi_f32, 0},
    {0},
};
