#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fail.h"

struct fovea_file {
  char *path;
  char *temporary;
  int descriptor; /* -1 after a failed put */
};

/* What errno means. */
static fovea_status reason_status(void) { return errno == ENOMEM ? FOVEA_NO_MEMORY : FOVEA_IO; }

static fovea_status cannot(const char *verb, const char *path) {
  return fovea_fail(reason_status(), "cannot %s '%s': %s", verb, path, strerror(errno));
}

/* Writes all of it; false with errno set. */
static bool write_all(int descriptor, const void *data, size_t size) {
  const char *next = data;
  while (size > 0) {
    ssize_t n = write(descriptor, next, size);
    if (n < 0 && errno == EINTR) continue;
    if (n == 0) errno = EIO;
    if (n <= 0) return false;
    next += n;
    size -= (size_t)n;
  }
  return true;
}

static bool sync_all(int descriptor) {
  int result;
  do result = fsync(descriptor);
  while (result != 0 && errno == EINTR);
  return result == 0;
}

/* Makes the entry of `path` in its folder durable. File systems that cannot sync a folder say EINVAL: no failure. */
static bool sync_parent(const char *path) {
  const char *slash = strrchr(path, '/');
  char *parent = slash == NULL ? strdup(".") : strndup(path, slash == path ? 1 : (size_t)(slash - path));
  if (parent == NULL) {
    errno = ENOMEM;
    return false;
  }
  int descriptor = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  free(parent);
  if (descriptor < 0) return false;
  bool ok = sync_all(descriptor) || errno == EINVAL;
  int reason = errno;
  close(descriptor);
  errno = reason;
  return ok;
}

/* Opens the temporary and locks it. Between the open and the lock another process may have renamed or removed that
 * very file; then it is not ours to write, and the name is opened again. -1 with errno set; EWOULDBLOCK: in use. */
