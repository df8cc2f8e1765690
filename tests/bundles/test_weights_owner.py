"""Weights of another bundle, whose network has the same shapes."""

import json
import shutil

import pytest

from medseg.bundles import open_predictor
from medseg.errors import DataError


@pytest.fixture
def other(trained, tmp_path):
    """Makes another bundle of the same network, with changes of its metadata."""

    def make(name="my_lungs", classes=None, modality="CT"):
        bundle = tmp_path / name
        shutil.copytree(trained, bundle, ignore=shutil.ignore_patterns("models", "eval"))
        path = bundle / "configs" / "metadata.json"
        metadata = json.loads(path.read_text())
        formats = metadata["network_data_format"]
        formats["inputs"]["image"]["modality"] = modality
        if classes:
            formats["outputs"]["pred"]["channel_def"] = dict(zip("012", classes, strict=True))
        path.write_text(json.dumps({**metadata, "name": name}))
        return bundle

    return make


def test_weights_of_a_bundle_for_the_same_are_used_with_a_warning(other, trained, caplog):
    weights = trained / "models" / "model.safetensors"
    predictor = open_predictor(other(), weights=weights)
    assert predictor.provenance.bundle == trained.name
    assert f"trained by the bundle {trained.name}, not by my_lungs; used" in caplog.text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"classes": ["background", "liver", "tumour"]}, "is for liver, tumour in CT"),
        ({"modality": "MR"}, "is for lung, infection in MR"),
    ],
)
def test_weights_of_a_bundle_for_something_else_are_refused(other, trained, changes, words):
    weights = trained / "models" / "model.safetensors"
    with pytest.raises(DataError, match=rf"{trained.name} \(lung, infection in CT\)") as caught:
        open_predictor(other(**changes), weights=weights)
    assert words in str(caught.value)
    assert str(caught.value).endswith("use weights of this bundle")


def test_a_bundles_own_weights_are_not_questioned(trained, caplog):
    open_predictor(trained)
    assert "trained by the bundle" not in caplog.text
