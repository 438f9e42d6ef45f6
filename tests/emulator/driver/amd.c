/* The engine of an emulated GPU of AMD's: machine code of gfx1100 or gfx90a. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/threads.h"
#include "driver/driver.h"
#include "machine/code_object.h"
#include "machine/machine.h"

static bool is_wave64(void) { return settings_get()->device == GFX90A; }
static const machine *machine_of(void) { return is_wave64() ? &machine_64 : &machine_32; }

static device_facts known;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void find_facts(void) {
  const settings *s = settings_get();
  known = (device_facts){
      .platform = "Emulated AMD",
      .name = is_wave64() ? "gfx90a machine code, emulated, wave64" : "gfx1100 machine code, emulated, wave32",
      .version = "clang 15",
      .memory = (uint64_t)8 << 30,
      .most_allocation = (uint64_t)4 << 30,
      .units = s->units,
      .clock_mhz = 2500,
      .local_bytes = 65536,
      .most_items = s->most_items,
      .lanes = machine_of()->lanes,
      .divides = s->divides};
}

static const device_facts *facts(void) {
  pthread_once(&once, find_facts);
  return &known;
}

static void *load(const char *stem, char *message, size_t size) {
  return code_object_load(stem, machine_of(), message, size);
}
static void unload(void *module) { code_object_destroy(module); }

static const kernel_head *kernel(const void *module, const char *name) {
  const code_object *object = module;
  for (size_t i = 0; i < object->count; i++)
    if (strcmp(object->kernels[i].head.name, name) == 0) return &object->kernels[i].head;
  return NULL;
}

/* --- a launch ----------------------------------------------------------------------------------------------------- */

enum { HIDDEN_BYTES = 256, PACKET_BYTES = 64 };

/* Arguments, and behind them the hidden ones as libclc 15 reads them: dimensions and three offsets, 32 bits each. */
static void write_arguments(const kernel_code *code, const call *c, uint8_t *to, size_t bytes) {
  const range *r = c->range;
  memset(to, 0xa5, bytes);
  memcpy(to, c->values, code->head.argument_bytes);
  if (code->hidden_offset == ~0u) return;
  const uint32_t hidden[4] = {r->dimensions, r->offset[0], r->offset[1], r->offset[2]};
  memset(to + code->hidden_offset, 0, bytes - code->hidden_offset);
  memcpy(to + code->hidden_offset, hidden, sizeof hidden);
}

/* hsa_kernel_dispatch_packet_t: sizes of group and range, private and local bytes, address of the arguments. */
static void write_packet(const kernel_code *code, const range *r, const uint8_t *arguments,
                         uint8_t packet[PACKET_BYTES]) {
  const uint64_t address = (uint64_t)(uintptr_t)arguments;
  const uint16_t dimensions = (uint16_t)r->dimensions;
  memset(packet, 0, PACKET_BYTES);
  memcpy(packet + 2, &dimensions, 2);
  for (int i = 0; i < 3; i++) {
    const uint16_t local = (uint16_t)r->local[i];
    memcpy(packet + 4 + 2 * i, &local, 2);
    memcpy(packet + 12 + 4 * i, &r->global[i], 4);
  }
  memcpy(packet + 24, &code->head.private_bytes, 4);
  memcpy(packet + 28, &code->head.local_bytes, 4);
  memcpy(packet + 40, &address, 8);
}

/* The scalar registers that a kernel asks for by the bits of its descriptor; others begin as garbage. */
static bool write_scalars(const kernel_code *code, const uint8_t *arguments, const uint8_t *packet, launch *l) {
  enum {
    PRIVATE_BUFFER = 1,
    PACKET = 2,
    QUEUE = 4,
    ARGUMENTS = 8,
    DISPATCH_NUMBER = 16,
    FLAT_SCRATCH = 32,
    PRIVATE_SIZE = 64
  };
  const uint64_t a = (uint64_t)(uintptr_t)arguments, p = (uint64_t)(uintptr_t)packet;
  memset(l->scalars, 0xa7, sizeof l->scalars);
  uint32_t at = 0;
  if (code->properties & PRIVATE_BUFFER) at += 4;
  if (code->properties & PACKET) memcpy(&l->scalars[at], &p, 8), at += 2;
  if (code->properties & QUEUE) at += 2;
  if (code->properties & ARGUMENTS) memcpy(&l->scalars[at], &a, 8), at += 2;
  if (code->properties & DISPATCH_NUMBER) at += 2;
  if (code->properties & FLAT_SCRATCH) at += 2;
  if (code->properties & PRIVATE_SIZE) at += 1;
  l->user_scalars = code->resources2 >> 1 & 31;
  return at <= l->user_scalars;
}

static bool run_group(workspace *space, const void *launched, const uint32_t group[3]) {
  return machine_of()->run_group(space, launched, group);
}

static int launch_kernel(void *queue, const void *module, const call *c, uint64_t *instructions) {
  const kernel_code *code = (const kernel_code *)c->kernel;
  launch l = {.kernel = code, .settings = settings_get(), .local_bytes = c->local_bytes};
  const size_t bytes = (c->kernel->argument_bytes + HIDDEN_BYTES + 255) / 256 * 256;
  uint8_t packet[PACKET_BYTES];
  (void)queue, (void)module;
  uint8_t *arguments = aligned_alloc(256, bytes);
  if (!arguments) return CL_OUT_OF_HOST_MEMORY;
  write_arguments(code, c, arguments, bytes);
  write_packet(code, c->range, arguments, packet);
  memcpy(l.local, c->range->local, sizeof l.local);
  const bool good =
      write_scalars(code, arguments, packet, &l) && threads_run(run_group, &l, c->range->groups, instructions);
  free(arguments);
  return good ? CL_SUCCESS : CL_OUT_OF_RESOURCES;
}

static const char *target(void) { return is_wave64() ? "gfx90a" : "gfx1100"; }

const engine amd_engine = {.target = target,
                           .script = "compile.sh",
                           .options = "",
                           .made = ".s",
                           .facts = facts,
                           .load = load,
                           .unload = unload,
                           .kernel = kernel,
                           .launch = launch_kernel};
