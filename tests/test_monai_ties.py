"""What medseg takes for granted of MONAI's inside: "What breaks when MONAI moves".

The table is in docs/architecture.md. A test here that fails after an update of MONAI names the
module of medseg to look at.
"""

import inspect
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import yaml
from monai.apps.utils import get_logger
from monai.bundle import ConfigParser
from monai.bundle.utils import merge_kv
from monai.bundle.workflows import ConfigWorkflow
from monai.transforms import Compose, LoadImaged, OneOf, RandFlip, RandFlipd, Spacingd
from monai.transforms.spatial.array import SpatialResample
from monai.utils import instantiate

from medseg.bundles.recipe import WARP
from medseg.bundles.trained_network import SETTING
from medseg.transforms.linear_spacing import LinearSpacingd

ROOT = Path(__file__).parents[1]


def test_a_loading_step_keeps_its_loader_and_the_type_it_gives():
    # medseg.bundles.predictor: volumes are read by medseg, in the type that the recipe asks for
    assert LoadImaged("image", dtype=np.int16)._loader.dtype == np.int16


def test_a_change_of_spacing_keeps_its_resampling_where_it_can_be_replaced():
    # medseg.transforms.linear_spacing
    before = Spacingd("image", (1, 1, 1)).spacing_transform.sp_resample
    assert isinstance(before, SpatialResample)
    assert {"mode", "padding_mode", "align_corners", "dtype", "lazy"} <= set(dir(before))
    ours = LinearSpacingd("image", (1, 1, 1)).spacing_transform.sp_resample
    assert list(inspect.signature(type(ours).__call__).parameters) == list(
        inspect.signature(SpatialResample.__call__).parameters
    )


def test_a_chain_is_called_compose_and_one_that_chooses_is_not():
    # medseg.data.cases.chance: the steps of a chain get their chance from one generator
    step = RandFlip(prob=1)
    assert type(Compose([step])).__name__ == "Compose"
    assert Compose([step]).transforms == (step,)
    assert type(OneOf([step])).__name__ != "Compose"


def test_a_random_step_draws_from_r_and_notes_whether_it_does_anything():
    # medseg.data.cases, medseg.transforms.intensity
    step = RandFlipd("image", prob=1)
    assert isinstance(step.R, np.random.RandomState)
    state = np.random.RandomState(0)
    assert step.set_random_state(state=state).R is state
    step.randomize(None)
    assert step._do_transform


def test_a_component_that_refuses_its_values_keeps_the_error_as_the_cause():
    # medseg.errors.user_error
    with pytest.raises(RuntimeError) as caught:
        instantiate("medseg.networks.UNet", "default", spatial_dims=4, in_channels=1)
    assert isinstance(caught.value.__cause__, TypeError)
    with pytest.raises(RuntimeError) as caught:
        instantiate(
            "medseg.networks.UNet", "default", spatial_dims=4, in_channels=1, out_channels=2
        )
    assert "UNet: spatial_dims" in str(caught.value.__cause__)


def test_loggers_have_names_below_monai():
    # medseg._quiet
    assert get_logger("monai.tests.ties").name.partition(".")[0] == "monai"


def test_a_part_that_is_missing_has_its_error():
    # medseg.bundles.configs
    with pytest.raises(KeyError):
        merge_kv(ConfigParser({}), "b#c", 2)


def test_the_resolver_knows_the_id_of_a_part_that_fails_and_says_what_failed():
    # medseg.bundles.complaints, which has a test for each of the messages
    parser = ConfigParser({"part": {"inner": "$1/0"}})
    with pytest.raises(RuntimeError, match="Failed to evaluate ConfigExpression: ") as caught:
        parser.get_parsed_content("part")
    frames = [entry.frame for entry in caught.traceback]
    ids = [frame.f_locals["id"] for frame in frames if frame.code.name == "_resolve_one_item"]
    assert ids == ["part", "part::inner"]


def test_a_workflow_knows_the_folder_of_its_configs():
    # medseg.bundles.root
    assert "self.config_root_path = " in inspect.getsource(ConfigWorkflow.__init__)


def test_a_hash_in_an_id_or_a_text_becomes_two_colons():
    # medseg.bundles.run, medseg.bundles.overrides
    parser = ConfigParser({"a": {"b": 1}, "c": "@a#b", "path": "x#y"})
    parser.parse()
    assert parser.get_parsed_content("c") == parser["a#b"] == parser["a::b"] == 1
    assert parser.get_parsed_content("path") == "x::y"


def test_a_workflow_shows_its_parser():
    # medseg.bundles.predictor
    assert "self.parser" in inspect.getsource(ConfigWorkflow.__init__)


def test_a_workflow_without_files_reads_none_also_where_there_are_some(tmp_path, monkeypatch):
    # medseg.bundles.workflow
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "metadata.json").write_text('{"version": "9.9.9"}')
    (tmp_path / "configs" / "logging.conf").write_text("no logging")
    monkeypatch.chdir(tmp_path)
    workflow = ConfigWorkflow(config_file=None, meta_file=[], logging_file=False, run_id="go")
    assert workflow.parser.get() == {"_meta_": {}}
    workflow.parser.set({"go": ["$1 + 1"], "_meta_": {"version": "1.0.0"}})
    assert workflow.parser.get("_meta_") == {"version": "1.0.0"}
    assert workflow._run_expr(id="go") == [2]


def test_a_macro_that_names_a_file_is_told_from_one_that_names_a_key():
    # medseg.bundles.macro_files
    assert ConfigParser.split_path_id("other.yaml#a#b") == ("other.yaml", "a::b")
    assert ConfigParser.split_path_id("a::b") == ("", "a::b")


@pytest.mark.parametrize("name", [WARP, SETTING])
def test_dotted_names_that_are_looked_for_in_configs_are_those_that_configs_use(name):
    # medseg.bundles.recipe, medseg.bundles.trained_network
    module, _, attribute = name.rpartition(".")
    assert hasattr(import_module(module), attribute)
    configs = [*ROOT.glob("transforms/*.yaml"), *ROOT.glob("bundles/*/configs/*.yaml")]
    assert any(name in targets(yaml.safe_load(path.read_text())) for path in configs)


def targets(config):
    if isinstance(config, dict):
        inside = set().union(*map(targets, config.values())) if config else set()
        return inside | {config["_target_"]} if "_target_" in config else inside
    return set().union(*map(targets, config)) if isinstance(config, list) and config else set()
