"""What weights say of themselves, and what is believed of it."""

import hashlib
import json

import pytest
import torch
from safetensors.torch import save_file

from medseg.errors import DataError
from medseg.networks import Provenance, TrainingImages, read_provenance


def weights(path, tensors=None, **texts):
    save_file(tensors or {"a": torch.zeros(2, 3)}, path, metadata=texts or None)
    return path


def test_weights_that_do_not_say_are_of_unknown_provenance(tmp_path):
    found = read_provenance(weights(tmp_path / "w.safetensors"))
    assert (found.bundle, found.trained_on, found.images) == (None, "unknown", None)
    assert "research only" in found.caution


def test_the_digest_is_that_of_names_types_shapes_and_bytes(tmp_path):
    stored = {"b": torch.tensor([1, 2], dtype=torch.int16), "a": torch.zeros(2, 3)}
    by_hand = hashlib.sha256(
        b'["a", "F32", [2, 3]]' + bytes(24) + b'["b", "I16", [2]]' + b"\x01\x00\x02\x00"
    ).hexdigest()
    assert read_provenance(weights(tmp_path / "w.safetensors", stored)).tensors_sha256 == by_hand


def test_what_the_header_states_is_returned(tmp_path):
    stated = {
        "bundle": "chest",
        "version": "1.2.0",
        "data": "chest_phantoms",
        "trained_on": "phantoms",
        "images": {
            "modality": "CT",
            "count": 4,
            "spacing_mm": [[1, 2], [1, 2], [3, 3]],
            "extent_mm": [[300, 400], [300, 400], [200, 250]],
            "percentiles": {"0.5": [-1000, -990], "50.0": [0, 10], "99.5": [900, 1000]},
            "foreground": {"10.0": [0.2, 0.3]},
        },
    }
    path = weights(tmp_path / "w.safetensors", provenance=json.dumps(stated))
    found = read_provenance(path)
    assert found == Provenance(
        bundle="chest",
        version="1.2.0",
        data="chest_phantoms",
        trained_on="phantoms",
        tensors_sha256=found.tensors_sha256,
        images=TrainingImages(
            modality="CT",
            count=4,
            spacing_mm=((1, 2), (1, 2), (3, 3)),
            extent_mm=((300, 400), (300, 400), (200, 250)),
            percentiles={"0.5": (-1000, -990), "50.0": (0, 10), "99.5": (900, 1000)},
            foreground={"10.0": (0.2, 0.3)},
        ),
    )
    assert "phantoms" in found.caution


@pytest.mark.parametrize(
    "stated",
    [
        '{"trained_on": "patients"}',
        '{"bundle": "a\\nb"}',
        '{"bundle": 1}',
        '{"images": {}}',
        '{"images": {"modality": "CT", "count": 1, "spacing_mm": null, "extent_mm": [[2, 1]], '
        '"percentiles": {}, "foreground": {}}}',
        '{"images": {"modality": "CT", "count": 1, "spacing_mm": null, "extent_mm": [[0, 1]], '
        '"percentiles": {}, "foreground": {}}}',
        "[]",
        "[" * 100_000,
        "1" * 10_000,
    ],
)
def test_a_provenance_that_others_wrote_is_refused_in_one_line(tmp_path, stated):
    path = weights(tmp_path / "w.safetensors", provenance=stated)
    with pytest.raises(DataError, match="provenance") as caught:
        read_provenance(path)
    assert "\n" not in str(caught.value)


def test_one_flipped_bit_is_refused(tmp_path):
    path = weights(tmp_path / "w.safetensors", tensors_sha256="0" * 64)
    with pytest.raises(DataError, match=r"w\.safetensors: damaged, .*; copy it again"):
        read_provenance(path)
