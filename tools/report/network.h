/* What a run's network shows of itself: its layers, and on a device its walk, codes, reconstructions and attention. */
#ifndef FOVEA_TOOLS_REPORT_NETWORK_H
#define FOVEA_TOOLS_REPORT_NETWORK_H

#include "fovea/vae.h"
#include "report/page.h"
#include "report/sprite.h"
#include "train/run.h"

/* A run that a page is made of. */
typedef struct network_run {
  const char *checkpoint;
  const char *data;              /* the images, or NULL: not known */
  const char *device;            /* NULL: the fastest */
  bool data_asked, device_asked; /* given by name: what cannot be had is an error, and not only missing from the page */
  const run_options *options;
  int dims[3];
  const char *test_hash; /* as the configuration has it, or NULL */
  sprite_source images;
} network_run;

/* All of it, under `network`, `layers`, `walk`, `images`, `attention` of the page. What cannot be shown is missing
 * there. FOVEA_NO_MEMORY, and as above. */
fovea_status network_show(page *p, const network_run *run);

/* --- layers.c: needs no device ------------------------------------------------------------------------------------ */
void layers_show(page *p, const fovea_graph *graph);

/* --- codes.c: a sample of the test images, as the network sees them ------------------------------------------------
 */
typedef struct codes {
  size_t count;
  uint8_t *pixels;          /* count x image size */
  float *reconstructions;   /* the same, from the mean of each code */
  float *mu, *logvar;       /* count x latent */
  double *bce, *excess;     /* cross-entropy of each, a value; and how far above the image's own entropy it is */
  uint16_t *labels;         /* or NULL */
  fovea_data_report *about; /* borrowed from the set: the classes' names; or NULL */
} codes;

/* Fills *c, to be freed by codes_free, also on failure. */
fovea_status codes_make(fovea_vae *vae, const fovea_dataset *set, codes *c);
void codes_free(codes *c);
fovea_status codes_show(page *p, const codes *c, const fovea_vae *vae, const sprite_source *images);

/* `most` of them at most, a fair sample of the classes: places in *places, which the caller frees. FOVEA_NO_MEMORY. */
fovea_status codes_choose(const codes *c, size_t most, uint32_t **places, size_t *count);

/* --- attention.c ----------------------------------------------------------------------------------------------------
 */

/* Before the network is made: what the maps are computed from is to be kept. */
fovea_status attention_keep(fovea_graph *graph);
fovea_status attention_show(page *p, fovea_vae *vae, const codes *c, const sprite_source *images);

#endif
