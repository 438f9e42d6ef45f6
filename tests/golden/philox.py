"""Fovea's random numbers and the test images in numpy: what a third party needs to repeat a training.

Philox4x32-10 (Salmon, Moraes, Dror, Shaw, SC 2011); the key is the seed, low word first. Each use has its own counters,
given with its function and in the C source beside which it stands: cl/common/activation.clh (masks), cl/reparameterize.cl
(samples), src/net/parameters.c (initial weights), src/data/shuffle.c (order), fovea/data.h (the fair sample). Integers only where bits matter, so every
function gives what the C code gives.
"""
import math

import numpy as np

INITIAL_WEIGHTS = 0x40000000
EVALUATION = 0x80000000
SHUFFLE = 0x53485546
IMAGES = 0x494D4147
SAMPLE = 0x53414D50


def philox(c0, c1, c2, c3, seed):
    """Four arrays of words for counters that broadcast."""
    mask, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    c = [x.copy() for x in np.broadcast_arrays(*(np.asarray(x, np.uint64) for x in (c0, c1, c2, c3)))]
    k0, k1 = seed & 0xFFFFFFFF, seed >> 32
    for _ in range(10):
        p0, p1 = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [(p1 >> half) ^ c[1] ^ np.uint64(k0), p1 & mask, (p0 >> half) ^ c[3] ^ np.uint64(k1), p0 & mask]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return c


def fair_sample(labels, count):
    """Places, ascending, of `count` of the images with these labels: as fovea_dataset_sample, in include/fovea/data.h."""
    labels = np.asarray(labels)
    if count >= len(labels):
        return np.arange(len(labels))
    there = np.bincount(labels, minlength=256)
    quota, remainder = count * there // len(labels), count * there % len(labels)
    quota[np.argsort(-remainder, kind="stable")[:count - quota.sum()]] += 1
    for label in np.flatnonzero((there > 0) & (quota == 0)) if count >= np.count_nonzero(there) else ():
        quota[np.argmax(quota)] -= 1
        quota[label] = 1
    w = philox(np.arange(len(labels)), 0, SAMPLE, 0, 0)
    order = np.lexsort((w[1] << np.uint64(32) | w[0], labels))
    starts = np.cumsum(there) - there
    return np.sort(np.concatenate([order[s:s + q] for s, q in zip(starts, quota)]))


def kept(n, c, h, w, rate, op, step, seed):
    """Dropout's mask, bool [n][c][h][w]: word p % 4 of {n, c ceil(HW / 4) + p / 4, op, step} >= rate 2^32."""
    quads = (h * w + 3) // 4
    words = philox(np.arange(n)[:, None], np.arange(c * quads)[None], op, step, seed)
    words = np.stack(words, -1).reshape(n, c, 4 * quads)[:, :, :h * w]
    return (words >= np.uint64(round(rate * 2**32))).reshape(n, c, h, w)


def normal(n, latent, op, step, seed):
    """Samples [n][latent]: Box and Muller's, of words 0 and 1 of {n, j, op, step}."""
    w = philox(np.arange(n)[:, None], np.arange(latent)[None], op, step, seed)
    u1 = ((w[0] >> np.uint64(9)).astype(float) + 0.5) * 2.0**-23
    u2 = (w[1] >> np.uint64(9)).astype(float) * 2.0**-23
    return np.sqrt(-2 * np.log(u1)) * np.cos(2 * math.pi * u2)


def glorot(shape, index, seed):
    """Initial weights of trainable parameter `index` (from 0, in the order of the network's layers), axes as in the
    checkpoint (out, in, ...): float32 like the library's, word i % 4 of {i / 4, 0, INITIAL_WEIGHTS + index, 0}."""
    count, field = math.prod(shape), math.prod(shape[2:])
    words = philox(np.arange((count + 3) // 4), 0, INITIAL_WEIGHTS + index, 0, seed)
    words = np.stack(words, -1).reshape(-1)[:count]
    u = (words >> np.uint64(8)).astype(np.float32) * np.float32(2.0**-24)
    limit = np.sqrt(np.float32(6.0 / ((shape[0] + shape[1]) * field)))
    return (limit * (np.float32(2) * u - np.float32(1))).reshape(shape)


def order(count, seed, epoch):
    """The images of an epoch: Fisher and Yates's shuffle with words 0 and 1 of {i, 0, SHUFFLE, epoch}."""
    low, high = philox(np.arange(count), 0, SHUFFLE, epoch, seed)[:2]
    out = list(range(count))
    for i in range(count - 1, 0, -1):
        j = ((int(high[i]) << 32 | int(low[i])) * (i + 1)) >> 64
        out[i], out[j] = out[j], out[i]
    return out


def images(count, channels, height, width, seed):
    """Test images, bytes [count][channels][height][width]: three round blobs each, in eighths of a pixel.
    golden.h makes the same. Blob b of image n is of words {n, b, 0, IMAGES}: row, column, radius and a strength a
    channel; it adds strength (r^2 - d^2) / r^2, rounded down, inside its radius; the sum stops at 255."""
    blobs = 3
    w = philox(np.arange(count)[:, None], np.arange(blobs)[None], 0, IMAGES, seed)
    row, column, bits = (w[i].astype(np.int64)[:, :, None, None, None] for i in (0, 1, 3))
    row, column = row % (8 * height), column % (8 * width)
    radius = w[2].astype(np.int64)[:, :, None, None, None] % (2 * min(height, width)) + 2 * min(height, width)
    strength = 64 + (bits >> (8 * np.arange(channels)[:, None, None])) % 192
    y, x = 8 * np.arange(height)[:, None], 8 * np.arange(width)
    inside = np.maximum(radius**2 - (y - row)**2 - (x - column)**2, 0)
    return np.minimum((strength * inside // radius**2).sum(1), 255).astype(np.uint8)
