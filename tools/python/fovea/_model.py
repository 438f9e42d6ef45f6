"""The variational autoencoder on a device: the library's calls, without the estimator's conventions."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from typing import Any, Callable

import numpy as np

from ._declarations import ffi
from ._device import Device
from ._files import check_replaced, metadata, opened_file
from ._graph import Losses, _data, _floats, activations
from ._images import Bytes, Floats
from ._library import Handle, InvalidError, Status, check, lib, path_bytes
from ._values import choice, integer, real, several, switch

LARGEST_SEED = 2**53  # exact in JSON, as the command's
FILLS = ("edge", "black")
FLIPS = ("none", "horizontal", "vertical", "both")
# What a run's settings leave out where it is off.
OFF: dict[str, Any] = {
    **{"shift": 0, "fill": "edge", "flip": "none", "crop": 0, "contrast": 0.0, "brightness": 0.0},
    "kernel": 3,
}
ATTENTIONS = ("none", "spatial", "channel", "cbam")
UNITS = "integers, as (35, 25, 15, 5)"
LATENTS = ("mean", "sample")

TEXTS = ("run", "history")

Config = Mapping[str, Any]


def _block_activations() -> dict[str, int]:
    """Those of the command's --activation, which has no linear blocks and could not read such a model."""
    return {name: number for name, number in activations().items() if name != "linear"}


def c_config(config: Config) -> Any:
    """The settings, by the names that a run's config.json has for them, as the library takes them."""
    arch = [integer("a number of arch", units) for units in several("arch", config["arch"], UNITS)]
    if len(arch) > lib.FOVEA_MAX_UNITS:
        raise InvalidError(f"arch has {len(arch)} numbers, expected 2 to {lib.FOVEA_MAX_UNITS}")
    made = ffi.new("fovea_vae_config *")
    made.unit_count = len(arch)
    for i, units in enumerate(arch):
        made.units[i] = units
    for name in ("channels", "height", "width", "depth", "latent", "batch"):
        setattr(made, name, integer(name, config[name]))
    made.seed = integer("seed", config["seed"], 0, LARGEST_SEED)
    made.activation = choice("activation", config["activation"], _block_activations())
    made.attention = choice("attention", config["attention"], ATTENTIONS)
    made.batchnorm = switch("batchnorm", config["batchnorm"])
    made.dropout, made.kl_weight = real("dropout", config["dropout"]), real("kl", config["kl"])
    made.bn_momentum = real("bn_momentum", config["bn_momentum"])
    given = {**OFF, **config}
    made.kernel = integer("kernel", given["kernel"], 1)  # 0 is C's word for 3
    augment = made.augment
    augment.shift, augment.crop = (integer(name, given[name]) for name in ("shift", "crop"))
    augment.fill, augment.flip = choice("fill", given["fill"], FILLS), choice("flip", given["flip"], FLIPS)
    augment.contrast, augment.brightness = (real(name, given[name]) for name in ("contrast", "brightness"))
    return made


def hash_of(pixels: Bytes, labels: Any = None) -> str:
    """What the command calls the hash of a set, of images without labels or with them, N of uint16."""
    data, found = _dataset(pixels), ffi.new("uint64_t *")
    if labels is not None:
        data.labels = ffi.cast("uint16_t *", ffi.from_buffer(labels))
    check(lib.fovea_dataset_hash(data, found))
    return f"xxh64:{found[0]:016x}"


def read_texts(path: bytes) -> dict[str, str]:
    """What a run's checkpoint says beside its settings: the run's name, and the losses of its epochs."""
    with opened_file(path) as file:
        return metadata(file, TEXTS)


def read_config(path: bytes) -> dict[str, Any]:
    """The settings in a checkpoint's metadata."""
    with opened_file(path) as file:
        found = metadata(file, ["config"]).get("config")
        if found is None:
            raise InvalidError(
                f"{os.fsdecode(path)} has no settings of a run: it is not the checkpoint of a VAE; a network of one's "
                "own is loaded by fovea.Network.load"
            )
        try:
            config = json.loads(found)
        except json.JSONDecodeError as error:
            raise InvalidError(f"{os.fsdecode(path)}: its settings are not JSON: {error}") from None
    if not isinstance(config, dict):
        raise InvalidError(f"{os.fsdecode(path)}: its settings are no JSON object")
    return config


def _dataset(pixels: Bytes) -> Any:
    """Borrows the pixels, which are to live as long as it is used."""
    count, channels, height, width = pixels.shape
    return ffi.new(
        "fovea_dataset *",
        {
            "count": count,
            "channels": channels,
            "height": height,
            "width": width,
            "pixels": ffi.cast("uint8_t *", _data(pixels)),
        },
    )


class _Progress:
    """The library's callback, which gives the losses so far to `tell` and keeps what that raises, KeyboardInterrupt
    among it: then training stops there, and what was raised is raised behind the library's call."""

    def __init__(self, tell: Callable[[int, Losses], bool]) -> None:
        self._tell = tell
        self._raised: BaseException | None = None
        self.function = ffi.callback(
            "bool(void *, size_t, const fovea_losses *)", self._call, error=False, onerror=self._keep
        )

    def _call(self, _: Any, images: int, losses: Any) -> bool:
        return self._tell(images, Losses._of(losses))

    def _keep(self, _: Any, raised: BaseException, traceback: Any) -> None:
        if self._raised is None:
            self._raised = raised.with_traceback(traceback)

    def raise_again(self) -> None:
        raised, self._raised = self._raised, None
        if raised is not None:
            raise raised


