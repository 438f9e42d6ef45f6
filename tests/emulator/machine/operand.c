#include "operand.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool is_number(const char *text) {
  char *end;
  if (!*text) return false;
  strtol(text, &end, 0);
  return *end == '\0';
}

/* A pair of constants, for 64 bits; of 32 the second is 0. */
static bool add_constant(kernel_code *k, uint32_t low, uint32_t high, operand *to) {
  for (uint32_t i = 0; i + 1 < k->constant_count; i += 2)
    if (k->constants[i] == low && k->constants[i + 1] == high) {
      *to = (operand){.index = (uint16_t)(FIRST_CONSTANT + i), .scalar = 1, .change = to->change};
      return true;
    }
  if (FIRST_CONSTANT + k->constant_count + 2 > MOST_SCALARS) return false;
  uint32_t *more = realloc(k->constants, (k->constant_count + 2) * sizeof *more);
  if (!more) abort();
  k->constants = more;
  more[k->constant_count] = low, more[k->constant_count + 1] = high;
  *to = (operand){.index = (uint16_t)(FIRST_CONSTANT + k->constant_count), .scalar = 1, .change = to->change};
  k->constant_count += 2;
  return true;
}

/* Integers are extended by their sign, literals in hexadecimal by zeros. */
static bool read_constant(kernel_code *k, const char *text, bool wide, operand *to) {
  static const struct {
    const char *text;
    uint32_t bits;
  } floats[] = {{"0.5", 0x3f000000},  {"-0.5", 0xbf000000}, {"1.0", 0x3f800000},
                {"-1.0", 0xbf800000}, {"2.0", 0x40000000},  {"-2.0", 0xc0000000},
                {"4.0", 0x40800000},  {"-4.0", 0xc0800000}, {"0.15915494", 0x3e22f983}};
  for (size_t i = 0; !wide && i < sizeof floats / sizeof *floats; i++)
    if (strcmp(text, floats[i].text) == 0) return add_constant(k, floats[i].bits, 0, to);
  if (!is_number(text)) return false;
  const int64_t value = strtoll(text, NULL, 0);
  return add_constant(k, (uint32_t)value, wide ? (uint32_t)((uint64_t)value >> 32) : 0, to);
}

/* "s5", "s[4:5]", "vcc": first register and how many; 0: none of these. */
static uint32_t scalar_register(const char *text, uint32_t *first) {
  static const struct {
    const char *text;
    uint32_t first, count;
  } names[] = {{"vcc_lo", VCC, 1},       {"vcc_hi", VCC + 1, 1}, {"vcc", VCC, 2}, {"exec_lo", EXEC, 1},
               {"exec_hi", EXEC + 1, 1}, {"exec", EXEC, 2},      {"m0", M0, 1}};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp(text, names[i].text) == 0) return *first = names[i].first, names[i].count;
  unsigned a, b;
  int end = 0;
  if (sscanf(text, "s%u%n", &a, &end) == 1 && text[end] == '\0' && a < VCC) return *first = a, 1;
  end = 0;
  if (sscanf(text, "s[%u:%u]%n", &a, &b, &end) == 2 && end && text[end] == '\0' && b >= a && b < VCC)
    return *first = a, b - a + 1;
  return 0;
}

static uint32_t vector_register(const char *text, uint32_t *first) {
  unsigned a, b;
  int end = 0;
  const uint32_t base = *text == 'a' ? FIRST_ACCUMULATOR : 0;
  if (*text != 'v' && *text != 'a') return 0;
  if (sscanf(text + 1, "%u%n", &a, &end) == 1 && text[1 + end] == '\0' && a < 256) return *first = base + a, 1;
  end = 0;
  if (sscanf(text + 1, "[%u:%u]%n", &a, &b, &end) == 2 && end && text[1 + end] == '\0' && b >= a && b < 256)
    return *first = base + a, b - a + 1;
  return 0;
}

