#include "code_object.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "notes.h"

/* All of a file and a 0 behind it; the caller's. */
static char *read_file(const char *stem, const char *extension, size_t *length) {
  char path[4200];
  snprintf(path, sizeof path, "%s%s", stem, extension);
  FILE *file = fopen(path, "rb");
  if (!file) return NULL;
  char *text = NULL;
  size_t have = 0, room = 0, got = 1;
  while (got > 0) {
    if (room - have < 4096) {
      room = 2 * room + 65536;
      char *more = realloc(text, room);
      if (!more) abort();
      text = more;
    }
    got = fread(text + have, 1, room - have - 1, file);
    have += got;
  }
  fclose(file);
  text[have] = '\0';
  *length = have;
  return text;
}

/* --- the file ----------------------------------------------------------------------------------------------------- */

/* Segments at their addresses. Code and constants find each other by distance: what needs an address written into it is
 * refused. */
static bool load_image(code_object *object, const char *file, size_t length, char *message, size_t size) {
  const Elf64_Ehdr *header = (const Elf64_Ehdr *)(const void *)file;
  if (length < sizeof *header || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_machine != 224) {
    snprintf(message, size, "no code object of an AMD GPU");
    return false;
  }
  const Elf64_Phdr *parts = (const Elf64_Phdr *)(const void *)(file + header->e_phoff);
  for (int i = 0; i < header->e_phnum; i++)
    if (parts[i].p_type == PT_LOAD && parts[i].p_vaddr + parts[i].p_memsz > object->image_size)
      object->image_size = parts[i].p_vaddr + parts[i].p_memsz;
  object->image = calloc(1, object->image_size + 64);
  if (!object->image) abort();
  for (int i = 0; i < header->e_phnum; i++)
    if (parts[i].p_type == PT_LOAD)
      memcpy(object->image + parts[i].p_vaddr, file + parts[i].p_offset, parts[i].p_filesz);
  const Elf64_Shdr *sections = (const Elf64_Shdr *)(const void *)(file + header->e_shoff);
  for (int i = 0; i < header->e_shnum; i++)
    if (sections[i].sh_type == SHT_RELA && sections[i].sh_size) {
      snprintf(message, size, "a code object with relocations");
      return false;
    }
  return true;
}

/* The address of a symbol, 0 where there is none. */
static uint64_t find_symbol(const char *file, const char *name) {
  const Elf64_Ehdr *header = (const Elf64_Ehdr *)(const void *)file;
  const Elf64_Shdr *sections = (const Elf64_Shdr *)(const void *)(file + header->e_shoff);
  for (int i = 0; i < header->e_shnum; i++) {
    if (sections[i].sh_type != SHT_DYNSYM) continue;
    const Elf64_Sym *symbols = (const Elf64_Sym *)(const void *)(file + sections[i].sh_offset);
    const char *names = file + sections[sections[i].sh_link].sh_offset;
    for (size_t k = 0; k < sections[i].sh_size / sizeof *symbols; k++)
      if (strcmp(names + symbols[k].st_name, name) == 0) return symbols[k].st_value;
  }
  return 0;
}

/* The kernel's descriptor of 64 bytes: the distance to its entry at 16, three words of resources from 44 on. */
static bool read_descriptor(code_object *object, const char *file, kernel_code *k, char *message, size_t size) {
  char name[sizeof k->head.name + 4];
  uint16_t properties;
  int64_t distance;
  snprintf(name, sizeof name, "%s.kd", k->head.name);
  const uint64_t at = find_symbol(file, name);
  if (!at || at + 64 > object->image_size) {
    snprintf(message, size, "kernel %s has no descriptor", k->head.name);
    return false;
  }
  memcpy(&distance, object->image + at + 16, 8);
  memcpy(&k->resources1, object->image + at + 48, 4);
  memcpy(&k->resources2, object->image + at + 52, 4);
  memcpy(&properties, object->image + at + 56, 2);
  k->properties = properties;
  k->entry = at + (uint64_t)distance;
  k->image = object->image;
  if ((k->resources1 >> 12 & 0xff) == 0xf0) return true;
  snprintf(message, size, "kernel %s wants a mode of floating point other than round to nearest with denormals kept",
           k->head.name);
  return false;
}

/* --- its parts ---------------------------------------------------------------------------------------------------- */

/* Behind "<NAME>:"; it goes on to an empty line. */
static char *find_code(char *disassembly, const char *name) {
  char label[160];
  snprintf(label, sizeof label, " <%s>:\n", name);
  char *code = strstr(disassembly, label);
  return code ? code + strlen(label) : NULL;
}

static bool fill(code_object *object, const machine *m, const char *file, size_t length, char *notes, char *message,
                 size_t size) {
  char *code[MOST_KERNELS];
  if (!load_image(object, file, length, message, size)) return false;
  object->kernels = calloc(MOST_KERNELS, sizeof *object->kernels);
  if (!object->kernels) abort();
  if (!notes_read(notes, object->kernels, &object->count, message, size)) return false;
  for (size_t i = 0; i < object->count; i++) {
    code[i] = find_code(object->disassembly, object->kernels[i].head.name);
    if (!code[i]) {
      snprintf(message, size, "kernel %s has no code", object->kernels[i].head.name);
      return false;
    }
  }
  for (size_t i = 0; i < object->count; i++) {
    char *end = strstr(code[i], "\n\n");
    if (end) end[1] = '\0';
  }
  for (size_t i = 0; i < object->count; i++) {
    kernel_code *k = &object->kernels[i];
    if (!read_descriptor(object, file, k, message, size)) return false;
    if (!decode_kernel(m, k, code[i], message, size)) return false;
  }
  return true;
}

code_object *code_object_load(const char *stem, const machine *m, char *message, size_t size) {
  code_object *object = calloc(1, sizeof *object);
  if (!object) abort();
  size_t length = 0, unused;
  char *file = read_file(stem, ".co", &length), *notes = read_file(stem, ".notes", &unused);
  object->disassembly = read_file(stem, ".s", &unused);
  bool good = file && notes && object->disassembly;
  if (!good)
    snprintf(message, size, "%s.co, .notes and .s cannot be read", stem);
  else
    good = fill(object, m, file, length, notes, message, size);
  free(file);
  free(notes);
  if (good) return object;
  code_object_destroy(object);
  return NULL;
}

void code_object_destroy(code_object *object) {
  if (!object) return;
  for (size_t i = 0; i < object->count; i++) {
    free(object->kernels[i].steps);
    free(object->kernels[i].constants);
  }
  free(object->kernels);
  free(object->image);
  free(object->disassembly);
  free(object);
}
