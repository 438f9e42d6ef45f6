/* From the text of a kernel's body to steps. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "draft.h"

static bool wrong(draft *d, const char *what, const char *which) {
  snprintf(d->wrong, sizeof d->wrong, "%s%s%.150s", what, *which ? " " : "", which);
  return false;
}

void *draft_room(void *array, uint32_t count, uint32_t *room, size_t size) {
  if (count < *room) return array;
  *room = *room ? 2 * *room : 64;
  array = realloc(array, *room * size);
  if (!array) abort();
  return array;
}

static void add_registers(draft *d, uint32_t count, bool is_wide) {
  d->wide = realloc(d->wide, d->registers + count);
  if (!d->wide) abort();
  for (uint32_t i = 0; i < count; i++) d->wide[d->registers++] = is_wide;
}

static void append(draft *d, const draft_step *o) {
  d->steps = draft_room(d->steps, d->count, &d->room, sizeof *d->steps);
  d->steps[d->count++] = *o;
}

/* --- declarations ------------------------------------------------------------------------------------------------- */

/* .reg .b32 %r<52>; or .reg .b64 %SP; */
static bool declare_registers(draft *d, const char *text) {
  char type[16], name[64];
  if (sscanf(text, ".reg .%15s %63[^;]", type, name) != 2 || d->name_count == 64)
    return wrong(d, "unknown declaration", text);
  struct register_names *n = &d->names[d->name_count++];
  char *many = strchr(name, '<');
  n->count = many ? (uint32_t)strtoul(many + 1, NULL, 10) : 0;
  if (many) *many = '\0';
  snprintf(n->prefix, sizeof n->prefix, "%s", name);
  n->wide = strstr(type, "64") != NULL;
  n->first = d->registers;
  const uint32_t added = many ? n->count : 1;
  add_registers(d, added, n->wide);
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
  if (!ptx_read_array(strchr(text, ' ') + 1, &a)) return wrong(d, "unknown declaration", text);
  const uint32_t at = (*used + a.align - 1) / a.align * a.align;
  *used = at + a.bytes;
  return add_symbol(d, a.name, in, at) ? true : wrong(d, "too many arrays", text);
}

static bool declare(draft *d, const char *text) {
  if (strncmp(text, ".reg ", 5) == 0) return declare_registers(d, text);
  if (strncmp(text, ".shared ", 8) == 0) return declare_array(d, text, SHARED, &d->shared_bytes);
  if (strncmp(text, ".local ", 7) == 0) return declare_array(d, text, PRIVATE, &d->private_bytes);
  if (strncmp(text, ".pragma ", 8) == 0) return true; /* of unrolling */
  return wrong(d, "unknown declaration", text);
}

/* --- operands ----------------------------------------------------------------------------------------------------- */

static const ptx_symbol *find_symbol(const draft *d, const char *name) {
  for (int i = 0; i < d->symbol_count; i++)
    if (strcmp(d->symbols[i].name, name) == 0) return &d->symbols[i];
  for (int i = 0; i < d->module->symbol_count; i++)
    if (strcmp(d->module->symbols[i].name, name) == 0) return &d->module->symbols[i];
  return NULL;
}

static uint32_t value_number(draft *d, bool is_wide, uint64_t value) {
  ptx_kernel *k = d->kernel;
  uint32_t *count = is_wide ? &k->wide : &k->narrow;
  for (uint32_t i = 0; i < *count; i++)
    if ((is_wide ? k->wide_values[i] : k->narrow_values[i]) == value) return i;
  void *more = is_wide ? realloc(k->wide_values, (*count + 1) * sizeof(uint64_t))
                       : realloc(k->narrow_values, (*count + 1) * sizeof(uint32_t));
  if (!more) abort();
  if (is_wide) {
    k->wide_values = more;
    k->wide_values[*count] = value;
  } else {
    k->narrow_values = more;
    k->narrow_values[*count] = (uint32_t)value;
  }
  return (*count)++;
}

static bool set_value(draft *d, operand *to, bool is_wide, uint64_t value) {
  *to = (operand){VALUE, is_wide, value_number(d, is_wide, is_wide ? value : (uint32_t)value)};
  return true;
}

