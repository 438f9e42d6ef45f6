"""Networks of one's own: a graph of operations, and a network made of it on a device."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._declarations import ffi
from ._device import Device, opened
from ._files import check_replaced
from ._images import Floats, Form, narrowed, to_bytes, to_floats
from ._library import Handle, InvalidError, check, fail, lib, path_bytes, text
from ._values import choice, integer, real, switch

VALUES = ("value", "gradient", "first_moment", "second_moment")


def activations() -> dict[str, int]:
    """The names of the library's activations."""
    names: dict[str, int] = {}
    while (name := lib.fovea_activation_name(len(names))) != ffi.NULL:
        names[text(name)] = len(names)
    return names


@dataclass(frozen=True)
class Losses:
    """Means over images, in nats; the cross-entropy is of a pixel and channel."""

    bce: float
    kl: float  #: unweighted
    total: float  #: bce + the KL weight * kl
    images: int

    @classmethod
    def _of(cls, losses: Any) -> Losses:
        return cls(losses.bce, losses.kl, losses.total, losses.images)


@dataclass(frozen=True)
class Tensor:
    """The output of one of a graph's operations."""

    graph: Graph
    number: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of one image."""
        dims = ffi.new("int[3]")
        with self.graph.use() as pointer:
            check(lib.fovea_tensor_shape(pointer, self.number, dims))
        return dims[0], dims[1], dims[2]

    def __repr__(self) -> str:
        return f"Tensor({self.number}, shape={self.shape})"


class Graph(Handle):
    """A network as a graph of operations, built layer by layer. Each method returns the layer's output and raises
    InvalidError at once for a shape or a parameter that cannot be; no network is made of the graph then. Names become
    those of parameters ("conv1" has "conv1.weight") and must be unique. A graph is frozen by the first network that is
    made of it."""

    def __init__(self) -> None:
        made = ffi.new("fovea_graph **")
        check(lib.fovea_graph_create(made))
        super().__init__("graph", made[0], lib.fovea_graph_destroy)

    @classmethod
    def _of(cls, pointer: Any) -> Graph:
        graph = cls.__new__(cls)
        Handle.__init__(graph, "graph", pointer, lib.fovea_graph_destroy)
        return graph

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Graph:
        """The graph of a network that was saved; not frozen, so that it can be added to."""
        made = ffi.new("fovea_graph **")
        check(lib.fovea_graph_load(path_bytes(path), made))
        return cls._of(made[0])

    def _add(self, function: Any, *arguments: Any) -> Tensor:
        numbers: list[Any] = []
        for argument in arguments:
            if isinstance(argument, Tensor):
                if argument.graph is not self:
                    raise InvalidError(f"{argument!r} is of another graph")
                numbers.append(argument.number)
            else:
                numbers.append(argument.encode() if isinstance(argument, str) else argument)
        with self.use() as pointer:
            # The first failure stays the graph's: it is looked at here, so that it can be told where it was made.
            number = function(pointer, *numbers)
            if number < 0:
                fail(lib.fovea_graph_check(pointer) or lib.FOVEA_INVALID)
        return Tensor(self, number)

    def input(self, channels: int, height: int, width: int) -> Tensor:
        """The images: 8-bit pixels become pixel / 255. Exactly one a graph."""
        return self._add(
            lib.fovea_add_input, integer("channels", channels), integer("height", height), integer("width", width)
        )

    def conv2d(
        self,
        x: Tensor,
        name: str,
        filters: int,
        *,
        kernel: int = 3,
        stride: int = 1,
        bias: bool = False,
        padding: int | None = None,
    ) -> Tensor:
        """Convolution (cross-correlation), of a kernel of 1, 3, ... 15 and a stride of 1 or 2; padding None is Keras's
        'same', else so many pixels on each side."""
        return self._add(lib.fovea_add_conv2d, x, name, _conv(filters, kernel, stride, bias, padding))

    def conv2d_transpose(
        self,
        x: Tensor,
        name: str,
        filters: int,
        *,
        kernel: int = 3,
        stride: int = 1,
        bias: bool = False,
        size: tuple[int, int] = (0, 0),
    ) -> Tensor:
        """The gradient of a 'same' convolution by its input; `size` is the result's height and width where the stride
        does not divide them, 0 the input's times the stride."""
        conv = _conv(filters, kernel, stride, bias, None)
        sides = integer("the height of size", size[0]), integer("the width of size", size[1])
        return self._add(lib.fovea_add_conv2d_transpose_sized, x, name, conv, *sides)

    def dense(self, x: Tensor, name: str, units: int, *, bias: bool = True) -> Tensor:
        """y = W x (+ b) on all of an image's values; the result is units x 1 x 1."""
        return self._add(lib.fovea_add_dense, x, name, integer("units", units), switch("bias", bias))

    def reshape(self, x: Tensor, channels: int, height: int, width: int) -> Tensor:
        """Keras's Reshape of units x 1 x 1, in the order (h, w, c)."""
        return self._add(
            lib.fovea_add_reshape,
            x,
            integer("channels", channels),
            integer("height", height),
            integer("width", width),
        )

    def batchnorm(self, x: Tensor, name: str, *, momentum: float = 0.99, epsilon: float = 1e-3) -> Tensor:
        """Batch normalization with Keras's details: moving = momentum * moving + (1 - momentum) * batch."""
        return self._add(lib.fovea_add_batchnorm, x, name, real("momentum", momentum), real("epsilon", epsilon))

    def dropout(self, x: Tensor, rate: float) -> Tensor:
        """Inverted dropout; the identity in evaluation."""
        return self._add(lib.fovea_add_dropout, x, real("rate", rate))

    def activation(self, x: Tensor, name: str) -> Tensor:
        """ "relu", "elu", "selu", "sigmoid", "tanh", "leaky_relu" (slope 0.3) or "linear"."""
        return self._add(lib.fovea_add_activation, x, choice("activation", name, activations()))

    def spatial_attention(self, x: Tensor, name: str) -> Tensor:
        """x * sigmoid(conv5x5([max, mean over channels]) + b)."""
        return self._add(lib.fovea_add_spatial_attention, x, name)

    def channel_attention(self, x: Tensor, name: str) -> Tensor:
        """x * sigmoid(mlp(mean over pixels) + mlp(max over pixels))."""
        return self._add(lib.fovea_add_channel_attention, x, name)

    def concat(self, a: Tensor, b: Tensor) -> Tensor:
        """Channels of a, then of b."""
        return self._add(lib.fovea_add_concat, a, b)

    def residual(self, a: Tensor, b: Tensor) -> Tensor:
        """a + b, of one shape."""
        return self._add(lib.fovea_add_residual, a, b)

    def reparameterize(self, mu: Tensor, logvar: Tensor, *, kl_weight: float = 0.001) -> Tensor:
        """z = mu + exp(logvar / 2) * eps, and the loss kl_weight * KL. At most one a graph."""
        return self._add(lib.fovea_add_reparameterize, mu, logvar, real("kl_weight", kl_weight))

    def sigmoid_bce(self, x: Tensor) -> Tensor:
        """p = sigmoid(x) and the loss: cross-entropy of p against the input images. The last node of a trained graph;
        its value is the reconstruction p."""
        return self._add(lib.fovea_add_sigmoid_bce, x)

    def keep(self, x: Tensor) -> Tensor:
        """x is to be read after an evaluation (Network.read). Always kept are the last tensor, mu, logvar and z."""
        if x.graph is not self:
            raise InvalidError(f"{x!r} is of another graph")
        with self.use() as pointer:
            check(lib.fovea_graph_keep(pointer, x.number))
        return x

    def network(
        self, *, batch: int = 64, seed: int = 768, training: bool = True, device: Device | str | int | None = None
    ) -> Network:
        """The graph made ready on a device; parameters get their initial values, from the seed."""
        return Network(self, batch=batch, seed=seed, training=training, device=device)


