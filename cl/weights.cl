/* Prepacked weights, of all layers in one launch (multi_tensor.clh): in the order in which the convolution kernels read
 * them, Winograd's filters transformed, G g G', in the canonical order of filter_step.
 *
 * Values: what to make; K, C; w's side; whether w is [C][K][R][S] (of a transposed convolution or a data gradient) and
 * not [K][C][R][S]; then
 *   PLAIN           tk: to is [K / tk][C][R][S][tk]
 *   BLOCKED         tk, phases: to is [K / tk][phase][C][nr][ns][tk] of conv2d_blocked.cl
 *   WINOGRAD        tk, step: to is [K / tk][U U][C][tk]
 *   TILED           tk, step, kg: to is winograd_tiled.cl's, tiles of kg * tk filters
 * step: of the four filter_steps below. What is past K is 0. One work-item per filter and channel; on a CPU per V of a
 * tile's pairs of both where it is WINOGRAD. */
#include "common/multi_tensor.clh"

enum { PLAIN, BLOCKED, WINOGRAD, TILED };

/* The values of a part. */
typedef struct layer {
  int k, c, side, from_c, tk, step, kg;
} layer;

static inline layer layer_of(part p) {
  const layer l = {p.values[1], p.values[2], p.values[3], p.values[4], p.values[5], p.values[6], p.values[7]};
  return l;
}

/* Filter k of channel c of w. */
static inline __global const float *filter_at(__global const float *w, layer l, int k, int c) {
  return w + (size_t)(l.from_c ? c * l.k + k : k * l.c + c) * (l.side * l.side);
}

/* --- in another order --------------------------------------------------------------------------------------------- */

static inline void pack_filter(part p, layer l) {
  const int taps = l.side * l.side, f = p.item % l.tk, c = p.item / l.tk % l.c, tile = p.item / l.tk / l.c;
  const int k = tile * l.tk + f;
  __global const float *w = filter_at(p.from, l, k, c);
  __global float *to = p.to + (size_t)(tile * l.c + c) * taps * l.tk + f;
  for (int tap = 0; tap < taps; tap++, to += l.tk) *to = k < l.k ? w[tap] : 0.0f;
}

#if V > 1
/* How many of `size` taps a phase of `phases` has, and how many the phases before it: conv2d_blocked.cl. */
static inline int phase_taps(int size, int phase, int phases) {
  return phases == 1 ? size : (size - phase + phases - 1) / phases;
}

static inline int taps_before(int size, int phase, int phases) {
  int before = 0;
  for (int p = 0; p < phase; p++) before += phase_taps(size, p, phases);
  return before;
}

static inline void pack_blocked_filter(part p, layer l) {
  const int side = l.side, phases = l.step, f = p.item % l.tk, c = p.item / l.tk % l.c, tile = p.item / l.tk / l.c;
  const int k = tile * l.tk + f;
  __global const float *w = filter_at(p.from, l, k, c);
  __global float *all = p.to + (size_t)tile * l.c * side * side * l.tk + f;
  for (int pr = 0; pr < phases; pr++)
    for (int ps = 0; ps < phases; ps++) {
      const int nr = phase_taps(side, pr, phases), ns = phase_taps(side, ps, phases);
      const int before = taps_before(side, pr, phases) * side + nr * taps_before(side, ps, phases);
      __global float *to = all + (size_t)(l.c * before + c * nr * ns) * l.tk;
      for (int r = pr; r < side; r += phases)
        for (int s = ps; s < side; s += phases, to += l.tk) *to = k < l.k ? w[r * side + s] : 0.0f;
    }
}
#endif

/* --- Winograd ----------------------------------------------------------------------------------------------------- */

#define MOST_U 6

/* The product with G of winograd.clh's algorithms: 3 taps g[0], g[s], g[2 s] to t[0], t[u], ..., 6 or 4 of them. */
enum { OUTPUTS_4, OUTPUTS_2, STRIDE_2, TRANSPOSED_2 };

static inline vfloat times(float a, vfloat b, vfloat c) { return fma((vfloat)(a), b, c); }

static inline void filter_step_4(const vfloat *g, int s, vfloat *t, int u) {
  const vfloat g0 = g[0], g1 = g[s], g2 = g[2 * s], a = (g0 + g2) * 0.33333333333f, b = g1 * 0.33333333333f;
  t[0] = g0;
  t[u] = a + b;
  t[2 * u] = b - a;
  t[3 * u] = times(0.25f, g2, times(0.5f, g1, g0)) * -1.06666666667f;
  t[4 * u] = times(4.0f, g2, times(-2.0f, g1, g0)) * 0.066666666667f;
  t[5 * u] = g2;
}

static inline void filter_step_2(const vfloat *g, int s, vfloat *t, int u) {
  const vfloat a = (g[0] + g[2 * s]) * 0.5f, b = g[s] * 0.5f;
  t[0] = g[0];
  t[u] = a + b;
  t[2 * u] = a - b;
  t[3 * u] = g[2 * s];
}

