/* What is in a folder or a file that may be a part of a data set. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/fail.h"
#include "data/find.h"
#include "data/foreign.h"
#include "data/kind.h"
#include "data/npz.h"
#include "data/pack.h"
#include "fovea/safetensors.h"

const char *const fovea_found_names[] = {"idx", "npy", "npz", "safetensors", "csv", "cifar", "pack"};

void fovea_candidates_free(fovea_candidates *all) {
  for (size_t i = 0; i < all->count; i++) free(all->list[i].file), free(all->list[i].member);
  free(all->list);
  *all = (fovea_candidates){NULL, 0};
}

static fovea_status add(fovea_candidates *all, fovea_found_kind kind, const char *file, const char *member,
                        const fovea_naming *naming) {
  fovea_candidate *grown = realloc(all->list, (all->count + 1) * sizeof *grown);
  if (grown != NULL) all->list = grown;
  char *copy = grown != NULL ? strdup(file) : NULL, *inside = copy != NULL && member != NULL ? strdup(member) : NULL;
  if (copy == NULL || (member != NULL && inside == NULL)) {
    free(copy);
    return fovea_fail(FOVEA_NO_MEMORY, "no memory for the names of a data set's files");
  }
  fovea_candidate *c = &grown[all->count++];
  *c = (fovea_candidate){
      .kind = kind, .file = copy, .member = inside, .split = naming->split, .what = naming->what, .idx = naming->idx};
  memcpy(c->set, naming->set, sizeof c->set);
  return FOVEA_OK;
}

static bool ends(const char *name, const char *suffix) {
  const size_t n = strlen(name), k = strlen(suffix);
  return n >= k && strcasecmp(name + n - k, suffix) == 0;
}

/* ---- arrays ----------------------------------------------------------------------------------------------------- */

/* Where the name does not say it: arrays of one number an image are labels. */
static fovea_status what_by_shape(const fovea_array_place *place, fovea_what *what, size_t *row) {
  fovea_array a;
  *row = 0;
  if (*what != FOVEA_WHAT_UNKNOWN) return FOVEA_OK;
  fovea_status status = fovea_array_open(place, &a);
  if (status != FOVEA_OK) return status;
  *what = a.rank > 1 && a.item > 1 ? FOVEA_WHAT_IMAGES : FOVEA_WHAT_LABELS;
  if (a.rank == 2) *row = a.item;
  fovea_array_close(&a);
  return FOVEA_OK;
}

/* Arrays in a container that are neither images nor labels, or no numbers, are left out. */
static fovea_status add_array(fovea_candidates *all, fovea_array_kind kind, const char *path, const char *member,
                              bool alone) {
  fovea_naming naming = {0};
  char stem[FOVEA_NAMING_SET];
  snprintf(stem, sizeof stem, "%s", fovea_path_name(path));
  fovea_naming_add(&naming, stem);
  if (member != NULL) {
    const fovea_what of_file = naming.what; /* kmnist-train-imgs.npz: arr_0 */
    naming.what = FOVEA_WHAT_UNKNOWN;
    fovea_naming_add(&naming, member);
    if (naming.what == FOVEA_WHAT_UNKNOWN && alone) naming.what = of_file; /* of several it says nothing */
  }
  bool by_shape = false;
  size_t row = 0;
  char *file = strdup(path), *inside = member != NULL ? strdup(member) : NULL;
  fovea_status status = file == NULL || (member != NULL && inside == NULL)
                            ? fovea_fail(FOVEA_NO_MEMORY, "no memory for the names of a data set's files")
                            : FOVEA_OK;
  if (status == FOVEA_OK) {
    by_shape = naming.what == FOVEA_WHAT_UNKNOWN;
    status = what_by_shape(&(fovea_array_place){kind, file, inside}, &naming.what, &row);
    if (status == FOVEA_INVALID && member != NULL) status = FOVEA_OK; /* an array of text, say */
  }
  if (status == FOVEA_OK && naming.what != FOVEA_WHAT_UNKNOWN) {
    status = add(all, (fovea_found_kind)kind, path, member, &naming);
    if (status == FOVEA_OK) all->list[all->count - 1].row = row, all->list[all->count - 1].by_shape = by_shape;
  }
  free(file);
  free(inside);
  return status;
}

