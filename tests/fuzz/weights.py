"""Weights: the header and the bytes of a safetensors file, held against safetensors itself."""

import json
import struct
import tempfile
from functools import cache
from pathlib import Path
from random import Random

import safetensors
import safetensors.torch
import torch

from medseg.networks.unet import UNet
from medseg.networks.weights import load_weights, save_weights, trained_network, trained_setting
from tests.fuzz.mutation import mutate_bytes, mutate_text
from tests.fuzz.target import Facts, Target

_NETWORK = {"spatial_dims": 2, "in_channels": 1, "out_channels": 2, "first_width": 2, "depth": 2}
_WORDS = (
    "F32",
    "F64",
    "F16",
    "BF16",
    "I64",
    "BOOL",
    "shape",
    "dtype",
    "data_offsets",
    "__metadata__",
    "settings",
    "network",
    "first_width",
    "depth",
    "class_names",
)


@cache
def corpus() -> dict[str, bytes]:
    """Weights as they are saved, and as others save them: without settings and digest."""
    torch.manual_seed(0)
    network = UNet(**_NETWORK)
    settings = {"class_names": ["background", "one"], "network": network.describe()}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        save_weights(network, path, settings)
        own = path.read_bytes()
    return {
        "own.safetensors": own,
        "plain.safetensors": safetensors.torch.save(network.state_dict()),
        "older.safetensors": safetensors.torch.save(
            network.state_dict(), {"settings": json.dumps({"class_names": settings["class_names"]})}
        ),
    }


def mutate(rng: Random, data: bytes) -> bytes:
    if rng.random() < 0.3:
        return mutate_bytes(rng, data, head=4000)
    size = int.from_bytes(data[:8], "little")
    header = mutate_text(rng, data[8 : 8 + size], words=_WORDS)
    return struct.pack("<Q", len(header)) + header + data[8 + size :]


def ours(path: Path) -> Facts:
    network = trained_network(path, _NETWORK)
    load_weights(network, path)
    names = trained_setting(path, "class_names", None)
    return {
        "names": names,
        **{key: one.double().numpy() for key, one in network.state_dict().items()},
    }


def independent(path: Path) -> Facts:
    with safetensors.safe_open(path, framework="pt") as file:
        texts = file.metadata() or {}
        settings = json.loads(texts.get("settings", "{}"))
        tensors = {key: file.get_tensor(key).double().numpy() for key in file.keys()}  # noqa: SIM118
    return {"names": settings.get("class_names"), **tensors}


WEIGHTS = Target(
    name="safetensors", corpus=corpus, mutate=mutate, ours=ours, independent=independent
)
