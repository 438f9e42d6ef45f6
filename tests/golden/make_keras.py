#!/usr/bin/env python3
"""Writes keras.txt: the original network (DESIGN.md, section 4) in Keras itself, with its layers, its losses, its Adam.

    python3 -m venv VENV && VENV/bin/pip install tensorflow-cpu
    VENV/bin/python make_keras.py > keras.txt

Written with Keras 3 on TensorFlow, in double precision, and again in single, some times, for the noise (see
golden.py). Initial weights, images, their order and the samples are Fovea's (philox.py); the sample's noise is an input
of the model, and dropout is off, since Keras draws its masks itself. test_keras.c checks the device against: codes and
reconstructions (of z = mu) in evaluation mode before training; loss, gradients and moving statistics of the first step;
losses of 20 steps and what they leave behind. The learning rate is a tenth or a hundredth of the usual one:
test_training.c says why.
"""
import argparse
import os
import sys

os.environ.update(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1")

import golden  # noqa: E402
import keras  # noqa: E402
import numpy as np  # noqa: E402
import philox  # noqa: E402
import tensorflow as tf  # noqa: E402
from keras import layers, ops  # noqa: E402

STEPS, LR, MIN_LR, EPOCHS = 20, 0.005, 0.0001, 25
DECAY = 2 * (LR - MIN_LR) / EPOCHS
CASES = {  # as in test_keras.c
    "original": dict(units=[35, 25, 15, 5], depth=3, latent=2, activation="elu", attention=True, batchnorm=True,
                     shape=(1, 16, 16), batch=6, images=16, seed=768, kl=0.001, lr=LR / 100),
    "colour": dict(units=[9, 7, 5, 3], depth=2, latent=3, activation="selu", attention=True, batchnorm=True,
                   shape=(3, 12, 8), batch=21, images=113, seed=99, kl=0.01, lr=LR / 10),
    "plain": dict(units=[9, 7, 3], depth=2, latent=2, activation="elu", attention=False, batchnorm=False,
                  shape=(1, 10, 6), batch=16, images=64, seed=5 << 32 | 7, kl=0.001, lr=LR / 10),
}


class Network:
    """The model, and its layers by the checkpoint's names in the order of their use."""

    def __init__(self, o):
        self.o, self.layers = o, {}
        c, h, w = o.shape
        image, eps = keras.Input((h, w, c)), keras.Input((o.latent,))
        code = self.coder("encoder", image, o.units, o.units[-1], "relu")
        m = code.shape[1] * code.shape[2] * code.shape[3]
        x = self.dense(2, self.dense(1, layers.Flatten()(code), m), o.latent)
        mu = self.add("bottleneck.mu", layers.Dense(o.latent))(x)
        logvar = self.add("bottleneck.logvar", layers.Dense(o.latent))(x)
        z = mu + ops.exp(logvar / 2) * eps
        x = self.dense(4, self.dense(3, z, o.latent), m)
        y = self.coder("decoder", layers.Reshape(code.shape[1:])(x), o.units[::-1], c, "sigmoid")
        self.model = keras.Model([image, eps], [y, mu, logvar])

    def add(self, name, layer):
        self.layers[name] = layer
        return layer

    def conv(self, name, x, filters):
        return self.add(name, layers.Conv2D(filters, 3, padding="same", use_bias=False))(x)

    def norm(self, name, x):
        return self.add(name, layers.BatchNormalization())(x)

    def dense(self, i, x, units):
        x = self.add(f"bottleneck.dense{i}", layers.Dense(units, use_bias=False))(x)
        return layers.Activation("relu")(self.norm(f"bottleneck.bn{i}", x))

    def block(self, name, j, x, units):
        y = self.conv(f"{name}.conv{j}", x, units)
        if self.o.attention:
            pooled = layers.Concatenate()([ops.max(y, -1, keepdims=True), ops.mean(y, -1, keepdims=True)])
            conv = self.add(f"{name}.attention{j}.spatial", layers.Conv2D(1, 5, padding="same", activation="sigmoid"))
            y = layers.Multiply()([y, conv(pooled)])
        if self.o.batchnorm:
            y = self.norm(f"{name}.bn{j}", y)
        return layers.Concatenate()([x, layers.Activation(self.o.activation)(y)])

    def coder(self, name, x, units, filters, activation):
        x = layers.Activation("relu")(self.conv(name + ".conv_in", x, units[0]))
        for i, u in enumerate(units[1:-1], 1):
            for j in range(1, self.o.depth + 1):
                x = self.block(f"{name}.block{i}", j, x, u)
            kind = layers.Conv2D if name == "encoder" else layers.Conv2DTranspose
            step = name + (".down" if name == "encoder" else ".up") + str(i)
            x = self.add(step, kind(u, 3, strides=2, padding="same", use_bias=False))(x)
        return layers.Activation(activation)(self.norm(name + ".bn_out", self.conv(name + ".conv_out", x, filters)))

    def variables(self, trainable):
        """(name, variable) in the network's order."""
        names = {"kernel": "weight", "bias": "bias", "gamma": "weight", "beta": "bias", "moving_mean": "running_mean",
                 "moving_variance": "running_var"}
        for name, layer in self.layers.items():
            for v in layer.trainable_variables if trainable else layer.non_trainable_variables:
                yield f"{name}.{names[v.name]}", v


def to_file(a):
    """The checkpoint's axes: (k, k, in, out), and a transposed convolution's (k, k, out, in), with the last two first
    and exchanged."""
    a = np.asarray(a)
    return a.transpose(3, 2, 0, 1) if a.ndim == 4 else a.T


def from_file(a):
    return a.transpose(2, 3, 1, 0) if a.ndim == 4 else a.T


def images_of(net, batch):
    return tf.constant(net.o.pixels[batch].transpose(0, 2, 3, 1) / 255, keras.config.floatx())


def evaluation(net):
    """Of the first batch of images."""
    x = images_of(net, range(net.o.batch))
    y, mu, logvar = net.model([x, tf.zeros((net.o.batch, net.o.latent), x.dtype)], training=False)
    return {"mu": mu, "logvar": logvar, "reconstruction": np.asarray(y).transpose(0, 3, 1, 2)}


def step(net, optimizer, number, batch):
    """One step of training: losses and gradients."""
    x = images_of(net, batch)
    eps = tf.constant(philox.normal(len(batch), net.o.latent, 1, number, net.o.seed), x.dtype)
    variables = net.model.trainable_variables
    with tf.GradientTape() as tape:
        y, mu, logvar = net.model([x, eps], training=True)
        bce = ops.mean(keras.losses.binary_crossentropy(x, y))
        kl = -0.5 * ops.mean(ops.sum(1 + logvar - ops.square(mu) - ops.exp(logvar), -1))
        total = bce + net.o.kl * kl
    gradients = tape.gradient(total, [v.value for v in variables])
    optimizer.apply(gradients, variables)
    by_path = {v.path: g for v, g in zip(variables, gradients)}
    return [float(v) for v in (bce, kl, total)], {n: to_file(by_path[v.path]) for n, v in net.variables(True)}


def run(o, precision, draw=0):
    """Everything that the golden holds, as (kind, name, array)."""
    keras.backend.clear_session()
    keras.config.set_floatx(precision)
    keras.config.set_dtype_policy(precision)
    net = Network(o)
    for i, (_, v) in enumerate(net.variables(True)):
        if len(v.shape) > 1:
            v.assign(from_file(golden.initial(philox.glorot(to_file(v).shape, i, o.seed), draw)))
    out = [("evaluation", *item) for item in evaluation(net).items()]
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.InverseTimeDecay(o.lr, 1, DECAY))
    epoch, order = 0, []
    for number in range(STEPS):
        if not order:
            order, epoch = philox.order(o.images, o.seed, epoch), epoch + 1
        batch, order = order[:o.batch], order[o.batch:]
        losses, gradients = step(net, optimizer, number, batch)
        out.append(("loss", "", losses))
        print(precision, "step", number, losses, file=sys.stderr)
        if number == 0:
            out += [("gradient", *item) for item in gradients.items()]
            out += [("moving", n, np.asarray(v)) for n, v in net.variables(False)]
    out += [("tensor", n, to_file(v)) for trainable in (True, False) for n, v in net.variables(trainable)]
    return out


def main():
    golden.first_line("make_keras.py", keras=keras.__version__, tensorflow=tf.__version__, numpy=np.__version__)
    for name, case in CASES.items():
        o = argparse.Namespace(**case, pixels=philox.images(case["images"], *case["shape"], case["seed"]))
        print("case", name)
        singles = [run(o, "float32", draw) for draw in range(golden.DRAWS)]
        for (kind, key, value), *others in zip(run(o, "float64"), *singles):
            values = [other[2] for other in others]
            if kind == "loss":
                golden.losses(value, values)
            else:
                golden.tensor(kind, key, value, values)


if __name__ == "__main__":
    main()