/* Of two arrays that nothing but their shape tells apart, both with rows, the one with the shorter rows is one-hot:
 * arr_0 of images and arr_1 of labels. */
static void find_one_hot(fovea_candidate list[2]) {
  if (!list[0].by_shape || !list[1].by_shape || strcmp(list[0].set, list[1].set) != 0) return;
  if (list[0].what != FOVEA_WHAT_IMAGES || list[1].what != FOVEA_WHAT_IMAGES) return;
  const size_t a = list[0].row, b = list[1].row;
  if (b > 0 && (a == 0 || b < a)) list[1].what = FOVEA_WHAT_LABELS;
  if (a > 0 && (b == 0 || a < b)) list[0].what = FOVEA_WHAT_LABELS;
}

static fovea_status add_npz(fovea_candidates *all, const char *path) {
  fovea_names names = {0};
  fovea_status status = fovea_npz_list(path, &names);
  const size_t before = all->count;
  for (size_t i = 0; i < names.count && status == FOVEA_OK; i++)
    status = add_array(all, FOVEA_ARRAY_NPZ, path, names.name[i], names.count == 1);
  if (status == FOVEA_OK && all->count - before == 2) find_one_hot(all->list + before);
  if (status == FOVEA_OK && all->count == before)
    status =
        fovea_fail(FOVEA_INVALID, "'%s' holds no array of images or labels%s%s", path,
                   names.count > 0 ? "; its first array is " : ", nor any other", names.count > 0 ? names.name[0] : "");
  fovea_names_free(&names);
  return status;
}

