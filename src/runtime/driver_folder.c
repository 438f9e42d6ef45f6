/* The cache's files have hashes, and the folder is private, so that no half-written or damaged file of another process
 * is ever run. The cache of PoCL 3.1 has no hashes: 3 of 40 flipped bits in its kernels gave wrong numbers silently. */
#define _XOPEN_SOURCE 700 /* nftw */
#include "runtime/driver_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/environment.h"
#include "base/file.h"
#include "runtime/cache.h"
#include "runtime/driver_watch.h"

/* PoCL has 1024 characters for a path, of which its own names take some 200. */
enum { PLACES = 4, CACHE = PLACES - 1 }; /* where it may be: see place() */
enum { MOST_PATH = 600, MOST_LOG = 16 << 20, OLD = 3600 /* seconds */ };
static const uint64_t room = 128 << 20; /* a training network's kernels take 5 to 20 MB */

static const char nowhere[] = "/dev/null/no-folder";

static struct {
  bool made, by_user;
  char path[MOST_PATH], kernels[MOST_PATH + 16], refusals[2048], note[1024];
  int log; /* locked as long as the process lives */
  pid_t owner;
} folder = {.log = -1};

/* --- what dead processes left --------------------------------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *about, int type, struct FTW *level) {
  (void)about;
  (void)type;
  (void)level;
  (void)remove(path);
  return 0;
}

static void remove_tree(const char *path) { (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS); }

static bool is_old(const char *path) {
  struct stat about;
  return lstat(path, &about) == 0 && about.st_mtime + OLD < time(NULL);
}

/* Returns how many it was. */
static int set_aside(const char *path) {
  char aside[MOST_PATH * 2];
  const int n = snprintf(aside, sizeof aside, "%s.set-aside", path);
  if (n < 0 || (size_t)n >= sizeof aside || rename(path, aside) != 0) return 0;
  return 1;
}

static bool ends_in(const char *name, const char *end) {
  const size_t length = strlen(name), n = strlen(end);
  return length > n && strcmp(name + length - n, end) == 0;
}

/* Whether a file was set aside there within the hour, or, if `all`, how many files now are: each of the cache's. */
static int look_in_cache(const char *directory, bool all) {
  struct dirent **names = NULL;
  struct stat about;
  char path[MOST_PATH * 2];
  int found = 0;
  const int count = scandir(directory, &names, NULL, NULL);
  for (int i = 0; i < count; i++) {
    const int n = snprintf(path, sizeof path, "%s/%s", directory, names[i]->d_name);
    const bool fits = n > 0 && (size_t)n < sizeof path;
    if (all && fits && ends_in(path, ".bin")) found += set_aside(path);
    if (!all && fits && ends_in(path, ".set-aside") && lstat(path, &about) == 0)
      found += about.st_ctime + OLD > time(NULL);
    free(names[i]);
  }
  free(names);
  return found;
}

