#include "decode.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "operand.h"

typedef struct decoder {
  const machine *machine;
  kernel_code *kernel;
  size_t room;
  const char *indexed; /* between s_set_gpr_idx_on and _off: what a move is then; else NULL */
  char wrong[200];
} decoder;

static step *append(decoder *d) {
  kernel_code *k = d->kernel;
  if (k->count == d->room) {
    d->room = d->room ? 2 * d->room : 256;
    step *more = realloc(k->steps, d->room * sizeof *more);
    if (!more) abort();
    k->steps = more;
  }
  step *o = &k->steps[k->count++];
  memset(o, 0, sizeof *o);
  return o;
}

static bool wrong(decoder *d, const char *what, const char *which) {
  snprintf(d->wrong, sizeof d->wrong, "%s%s%s", what, *which ? " " : "", which);
  return false;
}

/* --- operands ----------------------------------------------------------------------------------------------------- */

/* Cuts at commas that are not in brackets; the last piece ends at its first blank, behind which are the modifiers. */
static int cut(char *text, char *pieces[], int most, char **modifiers) {
  int count = 0, depth = 0;
  *modifiers = text + strlen(text);
  while (*text == ' ') text++;
  if (!*text) return 0;
  pieces[count++] = text;
  for (char *t = text; *t; t++) {
    depth += *t == '[' || *t == '(';
    depth -= *t == ']' || *t == ')';
    if (*t == ',' && depth == 0) {
      *t++ = '\0';
      while (*t == ' ') t++;
      if (count == most) return -1;
      pieces[count++] = t;
    }
    if (*t == ' ') {
      *t = '\0';
      *modifiers = t + 1;
      break;
    }
  }
  return count;
}

/* gfx90a's _sdwa: a source may be one of a register's bytes or halves; of results only whole registers are known. */
static bool read_selection(step *o, const char *m) {
  static const struct {
    const char *name;
    uint8_t change;
  } parts[] = {{"DWORD", 0},
               {"BYTE_0", A_BYTE},
               {"BYTE_1", A_BYTE | FROM_BIT_8},
               {"BYTE_2", A_BYTE | FROM_BIT_16},
               {"BYTE_3", A_BYTE | FROM_BIT_8 | FROM_BIT_16},
               {"WORD_0", A_HALF},
               {"WORD_1", A_HALF | FROM_BIT_16}};
  if (strcmp(m, "dst_sel:DWORD") == 0 || strcmp(m, "dst_unused:UNUSED_PAD") == 0) return true;
  if (strncmp(m, "src0_sel:", 9) != 0 && strncmp(m, "src1_sel:", 9) != 0) return false;
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
    if (strcmp(m + 9, parts[i].name) == 0) return o->x[m[3] - '0'].change |= parts[i].change, true;
  return false;
}

/* What is behind the operands, of which only these are known. */
static bool read_modifiers(decoder *d, step *o, char *text) {
  char *save = NULL;
  const bool packed = strncmp(o->text, "v_pk_", 5) == 0;
  if (packed) o->immediate = 7u << 3;
  for (char *m = strtok_r(text, " ", &save); m; m = strtok_r(NULL, " ", &save)) {
    static const struct {
      const char *name;
      int shift;
    } selections[] = {{"op_sel:[", 0}, {"op_sel_hi:[", 3}, {"neg_lo:[", 16}, {"neg_hi:[", 19}};
    bool known = strcmp(m, "glc") == 0 || strcmp(m, "slc") == 0 || strcmp(m, "dlc") == 0 || strcmp(m, "offen") == 0;
    if (strncmp(m, "offset:", 7) == 0) known = read_offset(m + 7, o->text, &o->offset[0]);
    if (strncmp(m, "offset0:", 8) == 0) o->offset[0] = atoi(m + 8), known = true;
    if (strncmp(m, "offset1:", 8) == 0) o->offset[1] = atoi(m + 8), known = true;
    for (size_t i = 0; packed && i < sizeof selections / sizeof *selections; i++) {
      const size_t n = strlen(selections[i].name);
      if (strncmp(m, selections[i].name, n) != 0) continue;
      known = true;
      o->immediate &= ~(7u << selections[i].shift);
      for (int k = 0; k < 3 && m[n + 2 * (size_t)k - 1] != ']'; k++)
        if (m[n + 2 * (size_t)k] == '1') o->immediate |= 1u << (selections[i].shift + k);
    }
    if (!known && !read_selection(o, m)) return wrong(d, "unknown modifier", m);
  }
  return true;
}