static bool special_register(const char *text, operand *to) {
  static const struct {
    const char *name;
    uint32_t first;
  } threes[] = {{"%tid.", TID}, {"%ntid.", NTID}, {"%ctaid.", CTAID}, {"%nctaid.", NCTAID}};
  to->kind = FIXED, to->wide = false;
  for (size_t i = 0; i < sizeof threes / sizeof *threes; i++) {
    const size_t n = strlen(threes[i].name);
    if (strncmp(text, threes[i].name, n) != 0 || text[n] < 'x' || text[n] > 'z' || text[n + 1]) continue;
    to->index = threes[i].first + (uint32_t)(text[n] - 'x');
    return true;
  }
  if (strncmp(text, "%envreg", 7) == 0 && text[7] >= '3' && text[7] <= '6' && !text[8])
    return to->index = ENVREG3 + (uint32_t)(text[7] - '3'), true;
  to->index = LANEID;
  return strcmp(text, "%laneid") == 0;
}

static bool read_register(const draft *d, const char *text, operand *to) {
  for (int i = 0; i < d->name_count; i++) {
    const struct register_names *n = &d->names[i];
    const size_t length = strlen(n->prefix);
    if (strncmp(text, n->prefix, length) != 0) continue;
    char *end = NULL;
    const unsigned long number = n->count ? strtoul(text + length, &end, 10) : 0;
    if (n->count ? (!isdigit((unsigned char)text[length]) || *end || number >= n->count) : text[length] != '\0')
      continue;
    *to = (operand){REGISTER, n->wide, n->first + (uint32_t)number};
    return true;
  }
  return false;
}

static draft_step conversion(const draft *d, const char *name, operand to, operand from) {
  return (draft_step){.step = {.run = ptx_find(name)->run, .line = d->now->step.line, .text = d->now->step.text},
                      .d = {to},
                      .x = {from},
                      .target = NOWHERE,
                      .join = NOWHERE};
}

/* 9.4.1: a register of 64 bits where the type has 32. st and cvt take the lower bits, as a step before. What ld gives
 * is made longer by its type, as a step behind. Then *x is a register of 32 bits. */
static bool make_narrow(draft *d, bool result, operand *x) {
  const char *const text = d->now->step.text;
  const operand lower = {REGISTER, false, d->registers};
  draft_step other;
  if (!result && (strncmp(text, "st.", 3) == 0 || strncmp(text, "cvt.", 4) == 0)) {
    other = conversion(d, "cvt.u32.u64", lower, *x);
    append(d, &other);
  } else if (result && strncmp(text, "ld.", 3) == 0 && d->behind_count < MOST_RESULTS) {
    const size_t n = strcspn(text, " \t");
    size_t type = n;
    while (text[type - 1] != '.') type--;
    d->behind[d->behind_count++] = conversion(d, text[type] == 's' ? "cvt.s64.s32" : "cvt.u64.u32", *x, lower);
  } else {
    return false;
  }
  add_registers(d, 1, false);
  *x = lower;
  return true;
}

/* `predicate`: a constant's 1 is all bits. */
static bool read_operand(draft *d, const char *text, bool is_wide, bool predicate, bool result, operand *to) {
  char *end;
  if (*text == '%') {
    const bool known = read_register(d, text, to) || (!result && special_register(text, to));
    if (known && to->wide && !is_wide && make_narrow(d, result, to)) return true;
    return known && to->wide == is_wide ? true : wrong(d, "unknown register", text);
  }
  if (result) return wrong(d, "unknown result", text);
  if (text[0] == '0' && text[1] == 'f' && strlen(text) == 10 && !is_wide) {
    const uint64_t bits = strtoull(text + 2, &end, 16);
    return *end ? wrong(d, "unknown constant", text) : set_value(d, to, false, bits);
  }
  const ptx_symbol *symbol = find_symbol(d, text);
  if (symbol && is_wide && symbol->in != PARAMETER) return set_value(d, to, true, symbol->value);
  if (!isdigit((unsigned char)*text) && *text != '-') return wrong(d, "unknown operand", text);
  const uint64_t value = *text == '-' ? (uint64_t)strtoll(text, &end, 0) : (uint64_t)strtoull(text, &end, 0);
  if (*end) return wrong(d, "unknown constant", text);
  return set_value(d, to, is_wide, predicate && value ? ~(uint64_t)0 : value);
}

