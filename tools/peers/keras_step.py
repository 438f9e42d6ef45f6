#!/usr/bin/env python3
"""The seed network in Keras 3 on TensorFlow, timed: a peer of `fovea bench`. compare.py runs it beside Fovea.

The images are floats in tensors before the clock starts. A training step is forward, loss, backward and Adam, and ends
when the loss is on the host; inference is the forward pass of evaluation mode, the sampling of z included.
Variants: `function`, the step as one tf.function; `xla`, that compiled by XLA; `batch`, Keras's own train_on_batch and
predict_on_batch. Needs tensorflow-cpu, which brings keras and numpy.
"""
import os

os.environ.update(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1")
import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

import passes

KL = 1e-3


class Sample(layers.Layer):
    """z from mu and logvar, in evaluation too; adds the KL divergence to the loss."""

    def call(self, inputs):
        mu, logvar = inputs
        self.add_loss(-0.5 * KL * ops.mean(ops.sum(1 + logvar - mu * mu - ops.exp(logvar), -1)))
        return mu + ops.exp(logvar / 2) * keras.random.normal(ops.shape(mu))


def conv(x, filters):
    return layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)


def dense(x, units):
    return layers.ReLU()(layers.BatchNormalization()(layers.Dense(units, use_bias=False)(x)))


def block(x, units):
    y = conv(x, units)
    pooled = layers.Concatenate()([ops.max(y, -1, keepdims=True), ops.mean(y, -1, keepdims=True)])
    y = layers.Multiply()([y, layers.Conv2D(1, 5, padding="same", activation="sigmoid")(pooled)])
    y = layers.Dropout(0.2)(layers.BatchNormalization()(y))
    return layers.Concatenate()([x, layers.ReLU()(y)])


def coder(x, units, depth, up, last):
    x = layers.ReLU()(conv(x, units[0]))
    kind = layers.Conv2DTranspose if up else layers.Conv2D
    for u in units[1:-1]:
        for _ in range(depth):
            x = block(x, u)
        x = kind(u, 3, strides=2, padding="same", use_bias=False)(x)
    return layers.Activation("sigmoid" if up else "relu")(layers.BatchNormalization()(conv(x, last)))


def vae(units=(35, 25, 15, 5), depth=3, latent=2):
    image = keras.Input((28, 28, 1))
    code = coder(image, units, depth, False, units[-1])
    x = dense(dense(layers.Flatten()(code), 49 * units[-1]), latent)
    z = Sample()([layers.Dense(latent)(x), layers.Dense(latent)(x)])
    x = layers.Reshape((7, 7, units[-1]))(dense(dense(z, latent), 49 * units[-1]))
    return keras.Model(image, coder(x, units[::-1], depth, True, 1))


def loss_of(net, images, training):
    y = net(images, training=training)
    return y, ops.mean(keras.losses.binary_crossentropy(images, y)) + sum(net.losses)


def training(net, o):
    adam = keras.optimizers.Adam(0.005, epsilon=1e-7)
    if o.variant == "batch":
        net.compile(adam, "binary_crossentropy")
        return lambda images: float(net.train_on_batch(images, images))
    adam.build(net.trainable_variables)

    @tf.function(jit_compile=o.variant == "xla")
    def step(images):
        with tf.GradientTape() as tape:
            _, loss = loss_of(net, images, True)
        adam.apply(tape.gradient(loss, [v.value for v in net.trainable_variables]), net.trainable_variables)
        return loss

    return lambda images: float(step(images))


def inference(net, o):
    if o.variant == "batch":
        return lambda images: float(net.predict_on_batch(images)[0, 0, 0, 0])

    @tf.function(jit_compile=o.variant == "xla")
    def run(images):
        return net(images, training=False)

    return lambda images: float(run(images)[0, 0, 0, 0])


def main():
    o = passes.options(__doc__, ["function", "xla", "batch"]).parse_args()
    keras.utils.set_random_seed(768)
    tf.config.threading.set_intra_op_parallelism_threads(o.threads)
    tf.config.threading.set_inter_op_parallelism_threads(o.threads)
    batches = list(passes.images_of(o)[..., None])
    if o.variant != "batch":
        batches = [tf.constant(b) for b in batches]
    net = vae()
    result = {"version": f"{keras.__version__} on TensorFlow {tf.__version__}", "variant": o.variant, "batch": o.batch,
              "parameters": sum(int(np.prod(v.shape)) for v in net.trainable_variables)}
    for mode, make in (("training", training), ("inference", inference)):
        if o.inference and mode == "training":
            continue
        result[mode] = passes.measure(make(net, o), batches, o)
    passes.report(f"keras {result['version']}", result, o)


if __name__ == "__main__":
    main()
