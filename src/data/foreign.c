#include "data/foreign.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fail.h"

#define CONVERT(read) \
  "; in Python: " read ", then numpy.savez('set.npz', x_train=..., y_train=..., x_test=..., y_test=...)"

static const fovea_magic kinds[] = {
    {"PAR1", 4, 0,
     "a Parquet file" CONVERT("t = pandas.read_parquet(FILE), images as in numpy.stack([numpy.asarray("
                              "PIL.Image.open(io.BytesIO(i['bytes']))) for i in t['image']])")},
    {"\x89HDF\r\n\x1a\n", 8, 0, "an HDF5 file" CONVERT("f = h5py.File(FILE), arrays as f[NAME][()]")},
    {"MATLAB 5.0", 10, 0, "a MATLAB file" CONVERT("f = scipy.io.loadmat(FILE), arrays as f[NAME]")},
    {"ARROW1", 6, 0, "an Arrow file" CONVERT("t = pyarrow.feather.read_table(FILE)")},
};

/* Protocols 2 to 5 begin with 80 and their number. */
static const char pickle[] = "a Python pickle" CONVERT(
    "d = pickle.load(open(FILE, 'rb'), encoding='latin1'), of CIFAR images as numpy.array(d['data']).reshape(-1, 3, "
    "32, 32)");

const char *fovea_foreign_set(const uint8_t *bytes, size_t size) {
  const char *says = fovea_magic_find(kinds, sizeof kinds / sizeof *kinds, bytes, size);
  if (says != NULL) return says;
  if (size >= 2 && bytes[0] == 0x80 && bytes[1] >= 2 && bytes[1] <= 5) return pickle;
  return fovea_foreign(bytes, size);
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
  const char *says = fovea_foreign_set(bytes, fovea_first_bytes(path, bytes, sizeof bytes));
  return says == NULL ? FOVEA_OK : fovea_fail(FOVEA_INVALID, "'%s' is %s", path, says);
}