/* [%rd4+16], [%rd4+-8], [name+4]: a base, and o->step.offset. */
static bool read_address(draft *d, draft_step *o, char *text, bool of_parameter, operand *to) {
  const size_t n = strlen(text);
  if (n < 3 || text[0] != '[' || text[n - 1] != ']') return wrong(d, "unknown address", text);
  text[n - 1] = '\0';
  char *plus = strchr(++text, '+'), *end = NULL;
  if (plus) {
    *plus = '\0';
    o->step.offset = (int32_t)strtol(plus + 1, &end, 0);
    if (*end) return wrong(d, "unknown offset", plus + 1);
  }
  if (!of_parameter) return read_operand(d, text, true, false, false, to);
  const ptx_symbol *symbol = find_symbol(d, text);
  if (!symbol || symbol->in != PARAMETER) return wrong(d, "unknown parameter", text);
  o->step.offset += (int32_t)symbol->value;
  return true;
}

/* Cuts at commas that are not in brackets or braces. */
static int cut(char *text, char *pieces[], int most) {
  int count = 0, depth = 0;
  while (isspace((unsigned char)*text)) text++;
  if (!*text) return 0;
  pieces[count++] = text;
  for (char *t = text; *t; t++) {
    depth += (*t == '[') + (*t == '{') - (*t == ']') - (*t == '}');
    if (*t != ',' || depth) continue;
    *t = '\0';
    while (isspace((unsigned char)t[1])) t++;
    if (count == most) return -1;
    pieces[count++] = t + 1;
  }
  return count;
}

/* {%f1, %f2}, or a single one. */
static bool read_vector(draft *d, char *text, int words, bool result, operand *to) {
  char *pieces[4];
  if (words > 1) {
    const size_t n = strlen(text);
    if (text[0] != '{' || text[n - 1] != '}') return wrong(d, "unknown vector", text);
    text[n - 1] = '\0';
    if (cut(text + 1, pieces, 4) != words) return wrong(d, "unknown vector", text);
  } else {
    pieces[0] = text;
  }
  for (int i = 0; i < words; i++)
    if (!read_operand(d, pieces[i], false, false, result, &to[i])) return false;
  return true;
}

static bool read_operands(draft *d, draft_step *o, const instruction *known, char *pieces[], int count) {
  int results = 0, sources = 0, at = 0;
  const size_t length = strlen(known->name);
  const bool predicate = length > 5 && strcmp(known->name + length - 5, ".pred") == 0;
  for (const char *letter = known->operands; *letter; letter++) {
    if (at >= count) return wrong(d, "too few operands", "");
    char *piece = pieces[at++];
    bool good = true;
    switch (*letter) {
      case 'R':
      case 'W':
        good = read_operand(d, piece, *letter == 'W', false, true, &o->d[results++]);
        break;
      case 'r':
      case 'w':
        good = read_operand(d, piece, *letter == 'w', predicate, false, &o->x[sources++]);
        break;
      case 'V':
        good = read_vector(d, piece, known->words, true, o->d);
        break;
      case 'v':
        good = read_vector(d, piece, known->words, false, &o->x[sources]);
        break;
      case 'a':
      case 'm':
        good = read_address(d, o, piece, *letter == 'm', &o->x[sources++]);
        break;
      case 'L':
        o->label = piece, o->label_length = strlen(piece);
        break;
      default: /* k */
        if (strcmp(piece, "0") != 0) good = wrong(d, "unknown barrier", piece);
    }
    if (!good) return false;
  }
  return at == count ? true : wrong(d, "too many operands", "");
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
  if (!known) return wrong(d, "unknown instruction", name);
  draft_step o = {.step = {.run = known->run, .line = line, .text = whole, .number = opposite},
                  .target = NOWHERE,
                  .join = NOWHERE,
                  .conditional = guard != NULL,
                  .ends = strcmp(name, "ret") == 0 || strcmp(name, "exit") == 0};
  d->now = &o, d->behind_count = 0;
  const int count = cut(text + n, pieces + 1, 7);
  if (count < 0) return wrong(d, "too many operands", "");
  pieces[0] = guard;
  if (!read_operands(d, &o, known, guard ? pieces : pieces + 1, count + (guard != NULL))) return false;
  if (o.label) o.label = whole + strlen(whole) - o.label_length; /* the last operand, in the text that lasts */
  append(d, &o);
  for (int i = 0; i < d->behind_count; i++) append(d, &d->behind[i]);
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
    good = wrong(d, "no instruction", "");
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