/* What a process that died had read; after a second death within an hour, what it was about to read as well. */
static int set_all_aside(char *log) {
  char *rest = NULL, directory[MOST_PATH * 2] = "";
  int count = 0;
  bool again = false;
  for (char *line = strtok_r(log, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
    if (strncmp(line, "reading ", 8) != 0) continue;
    if (!directory[0]) {
      const char *end = strrchr(line, '/');
      if (end) snprintf(directory, sizeof directory, "%.*s", (int)(end - line - 8), line + 8);
      again = look_in_cache(directory, false) > 0;
    }
    count += set_aside(line + 8);
  }
  return again ? count + look_in_cache(directory, true) : count;
}

/* A log has "reading PATH" and "read" for each file that the driver was given, and ends with "died" or "excused" where
 * the process could still write that. The files that a killed process had read (Ctrl-C, out of memory) are not suspect,
 * since they have hashes; the one that it was about to read may have killed it. */
static int judge(char *log) {
  char *died = strstr(log, "died\n");
  if (strstr(log, "excused\n")) return 0;
  if (died) *died = '\0';
  size_t end = strlen(log);
  if (end > 0) log[--end] = '\0';
  char *last = strrchr(log, '\n');
  last = last ? last + 1 : log;
  if (strncmp(last, "reading ", 8) == 0) return set_aside(last + 8);
  return died ? set_all_aside(log) : 0;
}

static void note(int count) {
  char where[MOST_PATH] = "";
  if (count == 0) return;
  (void)fovea_cache_directory(where, sizeof where);
  snprintf(folder.note, sizeof folder.note,
           "a process died in the OpenCL driver: %d of the cache's files, which may be why, are set aside as "
           "%s/*.set-aside, and their kernels compiled anew",
           count, where);
}

/* One process's folder: gone with its marks, unless it lives. */
static void sweep_one(const char *base, const char *name) {
  char path[MOST_PATH + 300], log[MOST_PATH + 310];
  uint8_t *text = NULL;
  size_t size = 0;
  snprintf(path, sizeof path, "%s/%s", base, name);
  snprintf(log, sizeof log, "%s/log", path);
  const int file = open(log, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
  if (file < 0) {
    if (is_old(path)) remove_tree(path);
    return;
  }
  if (flock(file, LOCK_EX | LOCK_NB) == 0) {
    if (fovea_file_read(log, MOST_LOG, &text, &size) == FOVEA_OK) note(judge((char *)text));
    free(text);
    remove_tree(path);
  }
  close(file);
}

static void sweep_unfinished(const char *base, const char *name) {
  char path[MOST_PATH + 300];
  snprintf(path, sizeof path, "%s/%s", base, name);
  if (is_old(path)) remove_tree(path);
}

static void sweep(const char *base) {
  struct dirent **names = NULL;
  const int count = scandir(base, &names, NULL, NULL);
  for (int i = 0; i < count; i++) {
    if (strncmp(names[i]->d_name, "run-", 4) == 0) sweep_one(base, names[i]->d_name);
    if (strncmp(names[i]->d_name, "new-", 4) == 0) sweep_unfinished(base, names[i]->d_name);
    free(names[i]);
  }
  free(names);
}

/* --- this process's folder ------------------------------------------------------------------------------------ */

static void refuse(const char *base, const char *why) {
  const size_t used = strlen(folder.refusals);
  snprintf(folder.refusals + used, sizeof folder.refusals - used, "%s%s: %s", used ? "; " : "", base, why);
}

/* Makes the folder that holds the processes' folders; only this user may write there, since what lies in it is run. */
static bool make_base(int i, const char *base) {
  struct stat about;
  char cache[MOST_PATH];
  if (i == CACHE && fovea_cache_directory(cache, sizeof cache) && fovea_directory_create(cache) != FOVEA_OK)
    return refuse(cache, strerror(errno)), false;
  if (mkdir(base, 0700) != 0 && errno != EEXIST) return refuse(base, strerror(errno)), false;
  if (lstat(base, &about) != 0) return refuse(base, strerror(errno)), false;
  if (!S_ISDIR(about.st_mode) || about.st_uid != geteuid()) return refuse(base, "it is somebody else's"), false;
  if ((about.st_mode & 077) != 0 && chmod(base, 0700) != 0) return refuse(base, strerror(errno)), false;
  return true;
}

static bool has_room(const char *base) {
  struct statvfs about;
  if (statvfs(base, &about) != 0 || about.f_blocks == 0) return true; /* it does not say */
  return (uint64_t)about.f_bavail * about.f_frsize >= room;
}

/* A file system may forbid to run what lies on it, as that of /dev/shm in containers. */
static bool may_run(const char *path) {
  static const char page[4096];
  char probe[MOST_PATH + 16];
  snprintf(probe, sizeof probe, "%s/probe", path);
  const int file = open(probe, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return false;
  errno = ENOSPC; /* after a short write */
  void *code = MAP_FAILED;
  if (write(file, page, sizeof page) == (ssize_t)sizeof page)
    code = mmap(NULL, sizeof page, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0);
  const int reason = errno;
  if (code != MAP_FAILED) munmap(code, sizeof page);
  close(file);
  unlink(probe);
  errno = reason;
  return code != MAP_FAILED;
}

/* The log is locked before the folder has the name by which a sweep finds it. */
static bool make_in(const char *base) {
  char path[MOST_PATH], log[MOST_PATH + 8];
  const int n = snprintf(path, sizeof path, "%s/new-%ld-XXXXXX", base, (long)getpid());
  if (n < 0 || (size_t)n >= sizeof path) return refuse(base, "the name is too long"), false;
  if (!mkdtemp(path)) return refuse(base, strerror(errno)), false;
  snprintf(log, sizeof log, "%s/log", path);
  snprintf(folder.path, sizeof folder.path, "%s", path);
  memcpy(folder.path + strlen(base) + 1, "run", 3);
  const int file = open(log, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (file >= 0 && flock(file, LOCK_EX | LOCK_NB) == 0 && may_run(path) && rename(path, folder.path) == 0) {
    folder.log = file;
    return true;
  }
  refuse(base, strerror(errno));
  if (file >= 0) close(file);
  remove_tree(path);
  folder.path[0] = '\0';
  return false;
}

/* In memory where possible, since PoCL syncs each of its 200 files: a training network's kernels are read in 0.1 s, and
 * on a busy disk in 3 s. The cache's folder comes last: it may be deleted at any time, and be on a network. */
static bool place(int i, char base[MOST_PATH]) {
  const char *temporary = fovea_environment("TMPDIR");
  const unsigned long user = (unsigned long)geteuid();
  int n = -1;
  if (i == 0) n = snprintf(base, MOST_PATH, "/dev/shm/fovea-%lu", user);
  if (i == 1 && temporary && temporary[0] == '/') n = snprintf(base, MOST_PATH, "%s/fovea-%lu", temporary, user);
  if (i == 2) n = snprintf(base, MOST_PATH, "/tmp/fovea-%lu", user);
  char cache[MOST_PATH];
  if (i == CACHE && fovea_cache_directory(cache, sizeof cache)) n = snprintf(base, MOST_PATH, "%s/driver", cache);
  return n > 0 && n < MOST_PATH;
}

/* Where the driver is at work it may be what called exit(): then the folder is left for the next process, which reads
 * its log. */
static void remove_ours(void) {
  if (getpid() == folder.owner && !fovea_driver_doing()) remove_tree(folder.path);
}

static bool is_ours(const char *base) {
  struct stat about;
  return lstat(base, &about) == 0 && S_ISDIR(about.st_mode) && about.st_uid == geteuid();
}

/* First where there is room, then where there is any. */
static bool make_anywhere(void) {
  char base[MOST_PATH];
  for (int i = 0; i < PLACES; i++)
    if (place(i, base) && is_ours(base)) sweep(base);
  for (int i = 0; i < 2 * PLACES; i++) {
    if (i == PLACES) folder.refusals[0] = '\0';
    if (!place(i % PLACES, base) || !make_base(i % PLACES, base)) continue;
    if ((i >= PLACES || has_room(base)) && make_in(base)) return true;
  }
  return false;
}

void fovea_driver_folder_make(void) {
  if (folder.made) return;
  folder.made = true;
  folder.by_user = fovea_environment("POCL_CACHE_DIR") != NULL;
  if (folder.by_user) return;
  snprintf(folder.kernels, sizeof folder.kernels, "%s", nowhere);
  if (!make_anywhere()) return;
  folder.refusals[0] = '\0';
  snprintf(folder.kernels, sizeof folder.kernels, "%s/kernels", folder.path);
  folder.owner = getpid();
  (void)atexit(remove_ours);
}

void fovea_driver_folder_offer(void) {
  if (folder.made && !folder.by_user) (void)setenv("POCL_CACHE_DIR", folder.kernels, 1);
}

void fovea_driver_folder_withdraw(void) {
  if (folder.made && !folder.by_user) (void)unsetenv("POCL_CACHE_DIR");
}

const char *fovea_driver_folder(void) { return folder.path; }

const char *fovea_driver_folder_refusals(void) {
  const char *users = folder.by_user ? fovea_environment("POCL_CACHE_DIR") : NULL;
  if (users && fovea_folder_is_full(users))
    snprintf(folder.refusals, sizeof folder.refusals, "no file can be written in POCL_CACHE_DIR, %.1000s", users);
  return folder.refusals;
}

bool fovea_driver_folder_used(void) {
  struct dirent **names = NULL;
  struct stat about;
  bool used = false;
  char path[MOST_PATH + 300];
  const int count = folder.path[0] ? scandir(folder.kernels, &names, NULL, NULL) : 0;
  for (int i = 0; i < count; i++) {
    snprintf(path, sizeof path, "%s/%s", folder.kernels, names[i]->d_name);
    used |= names[i]->d_name[0] != '.' && lstat(path, &about) == 0 && S_ISDIR(about.st_mode);
    free(names[i]);
  }
  free(names);
  return used;
}

/* --- marks ---------------------------------------------------------------------------------------------------- */

static void mark(const char *text) {
  if (folder.log >= 0) (void)!write(folder.log, text, strlen(text));
}

bool fovea_driver_folder_reading(const char *path) {
  char line[MOST_PATH * 2];
  const int n = snprintf(line, sizeof line, "reading %s\n", path);
  if (n < 0 || (size_t)n >= sizeof line) return false;
  mark(line);
  return true;
}

void fovea_driver_folder_read(void) { mark("read\n"); }

void fovea_driver_folder_died(bool by_the_code) { mark(by_the_code ? "died\n" : "excused\n"); }

const char *fovea_driver_folder_note(void) {
  static bool said;
  const bool say = folder.note[0] && !said;
  said |= say;
  return say ? folder.note : NULL;
}
