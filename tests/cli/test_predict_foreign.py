"""`medseg predict` with a bundle of the model zoo's form, as its users have it."""

import json

import nibabel
import numpy as np
import pytest

from tests.bundles.foreign.builders import inference, metadata, write_bundle, write_image
from tests.bundles.foreign.test_foreign import trust


@pytest.fixture
def bundle(tmp_path):
    return trust(write_bundle(tmp_path / "two_organs", inference(), metadata()))


def test_a_trusted_bundle_of_another_maker_labels_and_is_named_in_the_tables(
    bundle, tmp_path, command, capsys
):
    image = write_image(tmp_path / "ct.nii.gz")
    assert command("predict", bundle, image, "-o", tmp_path / "out") == 0
    assert "Left Kidney" in capsys.readouterr().out
    label = nibabel.load(tmp_path / "out" / "ct_seg.nii.gz")
    np.testing.assert_allclose(label.affine, nibabel.load(image).affine, atol=1e-4)
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert "two_organs" in json.dumps(summary)
    # Again: nothing is left to do.
    assert command("predict", bundle, image, "-o", tmp_path / "out") == 0


@pytest.mark.parametrize("option", [("--engine", "torch"), ("--maps", "entropy")])
def test_options_of_medsegs_own_inferers_are_refused_in_one_line(
    option, bundle, tmp_path, command, capsys
):
    image = write_image(tmp_path / "ct.nii.gz")
    assert command("predict", bundle, image, "-o", tmp_path / "out", *option) == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.endswith(f"runs by its own parts; remove {option[0]}")


def test_a_bundle_without_weights_says_where_to_put_them(tmp_path, command, capsys):
    bundle = trust(write_bundle(tmp_path / "b", inference(), metadata(), weights="none"))
    image = write_image(tmp_path / "ct.nii.gz")
    assert command("predict", bundle, image, "-o", tmp_path / "out") == 3
    assert "no weights; put them at models/model.safetensors" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
