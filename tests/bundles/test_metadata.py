"""What the metadata model refuses, in one line that names the key."""

import json

import pytest

from medseg.bundles import load_metadata
from medseg.errors import DataError
from tests.conftest import BUNDLE

GOOD = json.loads((BUNDLE / "configs" / "metadata.json").read_text())


def written(tmp_path, change):
    content = json.loads(json.dumps(GOOD))
    change(content)
    path = tmp_path / "metadata.json"
    path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.pop("schema"), "schema: Field required"),
        (lambda m: m.pop("monai_version"), "monai_version: Field required"),
        (lambda m: m.update(version="9.9.9"), "changelog has no entry for version 9.9.9"),
        (lambda m: m.update(version="1"), "version: "),
        (
            lambda m: m.update(name="Covid Lung"),
            "name must be of a-z, 0-9 and _, as the bundle's folder",
        ),
        (
            lambda m: m["network_data_format"]["outputs"]["pred"].update(num_channels=4),
            "channel_def must name channels 0 to 3",
        ),
        (
            lambda m: m["network_data_format"]["outputs"]["pred"].update(num_channels=2**50),
            "channel_def must name channels 0 to 1125899906842623, got 0, 1, 2",
        ),
        (
            lambda m: m["network_data_format"]["inputs"]["image"].update(spatial_shape=["many"]),
            "spatial_shape",
        ),
        (
            lambda m: m["network_data_format"].update(outputs={}),
            "inputs must contain image, and outputs pred",
        ),
    ],
)
def test_a_broken_rule_is_named(tmp_path, change, message):
    with pytest.raises(DataError, match=message) as caught:
        load_metadata(written(tmp_path, change))
    assert "\n" not in str(caught.value)


def test_a_long_key_is_not_quoted_whole(tmp_path):
    with pytest.raises(DataError, match="channel_def must name") as caught:
        load_metadata(
            written(
                tmp_path,
                lambda m: m["network_data_format"]["inputs"]["image"].update(
                    channel_def={"a" * 9000: "image"}
                ),
            )
        )
    assert len(str(caught.value)) < 500


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match="cannot read the metadata"):
        load_metadata(tmp_path / "metadata.json")


def test_a_byte_order_mark_is_named(tmp_path):
    text = (BUNDLE / "configs" / "metadata.json").read_text(encoding="utf-8")
    (tmp_path / "metadata.json").write_text(text, encoding="utf-8-sig")
    with pytest.raises(DataError, match="byte order mark, as Notepad writes it; save it as UTF-8"):
        load_metadata(tmp_path / "metadata.json")
