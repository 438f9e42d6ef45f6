/* Augmentation: what happens at random to the images of a training step, on the device, before the network sees them.
 * Evaluations never have it. The target of a reconstruction loss is the augmented image.
 *
 * Off, all zeros, a network does what it does without. The numbers are drawn by Philox from the network's seed, the
 * image's number and the epoch (fovea_numbering), so that an image gets the same whatever batch it is in, on any
 * device, and in a run that is resumed. cl/augment.cl has the definition to the last bit. */
#ifndef FOVEA_AUGMENT_H
#define FOVEA_AUGMENT_H

#ifdef __cplusplus
extern "C" {
#endif

typedef enum fovea_flip { FOVEA_FLIP_NONE, FOVEA_FLIP_HORIZONTAL, FOVEA_FLIP_VERTICAL, FOVEA_FLIP_BOTH } fovea_flip;

/* What is where a shift moved nothing to: the nearest pixel of the image, or 0. */
typedef enum fovea_fill { FOVEA_FILL_EDGE, FOVEA_FILL_BLACK } fovea_fill;

/* In this order. All channels of an image alike; pixels are in [0, 1], the bytes / 255. */
typedef struct fovea_augmentation {
  int shift; /* moved by -shift to shift whole pixels, each as likely, down and to the right apart; 0 or more */
  fovea_fill fill;
  fovea_flip flip; /* mirrored with probability 1/2; by both: each of the two, so a quarter is turned by 180 degrees */
  int crop;        /* of the image with so many pixels of 0 around it a piece of the image's size, anywhere in it
                      (torchvision's RandomCrop with padding); shift + crop is below the shorter side */
  double contrast; /* 0 to 1: 1/2 + f (x - 1/2), f uniform in 1 - contrast to 1 + contrast */
  double brightness; /* 0 to 1: f x, f uniform in 1 - brightness to 1 + brightness; then clipped to [0, 1] */
} fovea_augmentation;

#ifdef __cplusplus
}
#endif
#endif
