/* The operands of an instruction's text: registers, constants, names, addresses, vectors. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "draft.h"

bool draft_wrong(draft *d, const char *what, const char *which) {
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

void draft_add_registers(draft *d, uint32_t count, bool is_wide) {
  d->wide = realloc(d->wide, d->registers + count);
  if (!d->wide) abort();
  for (uint32_t i = 0; i < count; i++) d->wide[d->registers++] = is_wide;
}

void draft_append(draft *d, const draft_step *o) {
  d->steps = draft_room(d->steps, d->count, &d->room, sizeof *d->steps);
  d->steps[d->count++] = *o;
}

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

/* "Operand Size Exceeding Instruction-Type Size": a register of 64 bits where the type has 32. st and cvt take the
 * lower bits, as a step before. What ld gives is made longer by its type, as a step behind. Then *x is a register of 32
 * bits. */
static bool make_narrow(draft *d, bool result, operand *x) {
  const char *const text = d->now->step.text;
  const operand lower = {REGISTER, false, d->registers};
  draft_step other;
  if (!result && (strncmp(text, "st.", 3) == 0 || strncmp(text, "cvt.", 4) == 0)) {
    other = conversion(d, "cvt.u32.u64", lower, *x);
    draft_append(d, &other);
  } else if (result && strncmp(text, "ld.", 3) == 0 && d->behind_count < MOST_RESULTS) {
    const size_t n = strcspn(text, " \t");
    size_t type = n;
    while (text[type - 1] != '.') type--;
    d->behind[d->behind_count++] = conversion(d, text[type] == 's' ? "cvt.s64.s32" : "cvt.u64.u32", *x, lower);
  } else {
    return false;
  }
  draft_add_registers(d, 1, false);
  *x = lower;
  return true;
}

/* `predicate`: a constant's 1 is all bits. */
static bool read_operand(draft *d, const char *text, bool is_wide, bool predicate, bool result, operand *to) {
  char *end;
  if (*text == '%') {
    const bool known = read_register(d, text, to) || (!result && special_register(text, to));
    if (known && to->wide && !is_wide && make_narrow(d, result, to)) return true;
    return known && to->wide == is_wide ? true : draft_wrong(d, "unknown register", text);
  }
  if (result) return draft_wrong(d, "unknown result", text);
  if (text[0] == '0' && text[1] == 'f' && strlen(text) == 10 && !is_wide) {
    const uint64_t bits = strtoull(text + 2, &end, 16);
    return *end ? draft_wrong(d, "unknown constant", text) : set_value(d, to, false, bits);
  }
  const ptx_symbol *symbol = find_symbol(d, text);
  if (symbol && is_wide && symbol->in != PARAMETER) return set_value(d, to, true, symbol->value);
  if (!isdigit((unsigned char)*text) && *text != '-') return draft_wrong(d, "unknown operand", text);
  const uint64_t value = *text == '-' ? (uint64_t)strtoll(text, &end, 0) : (uint64_t)strtoull(text, &end, 0);
  if (*end) return draft_wrong(d, "unknown constant", text);
  return set_value(d, to, is_wide, predicate && value ? ~(uint64_t)0 : value);
}

/* [%rd4+16], [%rd4+-8], [name+4]: a base, and o->step.offset. */
static bool read_address(draft *d, draft_step *o, char *text, bool of_parameter, operand *to) {
  const size_t n = strlen(text);
  if (n < 3 || text[0] != '[' || text[n - 1] != ']') return draft_wrong(d, "unknown address", text);
  text[n - 1] = '\0';
  char *plus = strchr(++text, '+'), *end = NULL;
  if (plus) {
    *plus = '\0';
    o->step.offset = (int32_t)strtol(plus + 1, &end, 0);
    if (*end) return draft_wrong(d, "unknown offset", plus + 1);
  }
  if (!of_parameter) return read_operand(d, text, true, false, false, to);
  const ptx_symbol *symbol = find_symbol(d, text);
  if (!symbol || symbol->in != PARAMETER) return draft_wrong(d, "unknown parameter", text);
  o->step.offset += (int32_t)symbol->value;
  return true;
}

int draft_cut(char *text, char *pieces[], int most) {
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
    if (text[0] != '{' || text[n - 1] != '}') return draft_wrong(d, "unknown vector", text);
    text[n - 1] = '\0';
    if (draft_cut(text + 1, pieces, 4) != words) return draft_wrong(d, "unknown vector", text);
  } else {
    pieces[0] = text;
  }
  for (int i = 0; i < words; i++)
    if (!read_operand(d, pieces[i], false, false, result, &to[i])) return false;
  return true;
}

bool draft_read_operands(draft *d, draft_step *o, const instruction *known, char *pieces[], int count) {
  int results = 0, sources = 0, at = 0;
  const size_t length = strlen(known->name);
  const bool predicate = length > 5 && strcmp(known->name + length - 5, ".pred") == 0;
  for (const char *letter = known->operands; *letter; letter++) {
    if (at >= count) return draft_wrong(d, "too few operands", "");
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
        if (strcmp(piece, "0") != 0) good = draft_wrong(d, "unknown barrier", piece);
    }
    if (!good) return false;
  }
  return at == count ? true : draft_wrong(d, "too many operands", "");
}
