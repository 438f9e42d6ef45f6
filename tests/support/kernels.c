#include "support/kernels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "support/tempdir.h"

static size_t read_text(const char *path, char *text, size_t size) {
  FILE *f = fopen(path, "rb");
  if (!f) return 0;
  const size_t n = fread(text, 1, size - 1, f);
  text[n] = '\0';
  fclose(f);
  return n;
}

const char *kernels_changed(const kernel_edit *edits, int most) {
  static char text[1 << 16], changed[1 << 16], folder[512];
  static int folders;
  char name[256], path[512], from[256];
  snprintf(name, sizeof name, "kernels-%d", folders++);
  snprintf(folder, sizeof folder, "%s", temp_path(name));
  for (int i = 0; i < most && edits[i].file; i++) {
    const char *copy = strchr(edits[i].file, '>'), *to = copy ? copy + 1 : edits[i].file;
    snprintf(from, sizeof from, "%s", edits[i].file);
    from[strcspn(from, ">")] = '\0';
    if (strchr(to, '/')) { /* "common/math.clh" */
      snprintf(name, sizeof name, "kernels-%d", folders - 1);
      mkdir(temp_path(name), 0700);
      snprintf(name, sizeof name, "kernels-%d/common", folders - 1);
      mkdir(temp_path(name), 0700);
    }
    snprintf(path, sizeof path, "%s/cl/%s", FOVEA_SOURCE_DIR, from);
    snprintf(name, sizeof name, "kernels-%d/%s", folders - 1, to);
    if (!read_text(temp_path(name), text, sizeof text) && !read_text(path, text, sizeof text))
      fail_msg("no kernel file %s", path);
    char *at = strstr(text, edits[i].old);
    if (!at) fail_msg("%s has no '%s'", edits[i].file, edits[i].old);
    const int size =
        snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - text), text, edits[i].new, at + strlen(edits[i].old));
    temp_file(name, changed, (size_t)size);
  }
  return folder;
}