static fovea_status add_safetensors(fovea_candidates *all, const char *path) {
  fovea_safetensors *file = NULL;
  fovea_status status = fovea_safetensors_open(path, &file);
  for (size_t i = 0; status == FOVEA_OK && i < fovea_safetensors_count(file); i++) {
    const fovea_safetensor *t = fovea_safetensors_get(file, i);
    fovea_naming naming = {0};
    fovea_naming_add(&naming, fovea_path_name(path));
    naming.what = FOVEA_WHAT_UNKNOWN;
    fovea_naming_add(&naming, t->name);
    if (naming.what != FOVEA_WHAT_UNKNOWN) status = add(all, FOVEA_FOUND_SAFETENSORS, path, t->name, &naming);
  }
  fovea_safetensors_close(file);
  return status;
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

/* A number of IDX: 00 00, a type, a rank; perhaps in gzip. */
static bool begins_as_idx(const char *path) {
  fovea_stream stream;
  uint8_t bytes[4] = {1, 1, 1, 1};
  size_t got = 0;
  if (fovea_stream_open(path, &stream) != FOVEA_OK) return false;
  const bool read = stream.read(stream.of, bytes, 4, &got) == FOVEA_OK && got == 4;
  stream.close(stream.of);
  return read && bytes[0] == 0 && bytes[1] == 0 && bytes[2] >= 8 && bytes[2] <= 14 && bytes[3] >= 1 && bytes[3] <= 4;
}

static bool is_cifar(const char *name, fovea_naming *naming) {
  int number;
  char after;
  const bool ten = sscanf(name, "data_batch_%d.bi%c", &number, &after) == 2 && ends(name, ".bin");
  const bool hundred = strcmp(name, "train.bin") == 0 || strcmp(name, "test.bin") == 0;
  if (!ten && !hundred && strcmp(name, "test_batch.bin") != 0) return false;
  *naming = (fovea_naming){.split = strncmp(name, "test", 4) == 0 ? FOVEA_SPLIT_TEST : FOVEA_SPLIT_TRAIN};
  snprintf(naming->set, sizeof naming->set, "%s", hundred ? "cifar-100" : "cifar-10");
  return true;
}

/* By its name, and where that leaves a doubt by its first bytes. */
static fovea_status sort_in(const char *path, fovea_candidates *all) {
  const char *name = fovea_path_name(path);
  fovea_naming naming = {0};
  fovea_naming_add(&naming, name);
  if (naming.foreign || fovea_kind_named_picture(name)) return FOVEA_OK;
  if (ends(name, ".npz")) return add_npz(all, path);
  if (ends(name, ".npy")) return add_array(all, FOVEA_ARRAY_NPY, path, NULL, true);
  if (ends(name, ".safetensors")) return add_safetensors(all, path);
  if (ends(name, ".csv") || ends(name, ".csv.gz"))
    return naming.split != FOVEA_SPLIT_NONE && fovea_csv_looks(path) ? add(all, FOVEA_FOUND_CSV, path, NULL, &naming)
                                                                     : FOVEA_OK;
  if (naming.what != FOVEA_WHAT_UNKNOWN &&
      (naming.idx > 0 || (naming.split != FOVEA_SPLIT_NONE && begins_as_idx(path))))
    return add(all, FOVEA_FOUND_IDX, path, NULL, &naming);
  if (is_cifar(name, &naming)) return add(all, FOVEA_FOUND_CIFAR, path, NULL, &naming);
  if (fovea_pack_is(path)) return add(all, FOVEA_FOUND_PACK, path, NULL, &(fovea_naming){.what = FOVEA_WHAT_IMAGES});
  return FOVEA_OK;
}

fovea_status fovea_candidates_in_folder(const char *dir, fovea_candidates *all) {
  fovea_names names = {0};
  fovea_status status = fovea_list_all(dir, &names);
  for (size_t i = 0; i < names.count && status == FOVEA_OK; i++) {
    struct stat about;
    char *path = fovea_path_join(dir, names.name[i]);
    if (path == NULL)
      status = fovea_fail(FOVEA_NO_MEMORY, "no memory to list the folder '%s'", dir);
    else if (fovea_kind_junk(names.name[i]) == NULL && stat(path, &about) == 0 && !S_ISDIR(about.st_mode))
      status = sort_in(path, all);
    free(path);
  }
  fovea_names_free(&names);
  return status;
}

fovea_status fovea_candidates_in_file(const char *path, fovea_candidates *all) {
  uint8_t bytes[FOVEA_FOREIGN_BYTES] = {0};
  fovea_naming naming = {0};
  const size_t size = fovea_first_bytes(path, bytes, sizeof bytes);
  if (fovea_pack_is(path)) return add(all, FOVEA_FOUND_PACK, path, NULL, &(fovea_naming){.what = FOVEA_WHAT_IMAGES});
  if (size >= 4 && memcmp(bytes, "PK\3\4", 4) == 0 && !ends(path, ".zip")) return add_npz(all, path);
  if (size >= 6 && memcmp(bytes, "\x93NUMPY", 6) == 0) return add_array(all, FOVEA_ARRAY_NPY, path, NULL, true);
  if (size >= 9 && bytes[8] == '{' && bytes[6] == 0 && bytes[7] == 0) return add_safetensors(all, path);
  if (is_cifar(fovea_path_name(path), &naming)) return add(all, FOVEA_FOUND_CIFAR, path, NULL, &naming);
  fovea_status status = fovea_foreign_check(path);
  if (status != FOVEA_OK) return status;
  if (begins_as_idx(path)) return add(all, FOVEA_FOUND_IDX, path, NULL, &(fovea_naming){.what = FOVEA_WHAT_IMAGES});
  if (fovea_csv_looks(path)) return add(all, FOVEA_FOUND_CSV, path, NULL, &naming);
  if (fovea_kind_picture(bytes, size) != NULL)
    return fovea_fail(FOVEA_INVALID, "'%s' is one picture: --data names the folder that holds them", path);
  return fovea_fail(FOVEA_INVALID,
                    "'%s' is no file of images that fovea reads: IDX, .npy, .npz, .safetensors, a table of pixels, "
                    "CIFAR's binary files, or what fovea pack writes",
                    path);
}
