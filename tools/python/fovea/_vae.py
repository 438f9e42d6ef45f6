"""The variational autoencoder as an estimator of scikit-learn's kind, without needing scikit-learn."""

from __future__ import annotations

import inspect
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Union

import numpy as np

from ._device import Device, opened
from ._graph import Losses
from ._images import Bytes, Floats, Form, ImageShape, to_bytes, to_floats
from ._library import InvalidError, check, lib, path_bytes
from ._model import LARGEST_SEED, OFF, UNITS, Model, c_config, hash_of, read_config, read_texts
from ._values import integer, real, several, switch

CHECKPOINT = "checkpoint.safetensors"
# The estimator's parameters that a run's checkpoint has: all but those that say how arrays are read, and the device.
SETTINGS = (
    *("arch", "depth", "latent", "activation", "attention", "batchnorm", "dropout", "kl", "bn_momentum"),
    *("epochs", "batch", "lr", "min_lr", "seed"),
)
PLACES = ("channels", "height", "width")
# An epoch's numbers, as a checkpoint has them.
LOSSES = ("epoch", "loss", "bce", "kl", "val_loss", "val_bce", "val_kl")
# What else a run's settings may have, which is no setting of the training but says of what images it is.
ABOUT = ("train_images", "test_images", "train_hash", "test_hash", "init_hash", "images")


@dataclass(frozen=True)
class Progress:
    """What a callback is told: every eighth step, and at the end of an epoch."""

    model: VAE
    epoch: int  #: of those that are to be trained, from 1
    epochs: int
    images: int  #: done of this epoch
    total: int  #: images of an epoch
    losses: Losses  #: of this epoch so far
    validation: Losses | None  #: at the end of an epoch, where images for it were given
    done: bool  #: the epoch


Callback = Callable[[Progress], Union[bool, None]]


class NotFittedError(ValueError, AttributeError):
    """A model that was neither fitted nor loaded; scikit-learn's own class, too, where that is in use."""


def _not_fitted() -> Exception:
    message = "This VAE instance is not fitted yet. Call 'fit' with images, or load a checkpoint by VAE.load"
    theirs = sys.modules.get("sklearn.exceptions")
    if theirs is None:
        return NotFittedError(message)
    error: Exception = type("NotFittedError", (NotFittedError, theirs.NotFittedError), {})(message)
    return error


def _feature_names(images: object) -> list[str] | None:
    """The columns of a data frame."""
    columns = getattr(images, "columns", None)
    names = list(columns) if columns is not None and hasattr(images, "dtypes") else []
    return names if names and all(isinstance(name, str) for name in names) else None


