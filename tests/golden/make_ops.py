#!/usr/bin/python3
"""Rewrites ops.txt: each op's forward and gradients in double precision by PyTorch's autograd, with Keras's padding.

An independent opinion on src/ref. The first line says what made it. A case is `case NAME OP INTEGERS...`, then `tensor
NAME COUNT` and its values for each tensor. Inputs are multiples of 1/16, so they are short, exact, and full of ties for
the maxima.

A case may also say itself what it is of, by lines between those, and then needs nothing here: write them at the end of
ops.txt and run this script.

    case NAME OP
    leaf NAME N C H W    for each tensor that the op reads; no value of it is 0
    asked NAME NUMBER    for each attribute of struct ref_asked that the op needs (an activation's is the case's name)
    torch EXPRESSION     of the leaves
"""
import contextlib
import io
import pathlib
import zlib

import golden
import torch
import torch.nn.functional as F
import torch_vae as vae

torch.manual_seed(768)
torch.set_default_dtype(torch.float64)


def draw(*shape):
    return (torch.randint(-32, 33, shape) / 16).requires_grad_()


def draw_nonzero(*shape):
    """No zeros: there SELU's gradient differs between frameworks."""
    return ((torch.randint(-32, 32, shape) + 0.5) / 16).requires_grad_()


def case(name, op, ints, inputs, y, extra=()):
    """inputs: dict of leaves; their gradients are written as d<name> for a drawn dy."""
    dy = draw(*y.shape).detach()
    y.backward(dy)
    print("case", name, op, *ints)
    tensors = {**inputs, "dy": dy, "y": y, **{"d" + k: v.grad for k, v in inputs.items()}, **dict(extra)}
    for key, t in tensors.items():
        values = [f"{v:.12g}" for v in t.detach().contiguous().flatten().tolist()]
        print("tensor", key, len(values))
        for i in range(0, len(values), 8):
            print(*values[i:i + 8])


def conv(name, n, c, h, w, k, r, s, bias, padding=-1):
    """Padding -1 is Keras's 'same', 0 its 'valid', others that many pixels on each side."""
    x, weight, b = draw(n, c, h, w), draw(k, c, r, r), draw(k) if bias else None
    inputs = {"x": x, "w": weight, **({"b": b} if bias else {})}
    y = vae.conv_same(x, weight, b, s) if padding < 0 else F.conv2d(x, weight, b, s, padding)
    case(name, "conv2d", (n, c, h, w, k, r, s, padding), inputs, y)


