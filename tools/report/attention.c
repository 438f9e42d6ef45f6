/* What attention multiplies by, as colours: a map of the pixels for a spatial one, a strip of the channels for the
 * other. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "graph/graph.h"
#include "graph/op.h"
#include "report/network.h"

enum { SHOWN = 8, STRIP = 256 };

static bool is_spatial(const fovea_node *n) { return n->op->kind == FOVEA_OP_SPATIAL_ATTENTION; }
static bool is_attention(const fovea_node *n) { return is_spatial(n) || n->op->kind == FOVEA_OP_CHANNEL_ATTENTION; }

fovea_status attention_keep(fovea_graph *graph) {
  fovea_status status = FOVEA_OK;
  for (int i = 0; i < graph->count && status == FOVEA_OK; i++) {
    if (!is_attention(&graph->nodes[i])) continue;
    status = fovea_graph_keep(graph, graph->nodes[i].inputs[0]);
    if (status == FOVEA_OK) status = fovea_graph_keep(graph, i);
  }
  return status;
}

/* The factor of each pixel, or of each channel: y = x * factor, so sum |y| / sum |x| over what shares it; NaN where all
 * x are 0, which any factor explains. */
static void factors_of(const fovea_node *n, const float *x, const float *y, float *factor) {
  const int pixels = n->h * n->w, count = is_spatial(n) ? pixels : n->c;
  for (int i = 0; i < count; i++) {
    double before = 0, after = 0;
    for (int k = 0; k < (is_spatial(n) ? n->c : pixels); k++) {
      const int at = is_spatial(n) ? k * pixels + i : i * pixels + k;
      before += fabs((double)x[at]);
      after += fabs((double)y[at]);
    }
    factor[i] = (float)(after / before);
  }
}

/* Viridis (van der Walt and Smith 2015, CC0) at nine places, and between them in straight lines. */
static void paint(float value, uint8_t rgb[3]) {
  static const uint8_t anchors[][3] = {{68, 1, 84},    {71, 45, 123}, {59, 82, 139},  {44, 114, 142}, {33, 145, 140},
                                       {40, 174, 128}, {94, 201, 98}, {173, 220, 48}, {253, 231, 37}};
  enum { LAST = sizeof anchors / sizeof *anchors - 1, GRAY = 128 };
  if (!isfinite(value)) {
    memset(rgb, GRAY, 3);
    return;
  }
  const float place = LAST * fminf(fmaxf(value, 0), 1);
  const int at = place < LAST ? (int)place : LAST - 1;
  for (int k = 0; k < 3; k++)
    rgb[k] =
        (uint8_t)lrintf((float)anchors[at][k] + (place - (float)at) * (float)(anchors[at + 1][k] - anchors[at][k]));
}

typedef struct maps {
  const fovea_node *node;
  size_t count, size; /* of images; values of a map */
  float *x, *y, *factors;
} maps;

static fovea_status read_maps(fovea_vae *vae, int tensor, maps *m) {
  const fovea_node *n = m->node;
  const size_t values = (size_t)(n->c * n->h * n->w);
  m->x = malloc(m->count * values * sizeof *m->x);
  m->y = malloc(m->count * values * sizeof *m->y);
  m->factors = malloc(m->count * m->size * sizeof *m->factors);
  if (!m->x || !m->y || !m->factors)
    return fovea_fail(FOVEA_NO_MEMORY, "no memory for %zu maps of attention", m->count);
  fovea_status status = fovea_network_read(vae->network, n->inputs[0], m->count, m->x);
  if (status == FOVEA_OK) status = fovea_network_read(vae->network, tensor, m->count, m->y);
  for (size_t i = 0; i < m->count && status == FOVEA_OK; i++)
    factors_of(n, m->x + i * values, m->y + i * values, m->factors + i * m->size);
  return status;
}

