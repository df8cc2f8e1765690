"""Conversion of a network to an OpenVINO model, cached in one file with a checksum.

OpenVINO's own format is two files, which cannot be replaced atomically together and are read
without a checksum. Here both are in one file, after their digest; a damaged file is rebuilt.
Processes that convert the same network concurrently each write and rename a whole file; the last
one wins, with equal content.
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
    """The network as an `openvino.Model` with a dynamic batch size, from the cache if possible.

    Args:
        network: In evaluation mode, on the CPU, float32.
        path: File of the model; written if missing or damaged.
        window: Voxels of a window along each axis.
        channels: Of the image.
    """
    cached = _read(path)
    if cached is not None:
        return cached
    model = _convert(network, window=window, channels=channels)
    try:
        _keep(model, path)
    except OSError as error:
        logger.warning(
            "%s; the converted network is not cached, and converted again next time", error
        )
    return model


def _convert(network: nn.Module, *, window: tuple[int, ...], channels: int) -> Any:
    openvino = load_openvino()
    example = torch.zeros(1, channels, *window)
    # OpenVINO's converter sets the root logger to ERROR, for good if it fails. Tracing warns about
    # fixed sizes, which are intended; the batch size is made dynamic below.
    with root_logger_kept(), quiet_warnings(), torch.no_grad():
        try:
            trace = cast("Any", torch.jit).trace(network, example, check_trace=False)
            model = openvino.convert_model(trace, example_input=example)
            model.reshape([-1, channels, *window])
        except Exception as error:
            reason = str(error).strip().splitlines()[-1].strip()
            raise UsageError(
                f"openvino cannot convert this network ({reason}); use --engine torch"
            ) from error
    return model


def _keep(model: Any, path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="medseg-") as folder:
        graph = Path(folder) / "model.xml"
        # Half precision would change the weights, and save no time at inference.
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
        logger.warning("%s: damaged; the network is converted again", path)
        return None
    end = _LENGTH_BYTES + int.from_bytes(body[:_LENGTH_BYTES], "little")
    openvino = load_openvino()
    weights = np.frombuffer(body[end:], dtype=np.uint8)
    return openvino_core().read_model(bytes(body[_LENGTH_BYTES:end]), openvino.Tensor(weights))
