/* Finds the parameter or tensor that first was NaN or infinite in a pass. */
#ifndef FOVEA_NET_NOT_FINITE_H
#define FOVEA_NET_NOT_FINITE_H

#include "net/network.h"

/* The loss log on the device (cl/losses.cl) begins with these words: the first training step whose loss was not finite;
 * the first whose Adam made a parameter or a moment that is not; and the same as Adam writes it, which the next step
 * copies to the second. From then on Adam changes nothing, so that the cause is still there when the losses are read.
 */
enum { FOVEA_TROUBLE_LOSS, FOVEA_TROUBLE_ADAM, FOVEA_TROUBLE_NOW, FOVEA_TROUBLE_WORDS };
#define FOVEA_NO_TROUBLE 0xffffffffu

typedef struct fovea_pass {
  bool training;
  uint32_t step; /* Philox's: the training step, or the batch of an evaluation */
  size_t images;
  float bce, kl;
} fovea_pass;

/* For a training step after which parameters or moments were not finite: FOVEA_MISMATCH with a sentence that names the
 * step and, where it can be found, the parameter, or the tensor with its op. `loss` NULL: not known. */
fovea_status fovea_report_gradient(fovea_network *network, uint32_t step, const fovea_pass *loss);

/* The same for a pass whose loss is not finite; its tensors are computed again. `before` is the training step before
 * it, NULL: not known. The pass's inputs are in the resources: its state words, and its images if `exact`, else those
 * of a later pass. */
fovea_status fovea_report_loss(fovea_network *network, const fovea_resources *resources, const fovea_pass *pass,
                               const fovea_pass *before, bool exact);

/* From now on no step has computed what is not finite. */
fovea_status fovea_forget_trouble(fovea_network *network);

#endif
