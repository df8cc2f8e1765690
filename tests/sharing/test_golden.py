"""Golden case: what its file may say."""

import json
from typing import Any

import pytest

from medseg.errors import DataError
from medseg.sharing.golden.golden import GoldenCase, least_dsc, read_golden, write_golden

CASE = GoldenCase(
    image="image.nii.gz",
    image_sha256="0" * 64,
    label="label.nii.gz",
    label_sha256="1" * 64,
    voxels_sha256="2" * 64,
    classes=("background", "lung"),
    weights_sha256="3" * 64,
    made_with={"medseg": "0.1.0"},
    least_dsc=least_dsc(),
    origin="a phantom",
    licence="CC0-1.0",
)


def changed(**keys: Any) -> bytes:
    return json.dumps({**json.loads(write_golden(CASE)), **keys}).encode()


def test_what_is_written_is_read_back_and_written_to_the_same_bytes():
    read = read_golden(write_golden(CASE), "x.zip")
    assert read == CASE
    assert write_golden(read) == write_golden(CASE)


def test_every_engine_and_precision_has_a_tolerance():
    assert set(CASE.least_dsc) == {
        *("torch fp32", "torch bf16", "torch fp16"),
        *("openvino fp32", "openvino bf16", "openvino fp16"),
    }


@pytest.mark.parametrize(
    "keys",
    [
        {"image": "../image.nii.gz"},
        {"image": "/image.nii.gz"},
        {"label": "a/label.nii.gz"},
        {"label": ".label"},
        {"voxels_sha256": "2"},
        {"least_dsc": {"torch fp32": 0.9}},
        {"least_dsc": {**least_dsc(), "torch fp32": 0.0}},
        {"least_dsc": {**least_dsc(), "torch fp32": 0.001}},
        {"format": "medseg.golden/2"},
        {"run": "rm"},
    ],
)
def test_anything_else_is_refused_in_one_line(keys: dict[str, Any]):
    with pytest.raises(DataError) as error:
        read_golden(changed(**keys), "x.zip")
    assert str(error.value).startswith("x.zip: golden/case.json is no golden case (")
    assert "\n" not in str(error.value)
