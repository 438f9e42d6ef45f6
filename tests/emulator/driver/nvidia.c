/* The engine of an emulated GPU of NVIDIA's: clang's PTX for sm_80. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/threads.h"
#include "driver/driver.h"
#include "ptx/module.h"

static device_facts known;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* An A100's. Division and square root are div.rn and sqrt.rn, which PTX defines to round correctly. */
static void find_facts(void) {
  const settings *s = settings_get();
  known = (device_facts){.platform = "Emulated NVIDIA",
                         .name = "sm_80 PTX, emulated, warps of 32",
                         .version = "clang 15",
                         .memory = (uint64_t)8 << 30,
                         .most_allocation = (uint64_t)4 << 30,
                         .units = s->units,
                         .clock_mhz = 1410,
                         .local_bytes = 49152,
                         .most_items = s->most_items,
                         .lanes = LANES,
                         .divides = s->divides};
}

static const device_facts *facts(void) {
  pthread_once(&once, find_facts);
  return &known;
}

static void *load(const char *stem, char *message, size_t size) { return ptx_load(stem, message, size); }
static void unload(void *module) { ptx_unload(module); }

static const kernel_head *kernel(const void *module, const char *name) {
  const ptx_module *m = module;
  for (size_t i = 0; i < m->count; i++)
    if (strcmp(m->kernels[i].head.name, name) == 0) return &m->kernels[i].head;
  return NULL;
}

static int launch_kernel(void *queue, const void *module, const call *c, uint64_t *instructions) {
  static _Atomic uint64_t number = 1;
  const ptx_launch l = {.kernel = (const ptx_kernel *)c->kernel,
                        .settings = settings_get(),
                        .range = c->range,
                        .values = c->values,
                        .local_bytes = c->local_bytes,
                        .number = atomic_fetch_add(&number, 1)};
  (void)queue, (void)module;
  return threads_run(ptx_run_group, &l, c->range->groups, instructions) ? CL_SUCCESS : CL_OUT_OF_RESOURCES;
}

static const char *target(void) { return "sm_80"; }

const engine nvidia_engine = {.target = target,
                              .script = "compile_ptx.sh",
                              .options = "",
                              .made = ".ptx",
                              .facts = facts,
                              .load = load,
                              .unload = unload,
                              .kernel = kernel,
                              .launch = launch_kernel};