static inline void filter_step_of_stride_2(const vfloat *g, int s, vfloat *t, int u) {
  t[0] = g[0];
  t[u] = g[0] + g[2 * s];
  t[2 * u] = g[2 * s];
  t[3 * u] = g[s];
}

static inline void filter_step_transposed(const vfloat *g, int s, vfloat *t, int u) {
  t[0] = g[2 * s];
  t[u] = g[0] + g[2 * s];
  t[2 * u] = g[0];
  t[3 * u] = g[s];
}

/* A vector's first `count` lanes to any address. */
static inline void store_some(vfloat v, int count, __global float *p) {
#if V == 1
  *p = v;
#else
  float lanes[V];
  if (count == V) {
    FOVEA_PASTE(vstore, V)(v, 0, p);
    return;
  }
  FOVEA_PASTE(vstore, V)(v, 0, lanes);
  for (int i = 0; i < count; i++) p[i] = lanes[i];
#endif
}

/* G g G' of g [3][3], U U elements `apart` floats apart, `count` lanes of each; U is a constant. */
#define TRANSFORM(U, filter_step)                                                             \
  _Pragma("unroll") for (int j = 0; j < 3; j++) { filter_step(g + j, 3, t + j, 3); }          \
  _Pragma("unroll") for (int r = 0; r < U; r++) {                                             \
    filter_step(t + 3 * r, 1, o, 1);                                                          \
    _Pragma("unroll") for (int j = 0; j < U; j++, u += apart) { store_some(o[j], count, u); } \
  }

static inline void transform_filter(int step, const vfloat g[9], int count, int apart, __global float *u) {
  vfloat t[3 * MOST_U], o[MOST_U];
  switch (step) {
    case OUTPUTS_4:
      TRANSFORM(6, filter_step_4)
      break;
    case OUTPUTS_2:
      TRANSFORM(4, filter_step_2)
      break;
    case STRIDE_2:
      TRANSFORM(4, filter_step_of_stride_2)
      break;
    default:
      TRANSFORM(4, filter_step_transposed)
      break;
  }
}

/* U U; and whether the taps are read backwards. */
static inline int elements_of(layer l) { return l.step == OUTPUTS_4 ? 36 : 16; }
static inline int is_turned(layer l) { return l.from_c && l.step != TRANSPOSED_2; }

static inline void transform_pairs(part p, layer l) {
  const int pairs = l.c * l.tk, vectors = (pairs + V - 1) / V, kt = p.item / vectors, pair = p.item % vectors * V;
  const int turned = is_turned(l);
  vfloat g[9];
  float lanes[9][V];
  for (int i = 0, c = pair / l.tk, f = pair % l.tk; i < V; i++) {
    const int k = kt * l.tk + f;
    __global const float *w = filter_at(p.from, l, k, min(c, l.c - 1));
#pragma unroll
    for (int tap = 0; tap < 9; tap++) lanes[tap][i] = k < l.k ? w[turned ? 8 - tap : tap] : 0.0f;
    if (++f == l.tk) f = 0, c++;
  }
#pragma unroll
  for (int tap = 0; tap < 9; tap++)
#if V == 1
    g[tap] = lanes[tap][0];
#else
    g[tap] = FOVEA_PASTE(vload, V)(0, lanes[tap]);
#endif
  transform_filter(l.step, g, min(V, pairs - pair), pairs, p.to + (size_t)kt * elements_of(l) * pairs + pair);
}

#if V == 1
static inline void transform_tiled(part p, layer l) {
  const int filters = l.kg * l.tk, f = p.item % filters, c = p.item / filters % l.c;
  const int k = p.item / filters / l.c * filters + f, elements = elements_of(l), turned = is_turned(l);
  const int step = f % l.tk < 4 ? 4 : 1;
  __global const float *w = filter_at(p.from, l, k, c);
  __global float *u = p.to + (size_t)(p.item / filters) * filters * elements + f / l.tk * step * elements;
  u += step == 4 ? f % l.tk : 4 * l.kg * elements;
  float g[9];
#pragma unroll
  for (int tap = 0; tap < 9; tap++) g[tap] = k < l.k ? w[turned ? 8 - tap : tap] : 0.0f;
  transform_filter(l.step, g, 1, step, u);
}
#endif

__kernel void pack_weights(MULTI_TENSOR_ARGUMENTS) {
  const part p = part_of(table, share, from_base, to_base, (int)get_global_id(0));
  const layer l = layer_of(p);
  if (p.item >= p.count) return;
  switch (p.values[0]) {
    case PLAIN:
      pack_filter(p, l);
      break;
#if V > 1
    case BLOCKED:
      pack_blocked_filter(p, l);
      break;
#else
    case TILED:
      transform_tiled(p, l);
      break;
#endif
    default:
      transform_pairs(p, l);
      break;
  }
}
