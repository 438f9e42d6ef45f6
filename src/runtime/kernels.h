/* The kernel sources, embedded by cl/embed.cmake. */
#ifndef FOVEA_RUNTIME_KERNELS_H
#define FOVEA_RUNTIME_KERNELS_H

typedef struct fovea_kernel_file {
  const char *name; /* "conv2d.cl" */
  const char *text;
} fovea_kernel_file;

extern const fovea_kernel_file fovea_kernel_files[]; /* ended by a NULL name */

#endif
