#define _GNU_SOURCE
#include "host_memory.h"

#include <string.h>
#include <sys/mman.h>

#include "settings.h"

enum { PAGE = 4096, ALIGNED = HOST_MEMORY_ALIGNED };

bool host_memory_make(host_memory *m, size_t size, uint64_t *address) {
  const size_t inside = (size + ALIGNED + PAGE - 1) / PAGE * PAGE;
  m->bytes = inside + 2 * PAGE;
  m->mapping = mmap(NULL, m->bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (m->mapping == MAP_FAILED) return false;
  uint8_t *const first = (uint8_t *)m->mapping + PAGE;
  if (mprotect(first, inside, PROT_READ | PROT_WRITE) != 0) {
    munmap(m->mapping, m->bytes);
    return false;
  }
  *address = (uint64_t)(uintptr_t)(first + ((inside - size) & ~(size_t)(ALIGNED - 1)));
  if (!settings_get()->idle) memset(first, 0xff, inside); /* else nothing would become finite */
  return true;
}

void host_memory_free(host_memory *m) { munmap(m->mapping, m->bytes); }
