#include "base/gzip.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/fail.h"

enum { CHUNK = 65536, DEFLATE_RATIO = 1032 };

struct fovea_gzip {
  char *path;
  int descriptor;
  uint64_t size;   /* of the file, in bytes */
  bool by_content; /* the name says nothing, and what follows the data is passed over */
  bool trailing;   /* something other than zeros was */
  bool compressed;
  bool inflating;  /* inflateInit2 was called */
  bool in_member;  /* inside a gzip member */
  size_t members;  /* that have ended */
  z_stream stream; /* next_in and avail_in also serve a plain file */
  uint8_t in[CHUNK];
};

/* Fills the input when it is empty; *more is false at the file's end. */
static fovea_status refill(fovea_gzip *file, bool *more) {
  *more = true;
  if (file->stream.avail_in > 0) return FOVEA_OK;
  ssize_t n;
  do n = read(file->descriptor, file->in, CHUNK);
  while (n < 0 && errno == EINTR);
  if (n < 0) return fovea_fail(FOVEA_IO, "cannot read '%s': %s", file->path, strerror(errno));
  file->stream.next_in = file->in;
  file->stream.avail_in = (uInt)n;
  *more = n > 0;
  return FOVEA_OK;
}

static bool named_gz(const char *path) {
  size_t length = strlen(path);
  return length >= 3 && strcmp(path + length - 3, ".gz") == 0;
}

/* `anything`: what is no regular file, too. */
static fovea_status start(fovea_gzip *file, bool anything) {
  struct stat about;
  if (file->descriptor < 0 || fstat(file->descriptor, &about) != 0)
    return fovea_fail(FOVEA_IO, "cannot read '%s': %s", file->path, strerror(errno));
  if (!S_ISREG(about.st_mode) && !anything)
    return fovea_fail(FOVEA_IO, "cannot read '%s': it is not a regular file", file->path);
  file->size = S_ISREG(about.st_mode) ? (uint64_t)about.st_size : 0;
  bool more;
  fovea_status status = refill(file, &more);
  if (status != FOVEA_OK) return status;
  bool magic = file->stream.avail_in >= 2 && file->in[0] == 0x1f && file->in[1] == 0x8b;
  file->compressed = magic || (named_gz(file->path) && !file->by_content);
  if (!file->compressed) return FOVEA_OK;
  if (inflateInit2(&file->stream, 15 + 16) != Z_OK) /* 16: gzip and nothing else */
    return fovea_fail(FOVEA_NO_MEMORY, "no memory to uncompress '%s'", file->path);
  file->inflating = true;
  return FOVEA_OK;
}

static fovea_status adopt(int descriptor, const char *name, bool anything, bool by_content, fovea_gzip **file) {
  fovea_gzip *f = calloc(1, sizeof *f);
  if (f == NULL) {
    if (descriptor >= 0) close(descriptor);
    return fovea_fail(FOVEA_NO_MEMORY, "no memory to read '%s'", name);
  }
  f->descriptor = descriptor;
  f->by_content = by_content;
  f->path = strdup(name);
  fovea_status status =
      f->path == NULL ? fovea_fail(FOVEA_NO_MEMORY, "no memory to read '%s'", name) : start(f, anything);
  if (status == FOVEA_OK) {
    *file = f;
  } else {
    fovea_gzip_close(f);
  }
  return status;
}

fovea_status fovea_gzip_open(const char *path, fovea_gzip **file) {
  /* O_NONBLOCK: a FIFO would block before it can be refused. */
  return adopt(open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC), path, false, false, file);
}

fovea_status fovea_gzip_open_by_content(const char *path, fovea_gzip **file) {
  return adopt(open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC), path, false, true, file);
}

fovea_status fovea_gzip_adopt(int descriptor, const char *name, fovea_gzip **file) {
  return adopt(descriptor, name, true, false, file);
}

void fovea_gzip_close(fovea_gzip *file) {
  if (file == NULL) return;
  if (file->inflating) inflateEnd(&file->stream);
  if (file->descriptor >= 0) close(file->descriptor);
  free(file->path);
  free(file);
}

