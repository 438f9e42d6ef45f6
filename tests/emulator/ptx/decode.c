/* From the text of a kernel's body to steps. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "draft.h"

/* --- declarations ------------------------------------------------------------------------------------------------- */

/* .reg .b32 %r<52>; or .reg .b64 %SP; */
static bool declare_registers(draft *d, const char *text) {
  char type[16], name[64];
  if (sscanf(text, ".reg .%15s %63[^;]", type, name) != 2 || d->name_count == 64)
    return draft_wrong(d, "unknown declaration", text);
  struct register_names *n = &d->names[d->name_count++];
  char *many = strchr(name, '<');
  n->count = many ? (uint32_t)strtoul(many + 1, NULL, 10) : 0;
  if (many) *many = '\0';
  snprintf(n->prefix, sizeof n->prefix, "%s", name);
  n->wide = strstr(type, "64") != NULL;
  n->first = d->registers;
  const uint32_t added = many ? n->count : 1;
  draft_add_registers(d, added, n->wide);
  return true;
}

static ptx_symbol *add_symbol(draft *d, const char *name, state_space in, uint64_t value) {
  if (d->symbol_count == MOST_SYMBOLS) return NULL;
  ptx_symbol *s = &d->symbols[d->symbol_count++];
  snprintf(s->name, sizeof s->name, "%s", name);
  s->in = in, s->value = value;
  return s;
}

/* In the order of head.c, which has their sum. */
static bool declare_array(draft *d, const char *text, state_space in, uint32_t *used) {
  ptx_array a;
  if (!ptx_read_array(strchr(text, ' ') + 1, &a)) return draft_wrong(d, "unknown declaration", text);
  const uint32_t at = (*used + a.align - 1) / a.align * a.align;
  *used = at + a.bytes;
  return add_symbol(d, a.name, in, at) ? true : draft_wrong(d, "too many arrays", text);
}

static bool declare(draft *d, const char *text) {
  if (strncmp(text, ".reg ", 5) == 0) return declare_registers(d, text);
  if (strncmp(text, ".shared ", 8) == 0) return declare_array(d, text, SHARED, &d->shared_bytes);
  if (strncmp(text, ".local ", 7) == 0) return declare_array(d, text, PRIVATE, &d->private_bytes);
  if (strncmp(text, ".pragma ", 8) == 0) return true; /* of unrolling */
  return draft_wrong(d, "unknown declaration", text);
}

/* --- instructions ------------------------------------------------------------------------------------------------- */

/* `text` is changed; `whole` is what a message shows. */
static bool decode_one(draft *d, char *text, const char *whole, uint32_t line) {
  char name[64], *pieces[8], *guard = NULL;
  bool opposite = false;
  if (*text == '@') {
    opposite = text[1] == '!';
    guard = text + 1 + opposite;
    text = guard + strcspn(guard, " \t");
    if (*text) *text++ = '\0';
    while (isspace((unsigned char)*text)) text++;
  }
  const size_t n = strcspn(text, " \t");
  const bool branch = (n == 3 && memcmp(text, "bra", n) == 0) || (n == 7 && memcmp(text, "bra.uni", n) == 0);
  snprintf(name, sizeof name, "%s%.*s", guard ? "@" : "", (int)(guard && branch ? 3 : n), text);
  const instruction *known = ptx_find(name);
  if (!known) return draft_wrong(d, "unknown instruction", name);
  draft_step o = {.step = {.run = known->run, .line = line, .text = whole, .number = opposite},
                  .target = NOWHERE,
                  .join = NOWHERE,
                  .conditional = guard != NULL,
                  .ends = strcmp(name, "ret") == 0 || strcmp(name, "exit") == 0};
  d->now = &o, d->behind_count = 0;
  const int count = draft_cut(text + n, pieces + 1, 7);
  if (count < 0) return draft_wrong(d, "too many operands", "");
  pieces[0] = guard;
  if (!draft_read_operands(d, &o, known, guard ? pieces : pieces + 1, count + (guard != NULL))) return false;
  if (o.label) o.label = whole + strlen(whole) - o.label_length; /* the last operand, in the text that lasts */
  draft_append(d, &o);
  for (int i = 0; i < d->behind_count; i++) draft_append(d, &d->behind[i]);
  return true;
}