/* Operands by the letters of machine.h. */
static bool read_operands(decoder *d, step *o, const instruction *known, char **pieces, int count) {
  int results = 0, sources = 0, at = 0;
  for (const char *letter = known->operands; *letter; letter++) {
    const bool is_result = strchr("DESTMFGX", *letter) != NULL;
    if (*letter == 'X') {
      if (count > at && strncmp(pieces[at], "exec", 4) == 0) at++;
      o->d[results++] = (operand){.index = EXEC, .scalar = 1};
      continue;
    }
    if (*letter == 'm' && at >= count) {
      o->x[sources++] = (operand){.index = VCC, .scalar = 1};
      continue;
    }
    if (at >= count) return wrong(d, "too few operands", "");
    const char *piece = pieces[at++];
    if (*letter == 'k' || *letter == 'b') {
      o->immediate = (uint32_t)strtol(piece, NULL, 0) & 0xffff;
      continue;
    }
    if (*letter == 'q') {
      if (strcmp(piece, "s[0:3]") != 0) return wrong(d, "unknown buffer", piece);
      continue;
    }
    if (*letter == 'i') {
      d->indexed = strcmp(piece, "gpr_idx(SRC0)") == 0  ? "v_movrels_b32"
                   : strcmp(piece, "gpr_idx(DST)") == 0 ? "v_movreld_b32"
                                                        : NULL;
      if (!d->indexed) return wrong(d, "unknown registers to index", piece);
      continue;
    }
    operand *to = is_result ? &o->d[results++] : &o->x[sources++];
    if (known->operands[0] == 'G' && *letter == 's' && is_number(piece)) {
      o->offset[0] = (int32_t)strtol(piece, NULL, 0);
      piece = "0";
    }
    if (!read_operand(d->kernel, *letter, d->machine->lanes, piece, to)) return wrong(d, "unknown operand", piece);
  }
  return at == count ? true : wrong(d, "too many operands", "");
}

/* --- instructions ------------------------------------------------------------------------------------------------- */

/* Without what is behind the name of the operation: how it is encoded, whether it is half of a dual one. */
static void plain_name(char *name) {
  static const char *const endings[] = {"_e32", "_e64", "_sdwa"};
  const size_t n = strlen(name);
  for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
    const size_t m = strlen(endings[i]);
    if (n > m && strcmp(name + n - m, endings[i]) == 0) name[n - m] = '\0';
  }
  if (strncmp(name, "v_dual_", 7) == 0) memmove(name + 2, name + 7, strlen(name + 7) + 1);
}

static bool writes_exec(const step *o) {
  for (int i = 0; i < 2; i++)
    if (o->d[i].scalar && (o->d[i].index == EXEC || o->d[i].index == EXEC + 1)) return true;
  return strstr(o->text, "saveexec") != NULL;
}

/* gfx90a's moves between s_set_gpr_idx_on and _off, which stand beside them, are other GPUs' by m0. */
static bool settle_index(decoder *d, char *mnemonic, size_t size) {
  if (!d->indexed) return true;
  if (strcmp(mnemonic, "s_set_gpr_idx_off") == 0) return d->indexed = NULL, true;
  if (strcmp(mnemonic, "v_mov_b32") != 0) return wrong(d, "an instruction by an index other than a move:", mnemonic);
  snprintf(mnemonic, size, "%s", d->indexed);
  return true;
}

/* `text` is changed; `whole` is what a message shows. */
static bool decode_one(decoder *d, char *text, const char *whole, uint32_t address) {
  char mnemonic[64], *pieces[8], *modifiers;
  const size_t n = strcspn(text, " ");
  snprintf(mnemonic, sizeof mnemonic, "%.*s", (int)n, text);
  plain_name(mnemonic);
  if (!settle_index(d, mnemonic, sizeof mnemonic)) return false;
  const instruction *known = d->machine->find(mnemonic);
  if (!known) return wrong(d, "unknown instruction", mnemonic);
  if (!known->run) return true; /* it has no effect */
  step *o = append(d);
  o->run = known->run;
  o->text = whole;
  o->address = address;
  if (*known->operands == '?') return true;
  const int count = cut(text + n, pieces, 8, &modifiers);
  if (count < 0 || !read_operands(d, o, known, pieces, count))
    return count < 0 ? wrong(d, "too many operands", "") : false;
  if (*known->operands == 'b') return true; /* what is behind is a label */
  if (!read_modifiers(d, o, modifiers)) return false;
  if (writes_exec(o)) append(d)->run = d->machine->exec_changed;
  return true;
}