def transpose(name, n, c, h, w, k, r, s):
    """n, c, h, w: of y, as the convolution that it is the gradient of."""
    x, weight = draw(n, k, h // s, w // s), draw(k, c, r, r)
    case(name, "conv2d_transpose", (n, c, h, w, k, r, s), {"x": x, "w": weight}, vae.up_same(x, weight, s))


def batchnorm(name, training, n, c, h, w):
    x, net = draw(n, c, h, w), vae.BatchNorm(c).train(bool(training))
    with torch.no_grad():
        net.weight.copy_(draw(c)), net.bias.copy_(draw(c))
        net.running_mean.copy_(draw(c)), net.running_var.copy_(draw(c).abs() + 0.25)
    before = {"mean": net.running_mean.clone(), "var": net.running_var.clone()}
    y = net(x)
    after = {"new_mean": net.running_mean, "new_var": net.running_var}
    case(name, "batchnorm", (training, n, c, h * w), {"x": x, "gamma": net.weight, "beta": net.bias}, y,
         {**before, **after})


def attention(name, kind, n, c, h, w, ties=False):
    """ties: every channel (spatial) or every pixel (channel) is the same, so the maximum is shared by all."""
    x, net = draw(n, c, h, w), vae.Attention(kind, c)
    if ties:
        x.data[:] = x.data[:, :1] if kind == "spatial" else x.data[:, :, :1, :1]
    inputs = {"x": x}
    for key, p in net.named_parameters():
        p.data = draw(*p.shape).detach() / 4
        inputs[key.replace(".", "_")] = p
    hidden = max(c // 16, 1)
    case(name, kind + "_attention", (n, c, h, w, hidden), inputs, net(x))


def head(name, n, latent):
    mu, logvar, eps = draw(n, latent), draw(n, latent), draw(n, latent).detach()
    z = mu + torch.exp(0.5 * logvar) * eps
    case(name, "reparameterize", (n, latent), {"mu": mu, "logvar": logvar}, z, {"eps": eps})
    mu, logvar = draw(n, latent), draw(n, latent)
    case(name + "_kl", "kl", (n, latent), {"mu": mu, "logvar": logvar}, vae.kl(mu, logvar).reshape(1))


def losses():
    """The logits 20 and -20 are clipped: no gradient."""
    x, t = draw(40), torch.rand(40)
    x.data[:4] = torch.tensor([20.0, -20, 15, -15])
    t[4], t[5] = 0, 1
    case("bce", "sigmoid_bce", (40,), {"x": x}, vae.bce(torch.sigmoid(x), t).reshape(1), {"t": t})


def adam(name, steps, scale):
    p, g = draw(12), [draw(12).detach() * scale for _ in range(steps)]
    start, optimizer = p.detach().clone(), vae.Adam([p], 0.005, 0.0098)
    for step in g:
        p.grad = step.clone()
        optimizer.step()
    p.grad = None
    end = p.detach().clone()
    q = draw(1)
    case(name, "adam", (12, steps), {"x": q}, q * 1, {"g": torch.cat(g), "p": start, "new_p": end})


HERE = pathlib.Path(__file__).resolve().parent


def cases_by_expression():
    """The lines of those in ops.txt as it is: NAME, OP, what they are of, a list of words a line."""
    found = []
    for words in map(str.split, (HERE / "ops.txt").read_text().splitlines()):
        if words[0] == "case":
            name, op, lines = words[1], words[2], []
        if words[0] in ("leaf", "asked", "torch"):
            lines.append(words)
        if words[0] == "torch":
            found.append((name, op, lines))
    return found


def by_expression(name, op, lines):
    torch.manual_seed(zlib.crc32(name.encode()))  # whatever cases there are before
    leaves = {words[1]: draw_nonzero(*map(int, words[2:])) for words in lines if words[0] == "leaf"}
    y = eval(" ".join(lines[-1][1:]), {"torch": torch, "F": F}, leaves)
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        case(name, op, (), leaves, y)
    first, rest = text.getvalue().split("\n", 1)
    print(first, *(" ".join(words) for words in lines), rest, sep="\n", end="")


def write_all(old):
    golden.first_line("make_ops.py", torch=torch.__version__)
    for args in [("conv_1x1_image", 1, 2, 1, 1, 3, 3, 1, True), ("conv", 2, 3, 5, 4, 2, 3, 1, False),
                 ("conv_5x5", 2, 2, 6, 7, 1, 5, 1, True), ("conv_stride2_even", 2, 3, 6, 4, 2, 3, 2, False),
                 ("conv_stride2_odd", 1, 2, 7, 5, 3, 3, 2, False), ("conv_even_kernel", 1, 2, 5, 5, 2, 2, 1, True),
                 ("conv_stride3", 1, 2, 8, 7, 2, 3, 3, False)]:
        conv(*args)
    for args in [("transpose", 2, 2, 6, 8, 3, 3, 2), ("transpose_1_to_2", 1, 3, 2, 2, 2, 3, 2),
                 ("transpose_5x5", 1, 2, 6, 6, 2, 5, 2), ("transpose_stride1", 1, 2, 4, 5, 3, 3, 1)]:
        transpose(*args)
    x, w, b = draw(3, 5), draw(4, 5), draw(4)
    case("dense", "dense", (3, 5, 4), {"x": x, "w": w, "b": b}, F.linear(x, w, b))
    batchnorm("batchnorm_training", 1, 3, 4, 3, 2)
    batchnorm("batchnorm_dense", 1, 7, 3, 1, 1)
    batchnorm("batchnorm_inference", 0, 3, 4, 3, 2)
    attention("spatial", "spatial", 2, 5, 4, 3)
    attention("spatial_wide", "spatial", 1, 3, 7, 9)
    attention("channel", "channel", 3, 5, 3, 4)
    attention("channel_hidden2", "channel", 2, 35, 2, 2)
    for kind, (name, f) in enumerate([(k, vae.ACTIVATIONS[k]) for k in ("linear", "relu", "elu", "selu", "sigmoid")]):
        x = draw_nonzero(24)
        case(name, "activation", (kind, 24), {"x": x}, f(x))
    x, keep = draw(30), torch.randint(0, 2, (30,))
    case("dropout", "dropout", (30,), {"x": x}, x * keep / (1 - 0.2), {"keep": keep})
    head("head", 3, 2)
    losses()
    adam("adam", 3, 1)
    # Appended, so that the cases above keep their draws.
    for args in [("conv_valid", 2, 3, 6, 5, 2, 3, 1, True, 0), ("conv_valid_stride2", 1, 2, 7, 8, 3, 3, 2, False, 0),
                 ("conv_padded", 1, 2, 4, 5, 2, 3, 1, True, 2), ("conv_padded_stride2", 1, 2, 5, 6, 2, 5, 2, False, 1),
                 ("conv_stride2_1x1_kernel", 1, 3, 5, 4, 2, 1, 2, True),
                 ("conv_stride2_2x2_image", 3, 2, 2, 2, 2, 3, 2, False)]:
        conv(*args)
    transpose("transpose_even_kernel", 1, 2, 4, 6, 2, 2, 2)
    x, w = draw(2, 3), draw(5, 3)
    case("dense_no_bias", "dense", (2, 3, 5), {"x": x, "w": w}, F.linear(x, w))
    attention("spatial_all_tied", "spatial", 2, 3, 3, 2, True)
    attention("channel_all_tied", "channel", 2, 3, 2, 3, True)
    adam("adam_10_steps", 10, 1)
    adam("adam_small_gradients", 5, 2.0**-24)  # sqrt(v) near epsilon
    for args in old:
        by_expression(*args)


def main():
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        write_all(cases_by_expression())
    (HERE / "ops.txt").write_text(text.getvalue())


if __name__ == "__main__":
    main()
