/* The one list of ops, and of activations. What is not in it is unknown to the graph, the plan, both references, the
 * self-test, the programs that are compiled offline and the benchmark; what is in it they all know. Macros alone, so
 * that src/ref, which takes nothing else of the library, includes it too. src/README.md says how to add one. */
#ifndef FOVEA_GRAPH_OPS_H
#define FOVEA_GRAPH_OPS_H

/* X(name, NAME, flags): the builder is fovea_add_name, its file src/op/name.c, the kernels' cl/name.cl, the references'
 * functions ref_shape_name, ref_forward_name, ref_backward_name, canonical_forward_name and canonical_backward_name;
 * flags of graph/op.h. */
#define FOVEA_OPS(X)                                                                                        \
  X(input, INPUT, FOVEA_IS_SOURCE)                                                                          \
  X(conv2d, CONV2D, FOVEA_TAKES_ACTIVATION | FOVEA_IS_PRODUCT | FOVEA_READS_INPUT)                          \
  X(conv2d_transpose, CONV2D_TRANSPOSE, FOVEA_TAKES_ACTIVATION | FOVEA_IS_PRODUCT | FOVEA_READS_INPUT)      \
  X(dense, DENSE, FOVEA_MAKES_UNITS | FOVEA_IS_PRODUCT | FOVEA_READS_INPUT | FOVEA_SHARES_KERNELS)          \
  X(reshape, RESHAPE, FOVEA_IS_VIEW)                                                                        \
  X(batchnorm, BATCHNORM, FOVEA_TAKES_POINTWISE | FOVEA_NORMALIZES | FOVEA_KEEPS_UNITS | FOVEA_READS_INPUT) \
  X(dropout, DROPOUT,                                                                                       \
    FOVEA_IS_POINTWISE | FOVEA_TAKES_POINTWISE | FOVEA_KEEPS_UNITS | FOVEA_DRAWS | FOVEA_SHARES_KERNELS)    \
  X(activation, ACTIVATION, FOVEA_IS_POINTWISE | FOVEA_ACTIVATES | FOVEA_KEEPS_UNITS | FOVEA_READS_OUTPUT)  \
  X(spatial_attention, SPATIAL_ATTENTION, FOVEA_SCALES_PIXELS | FOVEA_READS_INPUT)                          \
  X(channel_attention, CHANNEL_ATTENTION, FOVEA_READS_INPUT)                                                \
  X(concat, CONCAT, FOVEA_CONCATENATES | FOVEA_SHARES_KERNELS)                                              \
  X(residual, RESIDUAL, 0)                                                                                  \
  X(reparameterize, REPARAMETERIZE, FOVEA_IS_SAMPLE | FOVEA_DRAWS | FOVEA_READS_INPUT)                      \
  X(sigmoid_bce, SIGMOID_BCE, FOVEA_IS_LOSS)

/* X(name, NAME, moves_zero, ulp): fovea_activation's FOVEA_NAME, in its order; the kernels' macro NAME of
 * cl/common/activation.clh with the same number; the references' REF_NAME. moves_zero: the activation of 0 is not 0, so
 * padding images need a mask after it (MOVES_ZERO there). ulp: the self-test measures it against double precision, and
 * holds it to so many units of the last place; 0: where it is one of the elementary functions that are measured anyway,
 * or loses relative exactness near 0, as e^x - 1 does. */
#define FOVEA_ACTIVATIONS(X) \
  X(linear, LINEAR, 0, 0)    \
  X(elu, ELU, 0, 0)          \
  X(relu, RELU, 0, 0)        \
  X(selu, SELU, 0, 0)        \
  X(sigmoid, SIGMOID, 1, 0)  \
  X(tanh, TANH, 0, 5)        \
  X(leaky_relu, LEAKY_RELU, 0, 2)

#endif
