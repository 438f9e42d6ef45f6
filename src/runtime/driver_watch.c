#include "runtime/driver_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MEMORY_PROBE = 512 << 20, DISK_PROBE = 64 << 10, MOST_PATH = 4096 };

static _Atomic(const char *) does;
static atomic_int open_devices;
static void (*_Atomic when_loaded)(void);

void fovea_driver_does(const char *what) { atomic_store(&does, what); }

void fovea_driver_opened(int change) { atomic_fetch_add(&open_devices, change); }

const char *fovea_driver_doing(void) {
  const char *what = atomic_load(&does);
  if (what) return what;
  return atomic_load(&open_devices) > 0 ? "was compiling or running kernels" : NULL;
}

void fovea_driver_when_loaded(void (*call)(void)) { atomic_store(&when_loaded, call); }

void fovea_driver_loaded(void) {
  void (*call)(void) = atomic_load(&when_loaded);
  if (call) call();
}

/* Not malloc, whose lock a process that died inside it holds. */
bool fovea_memory_is_short(void) {
  const int zero = open("/dev/zero", O_RDWR | O_CLOEXEC);
  if (zero < 0) return false;
  void *piece = mmap(NULL, MEMORY_PROBE, PROT_READ | PROT_WRITE, MAP_PRIVATE, zero, 0);
  const bool is_short = piece == MAP_FAILED && (errno == ENOMEM || errno == EAGAIN);
  if (piece != MAP_FAILED) munmap(piece, MEMORY_PROBE);
  close(zero);
  return is_short;
}

/* By writing, since quotas and limits on a file's size are not in what statvfs says. */
bool fovea_folder_is_full(const char *folder) {
  static const char name[] = "/probe";
  static const char block[4096];
  char path[MOST_PATH];
  const size_t length = strlen(folder);
  if (length == 0 || length + sizeof name > sizeof path) return false;
  memcpy(path, folder, length);
  memcpy(path + length, name, sizeof name);
  const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return errno != EMFILE && errno != ENFILE;
  bool full = false;
  for (size_t done = 0; done < DISK_PROBE && !full; done += sizeof block)
    full = write(file, block, sizeof block) != (ssize_t)sizeof block;
  close(file);
  unlink(path);
  return full;
}