static bool add_label(draft *d, const char *name, size_t length) {
  d->labels = draft_room(d->labels, d->label_count, &d->label_room, sizeof *d->labels);
  d->labels[d->label_count++] = (struct label){name, length, d->count};
  return true;
}

/* `copy` has the text of what lasts, `line` becomes pieces that operands may point into. */
static bool read_line(draft *d, char *line, uint32_t number, char *message, size_t size) {
  char *comment = strstr(line, "//");
  if (comment) *comment = '\0';
  while (isspace((unsigned char)*line)) line++;
  size_t n = strlen(line);
  while (n > 0 && isspace((unsigned char)line[n - 1])) line[--n] = '\0';
  if (n == 0) return true;
  bool good;
  char text[1024];
  if (line[n - 1] == ':') {
    good = add_label(d, line, n - 1);
  } else if (*line == '.') {
    good = declare(d, line);
  } else if (line[n - 1] != ';' || n >= sizeof text) {
    good = draft_wrong(d, "no instruction", "");
  } else {
    line[n - 1] = '\0';
    memcpy(text, line, n);
    good = decode_one(d, text, line, number);
  }
  if (!good) snprintf(message, size, "kernel %s: %s, in: %s, line %u", d->kernel->head.name, d->wrong, line, number);
  return good;
}

/* --- steps -------------------------------------------------------------------------------------------------------- */

static uint16_t place_of(const draft *d, operand x, const uint16_t *slots) {
  const ptx_kernel *k = d->kernel;
  if (x.kind == VALUE) return (uint16_t)((x.wide ? k->first_wide : k->first_narrow) + x.index);
  return x.kind == REGISTER ? slots[x.index] : (uint16_t)x.index;
}

/* One more step where ways meet, and one at the end, which no kernel should come to. */
static void make_steps(draft *d) {
  ptx_kernel *k = d->kernel;
  uint16_t *slots = calloc(d->registers + 1, sizeof *slots);
  uint32_t *first = calloc(d->count + 1, sizeof *first);
  if (!slots || !first) abort();
  const uint32_t narrow_values = k->narrow, wide_values = k->wide;
  draft_allocate(d, slots); /* first_narrow and first_wide */
  k->narrow = k->first_narrow + narrow_values, k->wide = k->first_wide + wide_values;
  for (uint32_t i = 0; i < d->count; i++) first[i + 1] = first[i] + 1 + d->steps[i].is_join;
  k->count = first[d->count];
  k->steps = calloc(k->count + 1, sizeof *k->steps);
  if (!k->steps) abort();
  for (uint32_t i = 0; i < d->count; i++) {
    const draft_step *from = &d->steps[i];
    step *to = &k->steps[first[i]];
    if (from->is_join) *to++ = (step){.run = ptx_join, .text = "where ways meet", .line = from->step.line};
    *to = from->step;
    for (int n = 0; n < MOST_RESULTS; n++) to->d[n] = place_of(d, from->d[n], slots);
    for (int n = 0; n < MOST_SOURCES; n++) to->x[n] = place_of(d, from->x[n], slots);
    if (from->target != NOWHERE) to->target = &k->steps[first[from->target]];
    if (from->join != NOWHERE) to->join = &k->steps[first[from->join]];
  }
  free(slots);
  free(first);
}

bool ptx_decode(ptx_module *module, ptx_kernel *kernel, char *body, uint32_t first_line, char *message, size_t size) {
  draft d = {.kernel = kernel, .module = module};
  bool good = true;
  for (uint32_t i = 0; i < kernel->head.argument_count; i++) {
    char name[160];
    snprintf(name, sizeof name, "%s_param_%u", kernel->head.name, i);
    good = good && add_symbol(&d, name, PARAMETER, kernel->head.arguments[i].offset);
  }
  if (!good) snprintf(message, size, "kernel %s: too many parameters", kernel->head.name);
  uint32_t number = first_line;
  for (char *line = body, *next; line && good; line = next, number++) {
    next = strchr(line, '\n');
    if (next) *next++ = '\0';
    good = read_line(&d, line, number, message, size);
  }
  if (good && (d.count == 0 || !draft_find_flow(&d))) {
    snprintf(message, size, "kernel %s: %s", kernel->head.name, d.count ? d.wrong : "no instruction");
    good = false;
  }
  if (good) make_steps(&d);
  free(d.steps);
  free(d.wide);
  free(d.labels);
  return good;
}
