"""A bundle leaves as ONNX: the same logits elsewhere, and what they were trained with."""

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from medseg.bundles import export_onnx
from medseg.bundles.trained_network import read_trained_network
from medseg.errors import DataError, MachineError, UsageError
from medseg.networks import UNet, read_provenance, save_weights

BUNDLE = Path(__file__).parents[2] / "bundles" / "covid_lung_ct_unet3d"
SETTINGS = {
    "class_names": ["background", "lung"],
    "spacing_mm": [2.5, 2.5, 5.0],
    "patch_size": [16, 16, 8],
    "first_width": 2,
    "depth": 2,
}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    """The bundle with small weights in its models/."""
    folder = tmp_path_factory.mktemp("bundle") / BUNDLE.name
    shutil.copytree(BUNDLE, folder, ignore=shutil.ignore_patterns("models", "eval"))
    torch.manual_seed(0)
    network = UNet(3, 1, 2, depth=2, first_width=2)
    save_weights(network, folder / "models" / "model.safetensors", SETTINGS)
    return folder


@pytest.fixture(scope="module")
def exported(bundle, tmp_path_factory):
    """The export, and what it says of itself; the exporter takes seconds."""
    path = tmp_path_factory.mktemp("onnx") / "model.onnx"
    return export_onnx(bundle, path)


@pytest.mark.parametrize("shape", [(1, 1, 16, 16, 8), (3, 1, 8, 20, 6)])
def test_onnxruntime_gives_the_logits_for_any_batch_and_size(shape, bundle, exported):
    image = torch.rand(*shape)
    session = onnxruntime.InferenceSession(exported.path, providers=["CPUExecutionProvider"])
    (logits,) = session.run(["logits"], {"image": image.numpy()})
    with torch.inference_mode():
        expected = read_trained_network(bundle).network(image).numpy()
    np.testing.assert_allclose(logits, expected, rtol=1e-3, atol=1e-4)


def test_free_axes_have_the_names_of_the_field(exported):
    assert exported.image == ("batch", "1", "i", "j", "k")
    (logits,) = onnx.load(exported.path).graph.output
    sizes = logits.type.tensor_type.shape.dim
    assert [s.dim_param or s.dim_value for s in sizes] == ["batch", 2, "i", "j", "k"]


def test_what_inference_has_to_repeat_is_in_the_metadata(exported):
    model = onnx.load(exported.path)
    found = {entry.key: entry.value for entry in model.metadata_props}
    assert found["bundle"] == "covid_lung_ct_unet3d"
    assert json.loads(found["class_names"]) == ["background", "lung"]
    assert json.loads(found["spacing_mm"]) == [2.5, 2.5, 5.0]
    assert json.loads(found["patch_size"]) == [16, 16, 8]
    assert json.loads(found["window"]) == [-1000.0, 200.0]
    assert json.loads(found["network"])["activation"] == "relu"
    assert model.producer_name == "medseg"


def test_where_the_weights_come_from_is_in_the_metadata(bundle, exported):
    weights = read_provenance(bundle / "models" / "model.safetensors")
    found = {entry.key: entry.value for entry in onnx.load(exported.path).metadata_props}
    assert found["weights_sha256"] == weights.tensors_sha256
    assert found["caution"] == weights.caution
    assert json.loads(found["weights"])["trained_on"] == weights.trained_on


def test_no_path_of_this_machine_is_in_the_file(bundle, exported):
    content = exported.path.read_bytes()
    for path in (bundle, exported.path.parent, Path(torch.__file__).parents[1]):
        assert str(path).encode() not in content


def test_the_export_says_how_near_it_is(exported):
    assert exported.largest_difference < 1e-3
    assert exported.equal_labels > 0.99


def test_a_file_that_is_there_is_kept(bundle, tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(b"mine")
    with pytest.raises(UsageError, match="already exists; use --overwrite"):
        export_onnx(bundle, path)
    assert path.read_bytes() == b"mine"


def test_another_kind_of_file_is_refused(bundle, tmp_path):
    with pytest.raises(UsageError, match=r"must end in \.onnx"):
        export_onnx(bundle, tmp_path / "model.pt")


def test_missing_weights_are_named(bundle, tmp_path):
    with pytest.raises(DataError, match=r"none\.safetensors: no weights there"):
        export_onnx(bundle, tmp_path / "model.onnx", weights=tmp_path / "none.safetensors")
    assert not list(tmp_path.iterdir())


def test_without_the_extra_one_line_says_how_to_install_it(bundle, tmp_path, monkeypatch):
    from medseg.bundles import onnx

    monkeypatch.setattr(onnx, "find_spec", lambda name: None if name == "onnxscript" else name)
    with pytest.raises(MachineError, match=r"onnxscript is not installed; pip install 'medseg\["):
        export_onnx(bundle, tmp_path / "model.onnx")


def test_a_config_without_a_network_is_refused(tmp_path):
    (tmp_path / "configs").mkdir()
    shutil.copy(BUNDLE / "configs" / "metadata.json", tmp_path / "configs")
    (tmp_path / "configs" / "inference.yaml").write_text("patch_size: [8, 8, 8]\n")
    with pytest.raises(UsageError, match="its inference config has no network_def"):
        read_trained_network(tmp_path)
