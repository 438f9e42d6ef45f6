/* Kernels with a fault put into their text: how a miscompiled one, or another device, is emulated. */
#ifndef FOVEA_TESTS_SUPPORT_KERNELS_H
#define FOVEA_TESTS_SUPPORT_KERNELS_H

typedef struct kernel_edit {
  const char *file; /* of cl/; FILE>COPY: the changed text is a new file, COPY */
  const char *old;  /* the first of this text in it */
  const char *new;  /* takes its place */
} kernel_edit;

/* A new folder for FOVEA_CL_DIR with the changed files, removed at exit. Edits up to `most`, or the first without a
 * file. Fails the test where an edit's text is not found. */
const char *kernels_changed(const kernel_edit *edits, int most);

#endif