def _copy(plain: bytes, path: bytes, texts: Mapping[str, str]) -> None:
    """The checkpoint with more metadata, in the command's order."""
    with opened_file(plain) as file:
        had = metadata(file, ["config", "graph"])
        said = {"config": had.pop("config"), **texts, **had}
        words = [(ffi.new("char[]", key.encode()), ffi.new("char[]", value.encode())) for key, value in said.items()]
        pairs = ffi.new("fovea_safetensor_text[]", words)
        count = lib.fovea_safetensors_count(file)
        tensors = ffi.new("fovea_safetensor[]", [lib.fovea_safetensors_get(file, i)[0] for i in range(count)])
        check(lib.fovea_safetensors_write(path, tensors, count, pairs, len(words)))


class Model(Handle):
    """One network with its training state."""

    def __init__(self, device: Device, config: Config) -> None:
        made = ffi.new("fovea_vae **")
        with device.use() as pointer:
            check(lib.fovea_vae_create(pointer, c_config(config), True, made))
        super().__init__("model", made[0], lib.fovea_vae_destroy, device)
        self.latent = int(config["latent"])
        self.dims = (int(config["channels"]), int(config["height"]), int(config["width"]))
        self._state = ffi.new("fovea_training_state *")
        self._under_way: tuple[Any, int] | None = None

    def _settled(self) -> Any:
        """The training state. Ctrl-C may come between the library's return and Python's next line, so it is made, each
        time that it is asked for, of what the library has left."""
        if self._under_way is not None:
            epoch, total = self._under_way
            images = epoch.so_far.images
            state = {"epoch": epoch.epoch + 1} if images == total else {"epoch": epoch.epoch, "images_done": images}
            made = ffi.new("fovea_training_state *", state)
            if images != total:
                made.so_far = epoch.so_far
            self._state = made
        return self._state

    @property
    def epoch(self) -> int:
        """Epochs completed."""
        return int(self._settled().epoch)

    @property
    def images_done(self) -> int:
        """Images of the epoch under way."""
        return int(self._settled().images_done)

    @property
    def parameters(self) -> int:
        with self.use() as pointer:
            return int(lib.fovea_vae_parameter_count(pointer))

    def train_epoch(
        self, pixels: Bytes, epochs: int, rates: tuple[float, float], tell: Callable[[int, Losses], bool]
    ) -> Losses | None:
        """The epoch under way, or what is left of it; None where `tell` said False before its end, or raised."""
        data, state, progress = _dataset(pixels), self._settled(), _Progress(tell)
        epoch = ffi.new(
            "fovea_epoch *",
            {
                "epoch": state.epoch,
                "epochs": epochs,
                "lr": rates[0],
                "min_lr": rates[1],
                "start": state.images_done,
                "so_far": state.so_far,
                "progress": progress.function,
            },
        )
        with self.use() as pointer:
            self._under_way = epoch, len(pixels)
            status = lib.fovea_vae_train_epoch(pointer, data, epoch)
            if status != Status.OK:
                self._under_way, self._state = None, state
                progress.raise_again()
                check(status)
        progress.raise_again()
        return None if epoch.stopped else Losses._of(epoch.so_far)

    def evaluate(self, pixels: Bytes) -> Losses:
        data, found = _dataset(pixels), ffi.new("fovea_losses *")
        with self.use() as pointer:
            check(lib.fovea_vae_evaluate(pointer, data, found))
        return Losses._of(found)

    def encode(self, pixels: Bytes) -> Floats:
        mu = np.empty((len(pixels), self.latent), np.float32)
        with self.use() as pointer:
            check(lib.fovea_vae_encode(pointer, _data(pixels), len(pixels), _floats(mu)))
        return mu

    def codes(self, pixels: Bytes, latent: str) -> tuple[Floats, Floats, Floats, Floats]:
        """Reconstructions, mu, logvar and z."""
        which = choice("latent", latent, LATENTS)
        mu, logvar, z = (np.empty((len(pixels), self.latent), np.float32) for _ in range(3))
        images = np.empty((len(pixels), *self.dims), np.float32)
        codes = ffi.new("fovea_codes *")
        codes.mu, codes.logvar, codes.z = (ffi.cast("float *", _floats(code)) for code in (mu, logvar, z))
        with self.use() as pointer:
            check(lib.fovea_vae_reconstruct(pointer, _data(pixels), len(pixels), which, codes, _floats(images)))
        return images, mu, logvar, z

    def decode(self, z: Floats) -> Floats:
        images = np.empty((len(z), *self.dims), np.float32)
        with self.use() as pointer:
            check(lib.fovea_vae_decode(pointer, _floats(z), len(z), _floats(images)))
        return images

    def save(self, path: str | os.PathLike[str], config: Config, texts: Mapping[str, str]) -> None:
        """With the texts, by their keys, in its metadata."""
        check_replaced(path, "config", "checkpoint of a VAE")
        settings = json.dumps(dict(config)).encode()
        if not texts:
            self._save(path_bytes(path), settings)
            return
        with tempfile.TemporaryDirectory() as folder:
            plain = path_bytes(os.path.join(folder, "plain"))
            self._save(plain, settings)
            _copy(plain, path_bytes(path), texts)

    def _save(self, path: bytes, settings: bytes) -> None:
        with self.use() as pointer:
            check(lib.fovea_vae_save(pointer, path, self._settled(), settings))

    def load(self, path: str | os.PathLike[str]) -> None:
        with self.use() as pointer:
            check(lib.fovea_vae_load(pointer, path_bytes(path), self._state))