def _conv(filters: int, kernel: int, stride: int, bias: bool, padding: int | None) -> Any:
    sides = {"filters": filters, "kernel": kernel, "stride": stride, "padding": 0 if padding is None else padding}
    numbers = {name: integer(name, side) for name, side in sides.items()}
    return ffi.new("fovea_conv2d *", {**numbers, "bias": switch("bias", bias), "same": padding is None})


@dataclass(frozen=True)
class Parameter:
    """A network's parameter, in PyTorch's axis order."""

    name: str
    shape: tuple[int, ...]
    trainable: bool  #: False: a moving statistic
    index: int


class Network(Handle):
    """A graph on a device. Images are arrays as VAE.fit takes them, with the same layout and value_range; a step takes
    at most `batch` of them."""

    def __init__(
        self,
        graph: Graph,
        *,
        batch: int = 64,
        seed: int = 768,
        training: bool = True,
        device: Device | str | int | None = None,
    ) -> None:
        options = {
            "batch": integer("batch", batch),
            "seed": integer("seed", seed, 0, 2**64 - 1),
            "training": switch("training", training),
        }
        on = opened(device)
        made = ffi.new("fovea_network **")
        with on.use() as device_pointer, graph.use() as graph_pointer:
            check(
                lib.fovea_network_create(
                    device_pointer, graph_pointer, ffi.new("fovea_network_options *", options), made
                )
            )
        self._set(graph, on, made[0])

    def _set(self, graph: Graph, device: Device, pointer: Any) -> None:
        Handle.__init__(self, "network", pointer, lib.fovea_network_destroy, device, graph)
        self.graph = graph
        self.device = device
        self.output = Tensor(graph, lib.fovea_network_output(pointer))
        self.shape = Tensor(graph, lib.fovea_network_input(pointer)).shape
        self.batch = int(lib.fovea_network_get_options(pointer).batch)

    @classmethod
    def load(
        cls, path: str | os.PathLike[str], *, training: bool | None = None, device: Device | str | int | None = None
    ) -> Network:
        """A network as it was saved, with its graph: the same bits in every output and every further step. `training`
        None: as it was saved."""
        network = cls.__new__(cls)
        on = opened(device)
        graph, made = ffi.new("fovea_graph **"), ffi.new("fovea_network **")
        given = {} if training is None else {"training": switch("training", training)}
        options = ffi.new("fovea_network_options *", given) if given else ffi.NULL
        with on.use() as pointer:
            check(lib.fovea_network_load(pointer, path_bytes(path), options, graph, made))
        network._set(Graph._of(graph[0]), on, made[0])
        return network

    def save(self, path: str | os.PathLike[str]) -> None:
        """Replaces `path` by a safetensors file of graph, parameters and optimizer. A file that is there and is no
        network's is refused."""
        check_replaced(path, "graph", "network of one's own")
        with self.use() as pointer:
            check(lib.fovea_network_save(pointer, path_bytes(path)))

    def tensor(self, number: int) -> Tensor:
        """The tensor of this number, of a graph that was loaded."""
        return Tensor(self.graph, integer("the tensor's number", number))

    def _bytes(self, images: object, layout: str, value_range: tuple[float, float] | None) -> Any:
        form = Form(layout, None, value_range)
        form.check()
        pixels = to_bytes(images, form)
        if pixels.shape[1:] != self.shape:
            raise ValueError(f"images of {pixels.shape[1:]} (channels, height, width), the network takes {self.shape}")
        return pixels

    def train_step(
        self,
        images: object,
        lr: float | None = None,
        *,
        learning_rate: float | None = None,
        layout: str = "NHWC",
        value_range: tuple[float, float] | None = None,
    ) -> None:
        """Forward, backward and Adam on 1 to batch images, with the learning rate lr, 0.001 unless given; learning_rate
        is its older name. The step is only enqueued: losses() waits for it."""
        if lr is not None and learning_rate is not None:
            raise TypeError("lr and learning_rate are one parameter; give lr")
        rate = real("lr", next((given for given in (lr, learning_rate) if given is not None), 0.001))
        pixels = self._bytes(images, layout, value_range)
        with self.use() as pointer:
            check(lib.fovea_network_train_step(pointer, _data(pixels), ffi.NULL, len(pixels), rate))

    def evaluate(
        self,
        images: object,
        noise_step: int = 0,
        *,
        layout: str = "NHWC",
        value_range: tuple[float, float] | None = None,
    ) -> None:
        """An evaluation of 1 to batch images, without dropout and by moving statistics. `noise_step`: which samples z
        has, the number of the batch in its set."""
        step = integer("noise_step", noise_step, 0, 2**32 - 1)
        pixels = self._bytes(images, layout, value_range)
        with self.use() as pointer:
            check(lib.fovea_network_evaluate(pointer, _data(pixels), ffi.NULL, len(pixels), step))

    def losses(self) -> Losses:
        """Means over the images of all steps and evaluations since the last call. MismatchError, naming the first step
        and parameter, where one was NaN or infinite."""
        found = ffi.new("fovea_losses *")
        with self.use() as pointer:
            check(lib.fovea_network_losses(pointer, found))
        return Losses._of(found)

    def read(self, x: Tensor, count: int) -> Floats:
        """A kept tensor of the last evaluation: count x channels x height x width."""
        if x.graph is not self.graph:
            raise InvalidError(f"{x!r} is of another graph")
        out = np.empty((integer("count", count, 1), *x.shape), np.float32)
        with self.use() as pointer:
            check(lib.fovea_network_read(pointer, x.number, count, _floats(out)))
        return out

    def evaluate_from(self, x: Tensor, values: object) -> None:
        """The part of an evaluation after the kept tensor x, from values of it (z, to decode codes)."""
        if x.graph is not self.graph:
            raise InvalidError(f"{x!r} is of another graph")
        array = narrowed(values, "values")
        rows = to_floats(array.reshape(len(array), -1), int(np.prod(x.shape)), "values")
        with self.use() as pointer:
            check(lib.fovea_network_evaluate_from(pointer, x.number, _floats(rows), len(rows)))

    @property
    def parameters(self) -> dict[str, Parameter]:
        """All parameters by their names, in the order of the graph."""
        with self.use() as pointer:
            return {p.name: p for p in _parameters(pointer)}

    def _parameter(self, name: str) -> Parameter:
        parameters = self.parameters
        if name not in parameters:
            raise InvalidError(f"no parameter is called {name!r}; there are {', '.join(parameters)}")
        return parameters[name]

    def get(self, name: str, which: str = "value") -> Floats:
        """A parameter, or of a trainable one its "gradient", or Adam's "first_moment" or "second_moment"."""
        parameter, kind = self._parameter(name), choice("which", which, VALUES)
        out = np.empty(parameter.shape, np.float32)
        with self.use() as pointer:
            check(lib.fovea_network_get(pointer, parameter.index, kind, _floats(out)))
        return out

    def set(self, name: str, values: object, which: str = "value") -> None:
        """Sets what get() reads; values of the same shape."""
        parameter, kind = self._parameter(name), choice("which", which, VALUES)
        array = np.ascontiguousarray(narrowed(values, "values"))
        if array.shape != parameter.shape:
            raise InvalidError(f"{name} is of shape {parameter.shape}, not {array.shape}")
        with self.use() as pointer:
            check(lib.fovea_network_set(pointer, parameter.index, kind, _floats(array)))

    @property
    def step(self) -> int:
        """Training steps since the parameters were made; Adam's t is one more."""
        with self.use() as pointer:
            return int(lib.fovea_network_get_step(pointer))

    @step.setter
    def step(self, step: int) -> None:
        with self.use() as pointer:
            check(lib.fovea_network_set_step(pointer, integer("step", step, 0, 2**32 - 1)))

    @property
    def memory(self) -> int:
        """Bytes of device memory."""
        with self.use() as pointer:
            return int(lib.fovea_network_memory(pointer))


def _parameters(pointer: Any) -> list[Parameter]:
    found = []
    for index in range(lib.fovea_network_parameter_count(pointer)):
        p = lib.fovea_network_parameter(pointer, index)
        found.append(Parameter(text(p.name), tuple(p.dims[0 : p.rank]), bool(p.trainable), index))
    return found


def _data(pixels: Any) -> Any:
    return ffi.from_buffer("uint8_t[]", pixels)


def _floats(array: Any) -> Any:
    return ffi.from_buffer("float[]", array)
