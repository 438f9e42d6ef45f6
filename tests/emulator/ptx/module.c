#include "module.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

static uint32_t lines_before(const char *text, const char *at) {
  uint32_t line = 1;
  for (const char *t = text; t < at; t++) line += *t == '\n';
  return line;
}

/* The bytes of "NAME[BYTES] = {3, 1, ...}" and 0 behind them. */
static void read_bytes(const char *text, uint8_t *to, uint32_t bytes) {
  const char *t = strchr(text, '{'), *end = strchr(text, ';');
  memset(to, 0, bytes);
  for (uint32_t i = 0; t && end && t < end && i < bytes; i++, t = strchr(t, ',')) to[i] = (uint8_t)strtol(++t, NULL, 0);
}

/* Constant arrays of the file, one behind the other. */
static bool read_constants(ptx_module *m, char *message, size_t size) {
  ptx_array a;
  for (int pass = 0; pass < 2; pass++) {
    size_t at = 0;
    for (const char *t = strstr(m->text, ".const "); t; t = strstr(t, ".const ")) {
      t += strlen(".const ");
      if (!ptx_read_array(t, &a)) continue; /* of a parameter */
      at = (at + a.align - 1) / a.align * a.align;
      if (pass == 1) {
        if (m->symbol_count == MOST_SYMBOLS) return snprintf(message, size, "too many constants"), false;
        ptx_symbol *s = &m->symbols[m->symbol_count++];
        *s = (ptx_symbol){.in = CONSTANT, .value = (uint64_t)(uintptr_t)m->image + at};
        snprintf(s->name, sizeof s->name, "%s", a.name);
        read_bytes(t, m->image + at, a.bytes);
      }
      at += a.bytes;
    }
    m->image_bytes = at;
    if (pass == 0) m->image = aligned_alloc(256, (at + 256) / 256 * 256);
    if (!m->image) abort();
  }
  return true;
}

static bool fill(ptx_module *m, char *message, size_t size) {
  static const char global[] = "\n.global", visible_global[] = "\n.visible .global";
  kernel_head *heads = calloc(MOST_KERNELS, sizeof *heads);
  ptx_body *bodies = calloc(MOST_KERNELS, sizeof *bodies);
  if (!heads || !bodies) abort();
  bool good = ptx_read_heads(m->text, heads, bodies, &m->count, message, size) && read_constants(m, message, size);
  if (good && (strstr(m->text, global) || strstr(m->text, visible_global))) {
    snprintf(message, size, "variables in global memory are not known");
    good = false;
  }
  m->kernels = calloc(MOST_KERNELS, sizeof *m->kernels);
  if (!m->kernels) abort();
  uint32_t lines[MOST_KERNELS]; /* counted before texts end at their lines */
  for (size_t i = 0; i < m->count && good; i++) lines[i] = lines_before(m->text, bodies[i].begin);
  for (size_t i = 0; i < m->count && good; i++) {
    ptx_kernel *k = &m->kernels[i];
    k->head = heads[i], k->image = m->image, k->image_bytes = m->image_bytes;
    m->text[bodies[i].end - m->text] = '\0';
    good = ptx_decode(m, k, m->text + (bodies[i].begin - m->text), lines[i], message, size);
  }
  free(heads);
  free(bodies);
  return good;
}

ptx_module *ptx_read(char *text, char *message, size_t size) {
  ptx_module *m = calloc(1, sizeof *m);
  if (!m) abort();
  m->text = text;
  if (fill(m, message, size)) return m;
  ptx_unload(m);
  return NULL;
}

ptx_module *ptx_load(const char *stem, char *message, size_t size) {
  char *text = ptx_read_file(stem, ".ptx");
  if (text) return ptx_read(text, message, size);
  snprintf(message, size, "%s.ptx cannot be read", stem);
  return NULL;
}

void ptx_unload(ptx_module *m) {
  if (!m) return;
  for (size_t i = 0; m->kernels && i < m->count; i++) {
    free(m->kernels[i].steps);
    free(m->kernels[i].narrow_values);
    free(m->kernels[i].wide_values);
  }
  free(m->kernels);
  free(m->image);
  free(m->text);
  free(m);
}
