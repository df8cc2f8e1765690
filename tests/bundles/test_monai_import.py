"""MONAI imported for a prediction alone: less of it, and the same labels."""

import json
import subprocess
import sys

import pytest

from medseg.bundles.monai_import import HIDDEN, names_only_known
from tests.conftest import REPOSITORY

CONFIGS = sorted(REPOSITORY.glob("bundles/*/configs/inference.yaml"))
KNOWN = """
preprocessing_steps: [{_target_: LoadImaged, keys: image}]
network: {_target_: medseg.networks.UNet, depth: "@depth"}
depth: "$2 + 1"
handlers: [{_target_: StatsHandler}]
initialize: [$monai.utils.set_determinism(seed=1)]
"""


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.parents[1].name)
def test_the_bundles_that_are_shipped_need_no_more(config):
    assert names_only_known(config.read_text())


@pytest.mark.parametrize(
    "line",
    [
        "inferer: {_target_: SlidingWindowInferer}",
        "postprocessing: {_target_: Compose, transforms: [{_target_: FillHolesd}]}",
        "window: $monai.data.something()",
        "window: $__import__('skimage').io",
        "part_of: '@elsewhere'\nelsewhere: {_target_: otherpackage.thing}",
        "part_of: '%elsewhere::part'\nelsewhere: {part: {_target_: HistogramNormalized}}",
        "initialize: $import scipy.signal",
    ],
)
def test_a_config_that_may_need_more_gets_all_of_monai(line):
    assert names_only_known(KNOWN)
    assert not names_only_known(KNOWN.replace("initialize", "_") + line)


@pytest.mark.parametrize("pair", ["window=$monai.x", "network={_target_: SegResNet}"])
def test_an_override_that_may_need_more_gets_all_of_monai(pair):
    assert names_only_known(KNOWN, ["depth=2"])
    assert not names_only_known(KNOWN, [pair])


@pytest.mark.parametrize("text", ["", "[]", "a: [", "3"])
def test_what_is_no_config_gets_all_of_monai(text):
    assert not names_only_known(text)


PREDICT = """
import json, sys
if sys.argv.pop(1) == "whole":
    import monai.bundle
from medseg.cli.main import main
try:
    main()
finally:
    imported = sorted(name for name in {hidden!r} if name in sys.modules)
    import ignite.engine, skimage.measure  # can be had as ever
    print(json.dumps(imported), file=sys.stderr)
"""


def test_the_label_is_the_same_and_nothing_hidden_was_imported(tmp_path):
    from tests.data.builders import an_image, write_nifti

    image = write_nifti(tmp_path / "crop.nii.gz", an_image())
    bundle = REPOSITORY / "bundles" / "hippocampus_mri_unet3d"
    imported = {}
    for how in ("whole", "few"):
        words = ["predict", str(bundle), str(image), "-o", str(tmp_path / how)]
        code = PREDICT.format(hidden=HIDDEN)
        ended = subprocess.run(
            [sys.executable, "-c", code, how, *words], capture_output=True, text=True, check=True
        )
        imported[how] = json.loads(ended.stderr.splitlines()[-1])
    assert "ignite" in imported["whole"]
    assert not {"ignite", "matplotlib", "skimage", "scipy.signal"} & set(imported["few"])
    labels = [(tmp_path / how / "crop_seg.nii.gz").read_bytes() for how in imported]
    assert labels[0] == labels[1]