/* "-v1", "|v1|", "-|v1|", "sext(v1)": without the signs. */
static const char *strip(const char *text, char *buffer, size_t size, operand *to) {
  snprintf(buffer, size, "%s", text);
  char *t = buffer;
  size_t n = strlen(t);
  if (t[0] == '-' && (t[1] == '|' || t[1] == 'v' || t[1] == 's')) to->change |= NEGATED, t++, n--;
  if (n > 6 && strncmp(t, "sext(", 5) == 0 && t[n - 1] == ')')
    to->change |= SIGNED_PART, t[n - 1] = '\0', t += 5, n -= 6;
  if (n > 2 && t[0] == '|' && t[n - 1] == '|') to->change |= ABSOLUTE, t[n - 1] = '\0', t++;
  return t;
}

static bool take(uint32_t count, uint32_t wanted, uint32_t first, bool scalar, operand *to) {
  if (count != wanted && wanted) return false;
  to->index = (uint16_t)first;
  to->scalar = scalar;
  return count > 0;
}

bool read_operand(kernel_code *kernel, char letter, uint32_t lanes, const char *text, operand *to) {
  char buffer[64];
  uint32_t first = 0;
  if (letter == 'a') text = strip(text, buffer, sizeof buffer, to);
  const uint32_t vectors = vector_register(text, &first), scalars = vectors ? 0 : scalar_register(text, &first);
  const bool null = strcmp(text, "null") == 0, off = strcmp(text, "off") == 0;
  switch (letter) {
    case 'D':
      return take(vectors, 1, first, false, to);
    case 'E':
      return take(vectors, 2, first, false, to);
    case 'F':
    case 'f':
      return take(vectors, 0, first, false, to);
    case 'S':
      return null ? take(1, 1, SINK, true, to) : take(scalars, 1, first, true, to);
    case 'T':
      return take(scalars, 2, first, true, to);
    case 'G':
      return take(scalars, 0, first, true, to);
    case 'M':
      if (null) return take(1, 1, SINK, true, to);
      /* fall through */
    case 'm':
      return take(scalars, lanes / 32, first, true, to);
    case 'v':
      return off ? take(1, 1, SINK, true, to) : take(vectors, 0, first, false, to);
    case 'p':
      return off ? take(1, 1, 0, false, to) : take(scalars, 0, first, true, to);
    default:
      break;
  }
  const bool wide = letter == 'A' || letter == 't' || letter == 'P';
  const bool vector_allowed = letter == 'a' || letter == 'A' || letter == 'P';
  if (vectors) return vector_allowed && take(vectors, wide ? 2 : 1, first, false, to);
  if (scalars) return take(scalars, wide ? 2 : 1, first, true, to);
  if (null) return add_constant(kernel, 0, 0, to);
  return read_constant(kernel, text, wide && letter != 'P', to);
}

/* QUAD_PERM, BITMASK_PERM, SWAP and the like: the disassembler writes them out. */
static int32_t read_swizzle(const char *text) {
  unsigned a, b, c, d;
  char bits[8];
  if (sscanf(text, "swizzle(QUAD_PERM,%u,%u,%u,%u)", &a, &b, &c, &d) == 4 && a < 4 && b < 4 && c < 4 && d < 4)
    return (int32_t)(0x8000 | a | b << 2 | c << 4 | d << 6);
  if (sscanf(text, "swizzle(SWAP,%u)", &a) == 1) return (int32_t)(31 | a << 10);
  if (sscanf(text, "swizzle(REVERSE,%u)", &a) == 1) return (int32_t)(31 | (a - 1) << 10);
  if (sscanf(text, "swizzle(BROADCAST,%u,%u)", &a, &b) == 2) return (int32_t)((32 - a) | b << 5);
  if (sscanf(text, "swizzle(BITMASK_PERM,\"%5[01pi]\")", bits) == 1) {
    uint32_t and = 0, or = 0, xor = 0;
    for (int k = 0; k < 5; k++) {
      const uint32_t bit = 1u << (4 - k);
      if (bits[k] == 'p' || bits[k] == 'i') and |= bit;
      if (bits[k] == 'i') xor |= bit;
      if (bits[k] == '1') or |= bit;
    }
    return (int32_t)(and | or << 5 | xor << 10);
  }
  return -1;
}

bool read_offset(const char *text, const char *of, int32_t *offset) {
  const bool swizzle = strncmp(of, "ds_swizzle", 10) == 0 && !is_number(text);
  if (!swizzle && !is_number(text)) return false;
  *offset = swizzle ? read_swizzle(text) : (int32_t)strtol(text, NULL, 0);
  return !swizzle || *offset >= 0;
}
