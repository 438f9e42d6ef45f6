/* Where a pass first computed what is not finite. */
#ifndef FOVEA_NET_NOT_FINITE_H
#define FOVEA_NET_NOT_FINITE_H

#include "net/network.h"

/* The log on the device (cl/losses.cl) begins with these words: the first training step whose loss was not finite; the
 * first whose Adam made a parameter or a moment that is not; the same as Adam writes it, for the next step to take over
 * from there. From then on Adam changes nothing, so that what is to be found is still there when the losses are read.
 */
enum { FOVEA_TROUBLE_LOSS, FOVEA_TROUBLE_ADAM, FOVEA_TROUBLE_NOW, FOVEA_TROUBLE_WORDS };
#define FOVEA_NO_TROUBLE 0xffffffffu

typedef struct fovea_pass {
  bool training;
  uint32_t step; /* Philox's: the training step, or the batch of an evaluation */
  size_t images;
  float bce, kl;
} fovea_pass;

/* FOVEA_MISMATCH with a sentence that names the pass and, where it can be found, the parameter or the tensor with its
 * op: of a training step after which parameters or moments were not finite; `loss`, NULL: not known. */
fovea_status fovea_report_gradient(fovea_network *network, uint32_t step, const fovea_pass *loss);

/* Of a pass whose loss is not finite. `before`, NULL: not known, is the training step before. What the pass was given
 * is in resources: its state, and its images if `exact`, else those of a later pass. Its tensors are computed anew. */
fovea_status fovea_report_loss(fovea_network *network, const fovea_resources *resources, const fovea_pass *pass,
                               const fovea_pass *before, bool exact);

#endif