/* All maps of a layer have one scale. */
static json_t *draw_maps(page *p, const maps *m) {
  const bool map = is_spatial(m->node);
  const sprite_source of = {3, map ? m->node->h : 1, map ? m->node->w : m->node->c, {3, {0, 1, 2}}};
  float low = INFINITY, high = -INFINITY;
  for (size_t i = 0; i < m->count * m->size; i++) low = fminf(low, m->factors[i]), high = fmaxf(high, m->factors[i]);
  sprite s = {0};
  float *image = calloc(3 * m->size, sizeof *image);
  json_t *layer = json_object();
  page_set(p, layer, "name", page_text(m->node->name));
  page_set(p, layer, "spatial", json_boolean(map));
  page_set(p, layer, "low", page_short((double)low));
  page_set(p, layer, "high", page_short((double)high));
  if (!image || sprite_begin(&s, &of, m->count, SPRITE_COLUMNS, (size_t)3 * STRIP * STRIP) != FOVEA_OK)
    p->failed = true;
  for (size_t i = 0; i < m->count && s.pixels && image; i++) {
    for (size_t k = 0; k < m->size; k++) {
      uint8_t rgb[3];
      paint(high > low ? (m->factors[i * m->size + k] - low) / (high - low) : 0, rgb);
      for (size_t c = 0; c < 3; c++) image[c * m->size + k] = (float)rgb[c] / 255;
    }
    sprite_put(&s, i, image);
  }
  if (s.pixels) page_set(p, layer, "sprite", sprite_json(&s));
  free(image);
  sprite_end(&s);
  return layer;
}

static fovea_status show_layers(page *p, fovea_vae *vae, size_t count, json_t *layers) {
  fovea_status status = FOVEA_OK;
  for (int i = 0; i < vae->graph->count && status == FOVEA_OK; i++) {
    const fovea_node *n = &vae->graph->nodes[i];
    if (!is_attention(n)) continue;
    maps m = {.node = n, .count = count, .size = (size_t)(is_spatial(n) ? n->h * n->w : n->c)};
    status = read_maps(vae, i, &m);
    if (status == FOVEA_OK) page_add(p, layers, draw_maps(p, &m));
    free(m.x);
    free(m.y);
    free(m.factors);
  }
  return status;
}

fovea_status attention_show(page *p, fovea_vae *vae, const codes *c, const sprite_source *images) {
  const size_t size = fovea_vae_image_size(vae), batch = (size_t)vae->config.batch;
  if (vae->config.attention == FOVEA_ATTENTION_NONE) return FOVEA_OK;
  uint32_t *places = NULL;
  size_t count = 0;
  fovea_status status = codes_choose(c, batch < SHOWN ? batch : SHOWN, &places, &count);
  uint8_t *pixels = malloc(count * size + 1);
  float *out = malloc(count * size * sizeof *out + 1);
  if (!pixels || !out) status = fovea_fail(FOVEA_NO_MEMORY, "no memory for %zu images", count);
  for (size_t i = 0; i < count && status == FOVEA_OK; i++)
    memcpy(pixels + i * size, c->pixels + places[i] * size, size);
  /* A batch at most: what its passes leave is read below. */
  if (status == FOVEA_OK) status = fovea_vae_reconstruct(vae, pixels, count, FOVEA_LATENT_MEAN, NULL, out);
  if (status == FOVEA_OK) {
    json_t *object = json_object(), *layers = json_array(), *shown = json_array();
    sprite s = {0};
    page_set(p, p->root, "attention", object);
    page_set(p, object, "layers", layers);
    page_set(p, object, "images", shown);
    for (size_t i = 0; i < count; i++) page_add(p, shown, json_integer(c->labels ? c->labels[places[i]] : -1));
    status = sprite_begin(&s, images, count, SPRITE_COLUMNS, (size_t)3 * STRIP * STRIP);
    for (size_t i = 0; i < count && status == FOVEA_OK; i++) {
      for (size_t k = 0; k < size; k++) out[k] = (float)pixels[i * size + k] / 255;
      sprite_put(&s, i, out);
    }
    if (status == FOVEA_OK) page_set(p, object, "sprite", sprite_json(&s));
    sprite_end(&s);
    if (status == FOVEA_OK) status = show_layers(p, vae, count, layers);
  }
  free(places);
  free(pixels);
  free(out);
  return status;
}
