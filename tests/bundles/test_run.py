"""What running a bundle from Python leaves as it was, and says when it cannot."""

import logging
import sys

import pytest

from medseg.bundles import run_bundle
from medseg.errors import DataError
from tests.conftest import BUNDLE


def test_a_run_that_fails_leaves_hook_and_loggers_as_they_were(tmp_path):
    hook = sys.excepthook
    names = ["monai", "ignite", *logging.Logger.manager.loggerDict]
    levels = {name: logging.getLogger(name).level for name in names}
    with pytest.raises(DataError, match="no such folder; set dataset_dir"):
        run_bundle(
            BUNDLE,
            configs=["inference"],
            run_id="inferring",
            overrides={
                "dataset_dir": str(tmp_path / "nowhere"),
                "ckpt_path": str(tmp_path / "model.safetensors"),
                "datalist": {"_target_": "medseg.data.list_images", "folder": "@dataset_dir"},
                "run": ["$@datalist"],
            },
            log="quiet",
        )
    assert sys.excepthook is hook
    assert {name: logging.getLogger(name).level for name in names} == levels