static int open_temporary(const char *temporary) {
  for (int attempt = 0; attempt < 100; attempt++) {
    int descriptor = open(temporary, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
    if (descriptor < 0) return -1;
    struct stat opened, named;
    bool locked = flock(descriptor, LOCK_EX | LOCK_NB) == 0;
    if (locked && fstat(descriptor, &opened) == 0 && lstat(temporary, &named) == 0 && opened.st_dev == named.st_dev &&
        opened.st_ino == named.st_ino && ftruncate(descriptor, 0) == 0) {
      return descriptor;
    }
    int reason = errno;
    close(descriptor);
    errno = reason;
    if (!locked && reason != EINTR) return -1;
  }
  return -1;
}

static void discard(fovea_file *file) {
  if (file->descriptor < 0) return;
  int reason = errno;
  unlink(file->temporary); /* before the lock goes with the descriptor */
  close(file->descriptor);
  file->descriptor = -1;
  errno = reason;
}

static void release(fovea_file *file) {
  if (file == NULL) return;
  free(file->path);
  free(file->temporary);
  free(file);
}

/* A device or a pipe would be replaced by a file. */
static bool may_replace(const char *path) {
  struct stat about;
  return stat(path, &about) != 0 || S_ISREG(about.st_mode);
}

fovea_status fovea_file_begin(const char *path, fovea_file **file) {
  static const char suffix[] = ".tmp";
  if (!may_replace(path)) return fovea_fail(FOVEA_IO, "cannot write '%s': it is there and no regular file", path);
  size_t length = strlen(path);
  fovea_file *f = calloc(1, sizeof *f);
  if (f != NULL) {
    f->path = strdup(path);
    f->temporary = malloc(length + sizeof suffix);
  }
  if (f == NULL || f->path == NULL || f->temporary == NULL) {
    release(f);
    return fovea_fail(FOVEA_NO_MEMORY, "no memory to write '%s'", path);
  }
  memcpy(f->temporary, path, length);
  memcpy(f->temporary + length, suffix, sizeof suffix);
  f->descriptor = open_temporary(f->temporary);
  if (f->descriptor < 0) {
    fovea_status status = errno == EWOULDBLOCK
                              ? fovea_fail(FOVEA_IO, "cannot write '%s': another process is writing it", path)
                              : cannot("create", f->temporary);
    release(f);
    return status;
  }
  *file = f;
  return FOVEA_OK;
}

fovea_status fovea_file_put(fovea_file *file, const void *data, size_t size) {
  if (file->descriptor < 0) return fovea_fail(FOVEA_IO, "cannot write '%s': an earlier write failed", file->path);
  if (write_all(file->descriptor, data, size)) return FOVEA_OK;
  discard(file);
  return cannot("write", file->path);
}

fovea_status fovea_file_commit(fovea_file *file) {
  fovea_status status = FOVEA_OK;
  if (file->descriptor < 0) {
    status = fovea_fail(FOVEA_IO, "cannot write '%s': an earlier write failed", file->path);
  } else if (!sync_all(file->descriptor) || rename(file->temporary, file->path) != 0) {
    discard(file);
    status = cannot("write", file->path);
  } else {
    close(file->descriptor); /* its result says nothing new: fsync has already put the data on the disk */
    if (!sync_parent(file->path))
      status = fovea_fail(reason_status(), "'%s' was written, but its folder could not be synced: %s", file->path,
                          strerror(errno));
  }
  release(file);
  return status;
}

void fovea_file_abandon(fovea_file *file) {
  if (file != NULL) discard(file);
  release(file);
}

fovea_status fovea_file_write(const char *path, const void *data, size_t size) {
  fovea_file *file;
  fovea_status status = fovea_file_begin(path, &file);
  if (status != FOVEA_OK) return status;
  status = fovea_file_put(file, data, size);
  if (status == FOVEA_OK) return fovea_file_commit(file);
  fovea_file_abandon(file);
  return status;
}

ptrdiff_t fovea_file_read_at(int descriptor, uint64_t offset, void *data, size_t size) {
  size_t got = 0;
  while (got < size) {
    const ssize_t n = pread(descriptor, (uint8_t *)data + got, size - got, (off_t)(offset + got));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -1;
    if (n == 0) break;
    got += (size_t)n;
  }
  return (ptrdiff_t)got;
}

/* Reads up to `size` bytes, fewer only at the file's end; -1 with errno set. */
static ssize_t read_all(int descriptor, uint8_t *data, size_t size) {
  size_t got = 0;
  while (got < size) {
    ssize_t n = read(descriptor, data + got, size - got);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -1;
    if (n == 0) break;
    got += (size_t)n;
  }
  return (ssize_t)got;
}

static fovea_status read_descriptor(int descriptor, const char *path, size_t max_size, uint8_t **data, size_t *size) {
  struct stat about;
  if (fstat(descriptor, &about) != 0) return cannot("read", path);
  if (!S_ISREG(about.st_mode)) return fovea_fail(FOVEA_IO, "cannot read '%s': it is not a regular file", path);
  if ((uintmax_t)about.st_size > max_size || (uintmax_t)about.st_size >= PTRDIFF_MAX)
    return fovea_fail(FOVEA_INVALID, "'%s' has %jd bytes, at most %zu are expected", path, (intmax_t)about.st_size,
                      max_size);
  size_t expected = (size_t)about.st_size;
  uint8_t *bytes = malloc(expected + 1);
  if (bytes == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for the %zu bytes of '%s'", expected, path);
  ssize_t got = read_all(descriptor, bytes, expected);
  if (got < 0) {
    fovea_status status = cannot("read", path);
    free(bytes);
    return status;
  }
  bytes[got] = 0;
  *data = bytes;
  *size = (size_t)got;
  return FOVEA_OK;
}

fovea_status fovea_file_read(const char *path, size_t max_size, uint8_t **data, size_t *size) {
  int descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC); /* a FIFO would block before it can be refused */
  if (descriptor < 0) return cannot("read", path);
  fovea_status status = read_descriptor(descriptor, path, max_size, data, size);
  close(descriptor);
  return status;
}

/* Appends text[1..], or text with its leading newline where the file ends in a torn line. */
static fovea_status append(int descriptor, const char *path, const char *text, size_t size) {
  struct stat about;
  int locked;
  do locked = flock(descriptor, LOCK_EX);
  while (locked != 0 && errno == EINTR);
  if (locked != 0 || fstat(descriptor, &about) != 0) return cannot("append to", path);
  char last = '\n';
  if (S_ISREG(about.st_mode) && about.st_size > 0 && pread(descriptor, &last, 1, about.st_size - 1) != 1)
    return cannot("append to", path);
  size_t skip = last == '\n' ? 1 : 0;
  ssize_t n;
  do n = write(descriptor, text + skip, size - skip);
  while (n < 0 && errno == EINTR);
  if (n >= 0 && (size_t)n < size - skip) errno = ENOSPC; /* a short write to a file: the disk is full */
  if (n < 0 || (size_t)n < size - skip || !sync_all(descriptor)) {
    fovea_status status = cannot("append to", path);
    /* Take back what was written; if that fails as well, the next append starts with a newline. */
    (void)!ftruncate(descriptor, about.st_size);
    return status;
  }
  if (about.st_size == 0 && !sync_parent(path)) return cannot("sync the folder of", path);
  return FOVEA_OK;
}

fovea_status fovea_file_append_line(const char *path, const char *line) {
  size_t length = strlen(line);
  if (strchr(line, '\n') != NULL)
    return fovea_fail(FOVEA_INVALID, "cannot append to '%s': the line has a newline in it", path);
  char *text = malloc(length + 3);
  if (text == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory to append to '%s'", path);
  text[0] = '\n';
  memcpy(text + 1, line, length);
  memcpy(text + 1 + length, "\n", 2);
  fovea_status status;
  int descriptor = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor < 0) {
    status = cannot("append to", path);
  } else {
    status = append(descriptor, path, text, length + 2);
    close(descriptor);
  }
  free(text);
  return status;
}

static bool is_directory(const char *path) {
  struct stat about;
  return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

/* One level: made now, or there before. */
static bool make_level(const char *path) {
  if (is_directory(path)) return true;
  if (mkdir(path, 0777) == 0) return sync_parent(path);
  if (errno != EEXIST) return false;
  if (is_directory(path)) return true; /* another process made it meanwhile */
  errno = ENOTDIR;
  return false;
}

fovea_status fovea_directory_create(const char *path) {
  if (path[0] == '\0') return fovea_fail(FOVEA_IO, "cannot make a directory: its name is empty");
  char *level = strdup(path);
  if (level == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory to make the directory '%s'", path);
  size_t length = strlen(level);
  while (length > 1 && level[length - 1] == '/') level[--length] = '\0';
  bool ok = true;
  for (char *slash = strchr(level + 1, '/'); ok && slash != NULL; slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    ok = make_level(level);
    *slash = '/';
  }
  ok = ok && make_level(level);
  fovea_status status = FOVEA_OK;
  if (!ok) {
    status = cannot("make the directory", path);
  } else if (access(level, W_OK | X_OK) != 0) {
    status = cannot("write in the directory", path);
  }
  free(level);
  return status;
}