uint64_t fovea_gzip_bound(const fovea_gzip *file) {
  if (!file->compressed) return file->size;
  return file->size > UINT64_MAX / DEFLATE_RATIO ? UINT64_MAX : file->size * DEFLATE_RATIO;
}

/* What a failed inflate means. */
static fovea_status damaged(const fovea_gzip *file, int result) {
  if (result == Z_MEM_ERROR) return fovea_fail(FOVEA_NO_MEMORY, "no memory to uncompress '%s'", file->path);
  const char *why = file->stream.msg != NULL ? file->stream.msg : zError(result);
  if (file->members > 0 && file->stream.total_out == 0)
    return fovea_fail(FOVEA_INVALID, "'%s' has bytes after its gzip data that are not gzip data (%s)", file->path, why);
  return fovea_fail(FOVEA_INVALID, "'%s' is not good gzip data: %s, after %lu uncompressed bytes", file->path, why,
                    file->stream.total_out);
}

bool fovea_gzip_trailing(const fovea_gzip *file) { return file->trailing; }

/* Goes to the file's end; the CRC and the length of what came before were right. */
static fovea_status pass_over_rest(fovea_gzip *file) {
  bool more = true;
  fovea_status status = FOVEA_OK;
  do {
    for (; file->stream.avail_in > 0; file->stream.avail_in--)
      file->trailing = *file->stream.next_in++ != 0 || file->trailing;
    status = refill(file, &more);
  } while (status == FOVEA_OK && more);
  return status;
}

/* Inflates some into stream.next_out; *end is true after the last member. */
static fovea_status inflate_some(fovea_gzip *file, bool *end) {
  z_stream *stream = &file->stream;
  bool more;
  fovea_status status = refill(file, &more);
  if (status != FOVEA_OK) return status;
  if (!more) {
    *end = !file->in_member && file->members > 0;
    if (*end) return FOVEA_OK;
    return fovea_fail(FOVEA_INVALID, "'%s' ends in the middle of its gzip data, after %llu bytes", file->path,
                      (unsigned long long)file->size);
  }
  if (!file->in_member && file->by_content && file->members > 0 && stream->next_in[0] != 0x1f) {
    *end = true;
    return pass_over_rest(file);
  }
  if (!file->in_member) inflateReset(stream);
  file->in_member = true;
  int result = inflate(stream, Z_NO_FLUSH);
  if (result == Z_STREAM_END) {
    file->in_member = false;
    file->members++;
  } else if (result != Z_OK && result != Z_BUF_ERROR) { /* the latter: nothing to do without more input */
    return damaged(file, result);
  }
  return FOVEA_OK;
}

static fovea_status read_compressed(fovea_gzip *file, uint8_t *data, size_t size, size_t *got) {
  *got = 0;
  bool end = false;
  while (*got < size && !end) {
    size_t room = size - *got < CHUNK ? size - *got : CHUNK;
    file->stream.next_out = data + *got;
    file->stream.avail_out = (uInt)room;
    fovea_status status = inflate_some(file, &end);
    if (status != FOVEA_OK) return status;
    *got += room - file->stream.avail_out;
  }
  return FOVEA_OK;
}

static fovea_status read_plain(fovea_gzip *file, uint8_t *data, size_t size, size_t *got) {
  *got = 0;
  while (*got < size) {
    bool more;
    fovea_status status = refill(file, &more);
    if (status != FOVEA_OK || !more) return status;
    size_t n = size - *got < file->stream.avail_in ? size - *got : file->stream.avail_in;
    memcpy(data + *got, file->stream.next_in, n);
    file->stream.next_in += n;
    file->stream.avail_in -= (uInt)n;
    *got += n;
  }
  return FOVEA_OK;
}

fovea_status fovea_gzip_read(fovea_gzip *file, void *data, size_t size, size_t *got) {
  return file->compressed ? read_compressed(file, data, size, got) : read_plain(file, data, size, got);
}
