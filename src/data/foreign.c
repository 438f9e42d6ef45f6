#include "data/foreign.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fail.h"

#define CONVERT(read) \
  "; in Python: " read ", then numpy.savez('set.npz', x_train=..., y_train=..., x_test=..., y_test=...)"

static const struct {
  const char *bytes;
  size_t size, at;
  const char *says;
} kinds[] = {
    {"PK\3\4", 4, 0, "a zip archive: unzip it first"},
    {"PK\5\6", 4, 0, "an empty zip archive"},
    {"PAR1", 4, 0,
     "a Parquet file" CONVERT("t = pandas.read_parquet(FILE), images as in numpy.stack([numpy.asarray("
                              "PIL.Image.open(io.BytesIO(i['bytes']))) for i in t['image']])")},
    {"\x89HDF\r\n\x1a\n", 8, 0, "an HDF5 file" CONVERT("f = h5py.File(FILE), arrays as f[NAME][()]")},
    {"MATLAB 5.0", 10, 0, "a MATLAB file" CONVERT("f = scipy.io.loadmat(FILE), arrays as f[NAME]")},
    {"ARROW1", 6, 0, "an Arrow file" CONVERT("t = pyarrow.feather.read_table(FILE)")},
    {"version https://git-lfs", 23, 0, "a pointer of Git LFS and not the data: fetch them by git lfs pull"},
    {"\xfd"
     "7zXZ",
     6, 0, "compressed by xz: unpack it first, by xz -d"},
    {"BZh", 3, 0, "compressed by bzip2: unpack it first, by bzip2 -d"},
    {"\x28\xb5\x2f\xfd", 4, 0, "compressed by zstd: unpack it first, by zstd -d"},
    {"7z\xbc\xaf\x27\x1c", 6, 0, "a 7z archive: unpack it first, by 7z x"},
    {"Rar!", 4, 0, "a RAR archive: unpack it first, by unrar x"},
    {"ustar", 5, 257, "a tar archive: unpack it first, by tar -xf"},
    {"SQLite format 3", 15, 0, "an SQLite database, which fovea does not read"},
    {"%PDF", 4, 0, "a PDF document and no data"},
};

/* Protocols 2 to 5 begin with 80 and their number. */
static const char pickle[] = "a Python pickle" CONVERT(
    "d = pickle.load(open(FILE, 'rb'), encoding='latin1'), of CIFAR images as numpy.array(d['data']).reshape(-1, 3, "
    "32, 32)");

static const char *text_kind(const uint8_t *bytes, size_t size) {
  static const struct {
    const char *begin, *says;
  } texts[] = {{"<!doctype html", "an HTML page: the download went wrong"},
               {"<html", "an HTML page: the download went wrong"},
               {"<head", "an HTML page: the download went wrong"},
               {"<?xml", "an XML document, perhaps a server's error: the download went wrong"}};
  size_t i = 0;
  while (i < size && strchr(" \t\r\n\xef\xbb\xbf", bytes[i]) != NULL && bytes[i] != 0) i++;
  for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
    const size_t n = strlen(texts[k].begin);
    if (size - i >= n && strncasecmp((const char *)bytes + i, texts[k].begin, n) == 0) return texts[k].says;
  }
  return NULL;
}

const char *fovea_foreign(const uint8_t *bytes, size_t size) {
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (size >= kinds[i].at + kinds[i].size && memcmp(bytes + kinds[i].at, kinds[i].bytes, kinds[i].size) == 0)
      return kinds[i].says;
  if (size >= 2 && bytes[0] == 0x80 && bytes[1] >= 2 && bytes[1] <= 5) return pickle;
  return text_kind(bytes, size);
}

size_t fovea_first_bytes(const char *path, uint8_t *bytes, size_t size) {
  struct stat about;
  const int descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ssize_t n = -1;
  if (descriptor < 0) return 0;
  if (fstat(descriptor, &about) == 0 && S_ISREG(about.st_mode)) {
    do n = read(descriptor, bytes, size);
    while (n < 0 && errno == EINTR);
  }
  close(descriptor);
  return n > 0 ? (size_t)n : 0;
}

fovea_status fovea_foreign_check(const char *path) {
  uint8_t bytes[FOVEA_FOREIGN_BYTES];
  struct stat about;
  if (stat(path, &about) == 0 && S_ISREG(about.st_mode) && about.st_size == 0)
    return fovea_fail(FOVEA_INVALID, "'%s' is empty: the download went wrong, or the disk was full", path);
  const char *says = fovea_foreign(bytes, fovea_first_bytes(path, bytes, sizeof bytes));
  return says == NULL ? FOVEA_OK : fovea_fail(FOVEA_INVALID, "'%s' is %s", path, says);
}
