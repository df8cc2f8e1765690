"""Weights of a foreign bundle: its safetensors, or those made once of its tensors in `.pt`.

A `.pt` is a pickle. Read are its tensors alone, by torch's restricted reader, and only if the file
holds nothing else or this user has trusted the bundle with it.
"""

import hashlib
import io
import json
import logging
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, cast

from medseg._files import cache_dir
from medseg.bundles.foreign.fit import is_foreign, require_fit
from medseg.bundles.judgement.files.torch_files import torch_findings
from medseg.bundles.opened import OpenedConfigs
from medseg.bundles.plain_yaml import parse_config
from medseg.errors import DataError, NeedsTrustError

__all__ = ["bundle_weights"]

logger = logging.getLogger(__name__)

# Under which checkpoints keep the network's tensors beside other things.
_KEYS = ("model", "state_dict", "network")


def bundle_weights(opened: OpenedConfigs) -> Path:
    """The weights of a bundle, as safetensors; of one in medseg's form those of its `models/`.

    That file need not be there: folds of a cross-validation may stand for it.

    Those of a foreign `model.pt` are kept in the cache folder, by the digest of that file.

    Raises:
        UsageError: If medseg predict cannot run the bundle, see `require_fit`.
        DataError: If there are no weights, or the file does not hold the tensors of one network.
        NeedsTrustError: If `model.pt` holds more than tensors, and the bundle is not trusted.
    """
    models = opened.judged.path / "models"
    safe, plain = models / "model.safetensors", models / "model.pt"
    if safe.is_file() or not is_foreign(parse_config(opened.texts[0], opened.paths[0])):
        return safe
    require_fit(opened)
    try:
        content = plain.read_bytes()
    except OSError as error:
        raise DataError(
            f"{opened.judged.path}: no weights; put them at models/model.safetensors, or the "
            "maker's at models/model.pt"
        ) from error
    kept = cache_dir() / "weights" / f"{hashlib.sha256(content).hexdigest()}.safetensors"
    _require_tensors(plain, content, opened)
    if not kept.is_file():
        _keep(plain, content, kept)
    return kept


def _require_tensors(path: Path, content: bytes, opened: OpenedConfigs) -> None:
    finding = next(torch_findings(content), None)
    if finding is not None and opened.judged.standing != "trusted":
        raise NeedsTrustError(
            f"{path}: {finding.reason}; see medseg bundle inspect {opened.judged.path}"
        )


def _keep(path: Path, content: bytes, kept: Path) -> None:
    import torch

    from medseg.networks.weights import write_state

    try:
        loaded: Any = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except (RuntimeError, UnpicklingError, EOFError, ValueError) as error:
        raise DataError(
            f"{path}: torch reads no tensors of it ({_reason(error)}); ask its "
            "maker for safetensors"
        ) from error
    state = _state(loaded)
    if not state or not all(isinstance(each, torch.Tensor) for each in state.values()):
        raise DataError(f"{path}: is not the state of one network, a name for each tensor")
    kept.parent.mkdir(parents=True, exist_ok=True)
    # Copies, as tensors that share memory cannot be stored.
    copies = {str(name): tensor.detach().clone().contiguous() for name, tensor in state.items()}
    write_state(copies, kept, {"settings": json.dumps({})})
    logger.info("%s: tensors kept as safetensors in %s", path, kept)


def _state(loaded: Any) -> dict[Any, Any]:
    """The tensors of a checkpoint, which may keep them beside other things."""
    found = cast("dict[Any, Any]", loaded) if isinstance(loaded, dict) else {}
    for key in _KEYS:
        if isinstance(found.get(key), dict):
            return cast("dict[Any, Any]", found[key])
    return found


def _reason(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)[:120]
