"""ONNX export of a bundle's trained network, with its pipeline as JSON beside it.

Batch and spatial axes are dynamic. The file is written only after onnxruntime has reproduced
torch's logits with it, for a batch and a size that the exporter has not seen.
"""

import hashlib
import json
import logging
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import torch

from medseg._files import write_atomically
from medseg._quiet import quiet_loggers, quiet_warnings
from medseg.bundles.model_json import model_json
from medseg.bundles.predictor import open_predictor
from medseg.bundles.trained_network import TrainedNetwork, read_trained_network
from medseg.errors import MachineError, UsageError
from medseg.networks.provenance import provenance_json

__all__ = ["OnnxExport", "export_onnx"]

# Tolerance, relative to the largest logit: float32 sums run in another order elsewhere.
_MAY_DIFFER = 1e-3
_PROTOBUF_LIMIT = 2**31


@dataclass(frozen=True, kw_only=True)
class OnnxExport:
    """Result of an export.

    Attributes:
        path: The ONNX file.
        pipeline: The JSON file with the steps before and after the network.
        complete: Whether every step is described there, see `model_json`.
        image: Axes of its input, dynamic ones by name.
        largest_difference: Between onnxruntime's and torch's logits, on noise.
        equal_labels: Fraction of voxels with equal labels, on noise.
    """

    path: Path
    pipeline: Path
    complete: bool
    image: tuple[str, ...]
    largest_difference: float
    equal_labels: float


def export_onnx(
    bundle: str | Path,
    output: str | Path,
    *,
    weights: str | Path | None = None,
    existing: Literal["refuse", "replace"] = "refuse",
) -> OnnxExport:
    """Export a bundle's network: input `image`, output `logits`, settings in the metadata.

    Beside it, `model.json` for a `model.onnx`, the pipeline is described by `model_json`.

    Args:
        bundle: The bundle's folder.
        output: The file, which ends in `.onnx`.
        weights: A `.safetensors` file; the bundle's own if None.
        existing: What to do with existing files.

    Raises:
        UsageError: For an unsuitable file name, a folder that is not a bundle, or an inferer that
            is not medseg's.
        DataError: For weights that are missing or do not fit the network.
        MachineError: If the extra `onnx` is missing, or onnxruntime's logits differ.
    """
    output = Path(output)
    if output.suffix != ".onnx":
        raise UsageError(f"{output}: must end in .onnx")
    pipeline = output.with_suffix(".json")
    for path in (output, pipeline):
        if path.exists() and existing == "refuse":
            raise UsageError(f"{path} already exists; use --overwrite or another -o")
    _require_extra()
    trained = read_trained_network(bundle, weights)
    proto = _to_onnx(trained)
    content: bytes = proto.SerializeToString()
    difference, equal = _compare(content, trained)
    predictor = open_predictor(bundle, weights=weights)
    described = model_json(predictor, _network(output.name, content, proto))
    text = json.dumps(described, indent=1, ensure_ascii=False) + "\n"
    write_atomically(output, lambda part: part.write_bytes(content))
    write_atomically(pipeline, lambda part: part.write_text(text, encoding="utf-8"))
    return OnnxExport(
        path=output,
        pipeline=pipeline,
        complete=described["complete"],
        image=tuple(_axis(size) for size in _sizes(proto.graph.input[0])),
        largest_difference=difference,
        equal_labels=equal,
    )


def _network(file: str, content: bytes, proto: Any) -> dict[str, Any]:
    def axes(value: Any) -> dict[str, Any]:
        return {"name": value.name, "axes": [_axis(size) for size in _sizes(value)]}

    return {
        "file": file,
        "sha256": hashlib.sha256(content).hexdigest(),
        "dtype": "float32",
        "input": axes(proto.graph.input[0]),
        "output": axes(proto.graph.output[0]),
    }


def _require_extra() -> None:
    missing = [name for name in ("onnx", "onnxscript", "onnxruntime") if find_spec(name) is None]
    if missing:
        raise MachineError(f"{missing[0]} is not installed; pip install 'medseg[onnx]'")


def _to_onnx(trained: TrainedNetwork) -> Any:
    free = cast("Any", torch.export.Dim).AUTO
    # Two windows, as the exporter would take a batch of one for fixed.
    example = torch.zeros(2, trained.channels, *trained.window)
    axes = {axis: free for axis in range(example.ndim) if axis != 1}
    # The exporter warns of its internals, and of operators of packages not installed.
    with quiet_loggers("torch.onnx", level=logging.ERROR), quiet_warnings():
        program = cast("Any", torch.onnx).export(
            trained.network,
            (example,),
            dynamo=True,
            verbose=False,
            input_names=["image"],
            output_names=["logits"],
            dynamic_shapes=[axes],
        )
    proto = program.model_proto
    if proto.ByteSize() >= _PROTOBUF_LIMIT:
        raise UsageError("the network is larger than the 2 GB that an ONNX file can hold")
    _forget_the_machine(proto)
    _name_axes(proto)
    _describe(proto, trained)
    return proto


def _forget_the_machine(proto: Any) -> None:
    """Remove the stack traces at every node, which name folders of this computer."""
    graph = proto.graph
    for part in (graph, *graph.node, *graph.input, *graph.output, *graph.value_info):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")


def _name_axes(proto: Any) -> None:
    """Name dynamic axes `batch`, `i`, `j`, `k` instead of the exporter's `s40`."""
    axes = zip(("batch", "channels", "i", "j", "k"), _sizes(proto.graph.input[0]), strict=False)
    names = {size.dim_param: name for name, size in axes if size.dim_param}
    for value in (*proto.graph.input, *proto.graph.output, *proto.graph.value_info):
        for size in _sizes(value):
            if size.dim_param in names:
                size.dim_param = names[size.dim_param]


def _sizes(value: Any) -> list[Any]:
    return list(value.type.tensor_type.shape.dim)


def _axis(size: Any) -> str:
    return size.dim_param or str(size.dim_value)


def _describe(proto: Any, trained: TrainedNetwork) -> None:
    proto.producer_name, proto.producer_version = "medseg", version("medseg")
    facts = {
        "bundle": trained.name,
        "bundle_version": trained.version,
        "weights": provenance_json(trained.provenance),
        "weights_sha256": trained.provenance.tensors_sha256,
        "caution": trained.provenance.caution,
        **trained.settings,
    }
    for name, value in facts.items():
        entry = proto.metadata_props.add()
        entry.key = name
        entry.value = value if isinstance(value, str) else json.dumps(value)


def _compare(content: bytes, trained: TrainedNetwork) -> tuple[float, float]:
    """Largest difference of logits and fraction of equal labels, on noise of two windows."""
    runtime = cast("Any", import_module("onnxruntime"))
    session = runtime.InferenceSession(content, providers=["CPUExecutionProvider"])
    noise = torch.rand(1, trained.channels, *trained.window, generator=_generator())
    noise = torch.cat([noise, noise.flip(-1)], dim=-1)
    with torch.inference_mode():
        expected = trained.network(noise).numpy()
    (actual,) = session.run(["logits"], {"image": noise.numpy()})
    difference = float(np.abs(actual - expected).max())
    # Not "more than": a comparison with NaN is false.
    if not difference <= _MAY_DIFFER * max(1.0, float(np.abs(expected).max())):
        raise MachineError(
            f"onnxruntime's logits differ from torch's by up to {difference:.2g}; "
            "nothing is written, since other programs would compute other labels"
        )
    return difference, float((actual.argmax(axis=1) == expected.argmax(axis=1)).mean())


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)