class VAE:
    """A convolutional variational autoencoder with attention, trained as `fovea train` does: the same settings, images
    and seed give the same bytes.

    The first group of parameters has the names and defaults of the command's options, which `fovea train --help`
    explains; a switch is True or False, or the command's "on" or "off". The others:

    device: a fovea.Device to share, or what opens one of the model's own: an index, "cpu", "gpu", part of a name; None
        is the fastest GPU, else the CPU.
    layout: "NHWC" or "NCHW", of arrays with four dimensions. Three are always N x H x W, gray.
    image_shape: what a row of an array of two dimensions is: (height, width), three sides in the order of `layout`, or
        "row", one row of pixels. None refuses such arrays.
    value_range: (black, white) of arrays of other types than uint8, which is taken as it is; None: 0 to 1 of floats, 0
        to 255 of integers. Networks have 8-bit images: numbers are rounded to the nearest of 256 steps. Numbers
        outside, NaN and infinities are refused. Images that come back are float32 in the same range, of floats.

    Attributes of a fitted model: image_shape_ (channels, height, width), n_features_in_, and history_, a dict an epoch:
    the losses of training, and as val_... of the validation's images.
    """

    _model: Model | None = None
    _train_images: int
    _about: dict[str, Any]
    _run: str = ""
    _rank: int
    history_: list[dict[str, float]]
    image_shape_: tuple[int, int, int]
    n_features_in_: int

    def __init__(
        self,
        *,
        arch: Iterable[int] = (35, 25, 15, 5),
        depth: int = 3,
        latent: int = 2,
        activation: str = "relu",
        attention: str = "spatial",
        batchnorm: bool = True,
        dropout: float = 0.2,
        kl: float = 0.001,
        bn_momentum: float = 0.99,
        kernel: int = 3,
        shift: int = 0,
        fill: str = "edge",
        flip: str = "none",
        crop: int = 0,
        contrast: float = 0.0,
        brightness: float = 0.0,
        epochs: int = 25,
        batch: int = 64,
        lr: float = 0.005,
        min_lr: float = 0.0001,
        seed: int = 768,
        device: Device | str | int | None = None,
        layout: str = "NHWC",
        image_shape: ImageShape = None,
        value_range: tuple[float, float] | None = None,
    ) -> None:
        self.arch = arch
        self.depth = depth
        self.latent = latent
        self.activation = activation
        self.attention = attention
        self.batchnorm = batchnorm
        self.dropout = dropout
        self.kl = kl
        self.bn_momentum = bn_momentum
        self.kernel = kernel
        self.shift = shift
        self.fill = fill
        self.flip = flip
        self.crop = crop
        self.contrast = contrast
        self.brightness = brightness
        self.epochs = epochs
        self.batch = batch
        self.lr = lr
        self.min_lr = min_lr
        self.seed = seed
        self.device = device
        self.layout = layout
        self.image_shape = image_shape
        self.value_range = value_range

    # --- scikit-learn's conventions ----------------------------------------------------------------------------------

    @classmethod
    def _names(cls) -> list[str]:
        return [name for name in inspect.signature(cls.__init__).parameters if name != "self"]

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters by their names."""
        return {name: getattr(self, name) for name in self._names()}

    def set_params(self, **params: Any) -> VAE:
        """Sets parameters, which the next fit takes; refuses names that are none."""
        for name, value in params.items():
            if name not in self._names():
                raise ValueError(f"Invalid parameter {name!r} for estimator VAE. Valid are {', '.join(self._names())}")
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        defaults = inspect.signature(type(self).__init__).parameters
        changed = {k: v for k, v in self.get_params().items() if v is not defaults[k].default}
        shown = ", ".join(f"{k}={v!r}" for k, v in changed.items() if not _equal(v, defaults[k].default))
        return f"{type(self).__name__}({shown})"

    def __sklearn_is_fitted__(self) -> bool:
        return self._model is not None

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import InputTags, Tags, TargetTags, TransformerTags  # noqa: PLC0415

        return Tags(
            estimator_type="transformer",
            target_tags=TargetTags(required=False),
            transformer_tags=TransformerTags(preserves_dtype=["float32"]),
            input_tags=InputTags(two_d_array=self.image_shape is not None, three_d_array=True),
            requires_fit=True,
            non_deterministic=False,
        )

    def get_feature_names_out(self, input_features: object = None) -> Any:
        """The names of a code's numbers: vae0, vae1, ..."""
        return np.asarray([f"vae{i}" for i in range(self._fitted().latent)], dtype=object)

    # --- training ----------------------------------------------------------------------------------------------------

    def _form(self) -> Form:
        form = Form(self.layout, self.image_shape, self.value_range)
        form.check()
        return form

    def _config(self, dims: tuple[int, int, int], images: int, validation: int) -> dict[str, Any]:
        """The settings as config.json has them."""
        settings = {name: getattr(self, name) for name in SETTINGS}
        settings["arch"] = sorted(
            (integer("a number of arch", units) for units in several("arch", self.arch, UNITS)), reverse=True
        )
        for name in ("depth", "latent", "batch", "epochs"):
            settings[name] = integer(name, settings[name])
        settings["seed"] = integer("seed", settings["seed"], 0, LARGEST_SEED)
        if not 1 <= settings["epochs"] <= 1_000_000:
            raise InvalidError(f"epochs is {self.epochs}, expected 1 to 1000000")
        for name in ("dropout", "kl", "bn_momentum", "lr", "min_lr"):
            settings[name] = real(name, settings[name])
        if not 0 <= settings["min_lr"] <= settings["lr"]:
            raise InvalidError(f"min_lr {self.min_lr} and lr {self.lr}: expected 0 <= min_lr <= lr, for the rate falls")
        settings["batchnorm"] = switch("batchnorm", settings["batchnorm"])
        off = {name: getattr(self, name) for name in OFF}
        for name, usual in OFF.items():
            if isinstance(usual, float):
                off[name] = real(name, off[name])
            elif isinstance(usual, int):
                off[name] = integer(name, off[name])
        if off["shift"] == 0:
            off["fill"] = OFF["fill"]  # which changes nothing then
        changed = {name: value for name, value in off.items() if value != OFF[name]}
        places = dict(zip(PLACES, dims))
        return {**settings, **changed, "train_images": images, "test_images": validation, **places}

    def fit(
        self,
        X: Any,
        y: object = None,
        *,
        validation: Any = None,
        callbacks: Callback | Iterable[Callback] = (),
        resume: bool = False,
    ) -> VAE:
        """Trains on the images X; `y` is not looked at but for `resume`.

        validation: images whose losses are evaluated after every epoch, as the command evaluates its test images; or
            (images, classes), which resuming a run whose test images have classes needs.
        callbacks: one or several, each called with a Progress; one that returns False stops there.
        resume: goes on with a model that was stopped, interrupted or loaded before its last epoch, to the same bytes as
            if nothing had happened; the settings and the images must be the same, by their hash. That of a run of
            `fovea train` on images with classes has these, too: they are given as `y`. Without, all begins anew.

        KeyboardInterrupt, and whatever a callback raises, comes through after at most 8 more steps, and the model can
        be used, saved and trained on as it then is.
        """
        form = self._form()
        pixels = to_bytes(X, form)
        held_images, held_classes = validation if isinstance(validation, tuple) else (validation, None)
        held_out = None if held_images is None else to_bytes(held_images, form)
        dims = (pixels.shape[1], pixels.shape[2], pixels.shape[3])
        config = self._config(dims, len(pixels), 0 if held_out is None else len(held_out))
        if held_out is not None and held_out.shape[1:] != dims:
            raise ValueError(f"validation images are {held_out.shape[1:]} (channels, height, width), X has {dims}")
        told = _functions(callbacks)
        if switch("resume", resume):
            self._check_resumed(config)
            self._check_images("train_hash", "training", pixels, y)
            if held_out is not None:
                self._check_images("test_hash", "validation", held_out, held_classes)
        else:
            check(lib.fovea_vae_check(c_config(config)))
            config["train_hash"] = hash_of(pixels)
            self._begin(Model(opened(self.device), config), config, np.asarray(X).ndim, _feature_names(X))
        self._train(pixels, held_out, config, told)
        return self

    def _begin(self, model: Model, config: Mapping[str, Any], rank: int, names: list[str] | None = None) -> None:
        self._model = model
        self._trained = {name: config[name] for name in SETTINGS}
        self._trained.update({name: config[name] for name in OFF if name in config})
        self._about = {name: config[name] for name in ABOUT if name in config}
        self._train_images = config["train_images"]
        self._rank = rank
        self.image_shape_ = model.dims
        self.n_features_in_ = int(np.prod(model.dims))
        self._run = ""
        self.history_ = []
        self.__dict__.pop("feature_names_in_", None)
        if names is not None:
            self.feature_names_in_ = np.asarray(names, dtype=object)

    def _check_resumed(self, config: Mapping[str, Any]) -> None:
        model = self._fitted()
        was, now = {**OFF, **self._trained}, {**OFF, **config}
        for name in (*SETTINGS, *OFF):
            if now[name] != was[name]:
                raise InvalidError(f"{name} was {was[name]!r} when training began and is {now[name]!r} now")
        found = (config["channels"], config["height"], config["width"])
        if found != model.dims:
            raise InvalidError(f"the model was trained on images of {model.dims}, X has {found}")
        if config["train_images"] != self._train_images:
            raise InvalidError(f"the model was trained on {self._train_images} images, X has {config['train_images']}")

    def _check_images(self, key: str, kind: str, pixels: Bytes, y: object) -> None:
        """The same images in the same order, where their hash is known; of a run's, with the labels that y has."""
        was, now = self._about.get(key), hash_of(pixels)
        labels = None if y is None else np.asarray(y)
        if was is None or was == now:
            return
        classes = labels is not None and labels.shape == pixels.shape[:1] and labels.dtype.kind in "iu"
        if labels is not None and classes and labels.min() >= 0 and labels.max() <= 65535:
            now = hash_of(pixels, np.ascontiguousarray(labels, np.uint16))
        if was != now:
            where = "y" if kind == "training" else "validation=(images, classes)"
            raise InvalidError(
                f"the content of the {kind} images and labels was {was} when it began and is {now} now; resume with "
                f"the same images in the same order, and where a run's data have classes, give their numbers as {where}"
            )

    def _train(
        self, pixels: Bytes, held_out: Bytes | None, config: Mapping[str, Any], callbacks: list[Callback]
    ) -> None:
        model = self._fitted()
        epochs, total = int(config["epochs"]), len(pixels)

        def tell(images: int, losses: Losses, validation: Losses | None = None, done: bool = False) -> bool:
            epoch = model.epoch + (0 if done else 1)
            seen = Progress(self, epoch, epochs, images, total, losses, validation, done)
            return all([callback(seen) is not False for callback in callbacks])

        while model.epoch < epochs:
            stopped = False

            def during(images: int, losses: Losses) -> bool:
                nonlocal stopped
                if images < total:
                    stopped = not tell(images, losses)
                return not stopped

            losses = model.train_epoch(pixels, epochs, (config["lr"], config["min_lr"]), during)
            if losses is None:
                return
            validation = None if held_out is None else model.evaluate(held_out)
            self.history_.append(_row(model.epoch, losses, validation))
            if not tell(total, losses, validation, True):
                return

    def _fitted(self) -> Model:
        if self._model is None:
            raise _not_fitted()
        return self._model

    @property
    def epochs_done_(self) -> int:
        """Epochs that are complete."""
        return self._fitted().epoch

    @property
    def parameter_count_(self) -> int:
        """Trainable parameters."""
        return self._fitted().parameters

    # --- using -------------------------------------------------------------------------------------------------------

    def _pixels(self, X: Any) -> Bytes:
        model = self._fitted()
        self._check_columns(X)
        pixels = to_bytes(X, self._form())
        if pixels.shape[1:] != model.dims:
            raise ValueError(f"X has images of {pixels.shape[1:]} (channels, height, width), the model {model.dims}")
        return pixels

    def _check_columns(self, X: Any) -> None:
        """A table's columns must be those of fit."""
        shape = () if hasattr(X, "toarray") else np.asarray(X).shape
        if len(shape) == 2 and self.image_shape is not None and shape[1] != self.n_features_in_:
            raise ValueError(
                f"X has {shape[1]} features, but {type(self).__name__} is expecting {self.n_features_in_} features as "
                "input"
            )

    def encode(self, X: Any) -> Floats:
        """The codes' means mu, N x latent: a function of each image alone."""
        return self._fitted().encode(self._pixels(X))

    def encode_distribution(self, X: Any) -> tuple[Floats, Floats]:
        """mu and logvar of the codes, N x latent each."""
        _, mu, logvar, _ = self._fitted().codes(self._pixels(X), "mean")
        return mu, logvar

    def decode(self, Z: Any) -> Floats:
        """The images of codes, N x latent, in the form that fit had."""
        model = self._fitted()
        return self._form().back(model.decode(to_floats(Z, model.latent, "codes")), self._rank)

    def reconstruct(self, X: Any, *, latent: str = "mean") -> Floats:
        """The images as the model makes them anew, in the form of X: from the "mean" of the code, or from a "sample" of
        it, as the losses are evaluated."""
        images, _, _, _ = self._fitted().codes(self._pixels(X), latent)
        return self._form().back(images, np.asarray(X).ndim)

    def evaluate(self, X: Any) -> Losses:
        """The mean losses of images, as the command evaluates its test images."""
        return self._fitted().evaluate(self._pixels(X))

    def transform(self, X: Any) -> Floats:
        """As encode."""
        return self.encode(X)

    def fit_transform(self, X: Any, y: object = None, **options: Any) -> Floats:
        """fit, then encode."""
        return self.fit(X, y, **options).transform(X)

    def inverse_transform(self, X: Any) -> Floats:
        """As decode."""
        return self.decode(X)

    def score(self, X: Any, y: object = None) -> float:
        """The loss of evaluate with its sign changed: more is better, as GridSearchCV wants it."""
        return -self.evaluate(X).total

    # --- files -------------------------------------------------------------------------------------------------------

    def save(self, path: str | os.PathLike[str]) -> None:
        """Replaces `path` by the checkpoint: a safetensors file with settings, parameters, optimizer and state, as the
        command's. `fovea reconstruct --run RUN` takes it as RUN/checkpoint.safetensors, `fovea train --init` anywhere.
        How arrays are read (layout, image_shape, value_range) is not in it. It has the losses of those epochs that had
        images for validation, as a run's has; of a run that was loaded also its name. A file that is there and is no
        VAE's checkpoint is refused."""
        self._fitted().save(path, self._saved_config(), self._saved_texts())

    def _saved_texts(self) -> dict[str, str]:
        rows = [[row[name] for name in LOSSES] for row in self.history_ if "val_loss" in row]
        named = {"run": self._run} if self._run else {}
        return {**named, **({"history": json.dumps(rows, separators=(",", ":"))} if rows else {})}

    def _saved_config(self) -> dict[str, Any]:
        model = self._fitted()
        places = dict(zip(PLACES, model.dims))
        return {**self._trained, **self._about, **places}

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        device: Device | str | int | None = None,
        layout: str = "NHWC",
        image_shape: ImageShape = None,
        value_range: tuple[float, float] | None = None,
    ) -> VAE:
        """The model of a checkpoint, of save() or of `fovea train`, or of the folder of a run. Its settings become the
        parameters; fit(..., resume=True) goes on with it."""
        file = Path(path)
        file = file / CHECKPOINT if file.is_dir() else file
        config = read_config(path_bytes(file))
        missing = [name for name in (*SETTINGS, *PLACES, "train_images") if name not in config]
        if missing:
            raise InvalidError(f"{file}: its settings lack {', '.join(missing)}; it is not of this version of fovea")
        strange = [name for name in config if name not in (*SETTINGS, *OFF, *PLACES, *ABOUT)]
        if strange:
            raise InvalidError(f"{file}: its settings have {', '.join(strange)}, which VAE does not know")
        settings = {name: {**OFF, **config}[name] for name in (*SETTINGS, *OFF)}
        made = cls(
            **{**settings, "arch": tuple(config["arch"])},
            device=device,
            layout=layout,
            image_shape=image_shape,
            value_range=value_range,
        )
        made._form()
        model = Model(opened(device), config)
        model.load(file)
        rank = 2 if image_shape is not None else 3 if model.dims[0] == 1 else 4
        made._begin(model, {"test_images": 0, **config}, rank)
        texts = read_texts(path_bytes(file))
        made._run = texts.get("run", "")
        made.history_ = _history(texts.get("history", "[]"), model.epoch)
        return made

    def close(self) -> None:
        """Frees the device's memory; the model is then as before fit. The garbage collector does the same."""
        if self._model is not None:
            self._model.close()
            self._model = None

    # --- copies ------------------------------------------------------------------------------------------------------

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        model = state.pop("_model", None)
        if model is not None:
            with tempfile.TemporaryDirectory() as folder:
                self.save(os.path.join(folder, CHECKPOINT))
                state["_checkpoint"] = Path(folder, CHECKPOINT).read_bytes()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        checkpoint = state.pop("_checkpoint", None)
        self.__dict__.update(state)
        if checkpoint is None:
            return
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, CHECKPOINT)
            path.write_bytes(checkpoint)
            model = Model(opened(self.device), read_config(path_bytes(path)))
            model.load(path)
        self._model = model


def _functions(callbacks: Callback | Iterable[Callback]) -> list[Callback]:
    expected = "a function of a Progress, or several"
    told = [callbacks] if callable(callbacks) else several("callbacks", callbacks, expected)
    for callback in told:
        if not callable(callback):
            raise TypeError(f"callbacks has {callback!r}, expected {expected}")
    return told


def _equal(a: object, b: object) -> bool:
    return type(a) is type(b) and bool(a == b)


def _history(text: str, epochs: int) -> list[dict[str, float]]:
    """The losses of the epochs that a run's checkpoint has."""
    try:
        rows = [dict(zip(LOSSES, map(float, row))) for row in json.loads(text) if len(row) == len(LOSSES)]
    except (TypeError, ValueError):
        return []  # which no other reader of it takes for an error either
    return [{**row, "epoch": int(row["epoch"])} for row in rows if row["epoch"] <= epochs]


def _row(epoch: int, losses: Losses, validation: Losses | None) -> dict[str, float]:
    row: dict[str, float] = {"epoch": epoch, "loss": losses.total, "bce": losses.bce, "kl": losses.kl}
    if validation is not None:
        row.update(val_loss=validation.total, val_bce=validation.bce, val_kl=validation.kl)
    return row
