"""A network as an OpenVINO model: converted once, kept in one file, rebuilt if that is damaged.

OpenVINO's own form is two files, which no rename can replace together and which are read without
any check of their bytes. Here both lie in one, behind their digest. Processes that convert the
same network at once each write the whole of it and rename; the last one wins with equal content.
"""

import hashlib
import logging
import tempfile
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from medseg._files import write_atomically
from medseg._quiet import quiet_warnings, root_logger_kept
from medseg.errors import UsageError
from medseg.inference.engines.openvino_runtime import load_openvino, openvino_core

__all__ = ["openvino_model"]

logger = logging.getLogger(__name__)

_DIGEST_BYTES = 32
_LENGTH_BYTES = 8


def openvino_model(
    network: nn.Module, path: Path, *, window: tuple[int, ...], channels: int
) -> Any:
    """The network as an `openvino.Model` for any number of windows, from its file if that is whole.

    Args:
        network: In evaluation mode, on the CPU, float32.
        path: Where the model is kept; written where missing or damaged.
        window: Voxels of a window along each axis.
        channels: Of the image.
    """
    kept = _read(path)
    if kept is not None:
        return kept
    model = _convert(network, window=window, channels=channels)
    try:
        _keep(model, path)
    except OSError as error:
        logger.warning("%s; the converted network is not kept, and made anew next time", error)
    return model


def _convert(network: nn.Module, *, window: tuple[int, ...], channels: int) -> Any:
    openvino = load_openvino()
    example = torch.zeros(1, channels, *window)
    # OpenVINO's converter silences the whole process below ERROR, for good when it fails. A trace
    # fixes sizes, and warns so; but for the batch, they are what is wanted here.
    with root_logger_kept(), quiet_warnings(), torch.no_grad():
        try:
            trace = cast("Any", torch.jit).trace(network, example, check_trace=False)
            model = openvino.convert_model(trace, example_input=example)
            model.reshape([-1, channels, *window])
        except Exception as error:
            reason = str(error).strip().splitlines()[-1].strip()
            raise UsageError(
                f"openvino cannot convert this network ({reason}); take --engine torch"
            ) from error
    return model


def _keep(model: Any, path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="medseg-") as folder:
        graph = Path(folder) / "model.xml"
        # Half precision would change the weights, and save nothing while it runs.
        load_openvino().save_model(model, graph, compress_to_fp16=False)
        xml, weights = graph.read_bytes(), graph.with_suffix(".bin").read_bytes()
    body = len(xml).to_bytes(_LENGTH_BYTES, "little") + xml + weights
    write_atomically(path, lambda part: part.write_bytes(hashlib.sha256(body).digest() + body))


def _read(path: Path) -> Any | None:
    try:
        content = path.read_bytes()
    except OSError:
        return None
    body = memoryview(content)[_DIGEST_BYTES:]
    if hashlib.sha256(body).digest() != content[:_DIGEST_BYTES]:
        logger.warning("%s: damaged; the network is converted anew", path)
        return None
    end = _LENGTH_BYTES + int.from_bytes(body[:_LENGTH_BYTES], "little")
    openvino = load_openvino()
    weights = np.frombuffer(body[end:], dtype=np.uint8)
    return openvino_core().read_model(bytes(body[_LENGTH_BYTES:end]), openvino.Tensor(weights))