/* Both halves of a dual instruction read before either writes: if the second reads the first's result, it finds the old
 * value in a register of the emulator's. The first's result stays where it is, for it may add to it (v_dual_fmac). */
static bool decode_dual(decoder *d, char *text, char *second, const char *whole, uint32_t address) {
  const size_t first = d->kernel->count;
  memset(second, 0, 4);
  second += 4;
  char *blank = strchr(text, '\0');
  while (blank > text && blank[-1] == ' ') *--blank = '\0';
  step *const keep = append(d);
  keep->run = d->machine->find("v_mov_b32")->run, keep->text = whole, keep->address = address;
  if (!decode_one(d, text, whole, address) || !decode_one(d, second, whole, address)) return false;
  step *const o = &d->kernel->steps[first];
  const uint16_t written = o[1].d[0].index;
  bool reads = false;
  for (int i = 0; i < 4; i++) {
    if (o[2].x[i].scalar || o[2].x[i].index != written) continue;
    o[2].x[i].index = KEPT;
    reads = true;
  }
  o->d[0].index = KEPT, o->x[0].index = written;
  if (!reads) {
    memmove(o, o + 1, 2 * sizeof *o);
    d->kernel->count--;
  }
  return true;
}

/* --- a kernel ----------------------------------------------------------------------------------------------------- */

/* Where each instruction is, and its first step; of one without effect the next. */
typedef struct place {
  uint32_t address;
  size_t step;
} place;

static const step *step_at(const kernel_code *k, const place *places, size_t count, uint32_t address) {
  size_t low = 0, high = count;
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (places[middle].address < address)
      low = middle + 1;
    else
      high = middle;
  }
  return low < count && places[low].address == address ? &k->steps[places[low].step] : NULL;
}

static bool resolve_branches(decoder *d, const place *places, size_t count) {
  kernel_code *k = d->kernel;
  for (size_t i = 0; i < k->count; i++) {
    step *o = &k->steps[i];
    if (!o->text || (strncmp(o->text, "s_branch", 8) != 0 && strncmp(o->text, "s_cbranch", 9) != 0)) continue;
    o->target = step_at(k, places, count, o->address + 4 + 4 * (uint32_t)(int16_t)o->immediate);
    if (!o->target) return wrong(d, "a branch to no instruction:", o->text);
  }
  return true;
}

static bool decode_line(decoder *d, char *line, uint32_t address, char *message, size_t size) {
  char copy[300];
  snprintf(copy, sizeof copy, "%s", line);
  char *second = strstr(copy, ":: ");
  const bool good = second ? decode_dual(d, copy, second - 1, line, address) : decode_one(d, copy, line, address);
  if (!good) snprintf(message, size, "kernel %s: %s, in: %s, at 0x%x", d->kernel->head.name, d->wrong, line, address);
  return good;
}

bool decode_kernel(const machine *m, kernel_code *kernel, char *text, char *message, size_t size) {
  decoder d = {.machine = m, .kernel = kernel};
  place *places = NULL;
  size_t count = 0, room = 0;
  char *save = NULL;
  bool good = true;
  for (char *line = strtok_r(text, "\n", &save); line && good; line = strtok_r(NULL, "\n", &save)) {
    char *comment = strstr(line, "//");
    if (*line != '\t' || !comment) continue;
    const uint32_t address = (uint32_t)strtoul(comment + 2, NULL, 16);
    while (comment > line && isspace((unsigned char)comment[-1])) comment--;
    *comment = '\0';
    if (count == room) {
      room = room ? 2 * room : 256;
      place *more = realloc(places, room * sizeof *more);
      if (!more) abort();
      places = more;
    }
    places[count++] = (place){address, kernel->count};
    good = decode_line(&d, line + 1, address, message, size);
  }
  append(&d)->run = m->find("s_code_end")->run;
  if (good && count > 0 && places[0].address != (uint32_t)kernel->entry) {
    snprintf(message, size, "kernel %s does not begin where its descriptor says", kernel->head.name);
    good = false;
  }
  if (good && !resolve_branches(&d, places, count)) {
    snprintf(message, size, "kernel %s: %s", kernel->head.name, d.wrong);
    good = false;
  }
  for (size_t i = 0; good && i + 1 < kernel->count; i++) m->fuse(&kernel->steps[i], &kernel->steps[i + 1]);
  free(places);
  return good;
}
