"""Wrong values of every key of every bundle: one line that names the key, nothing written."""

import shutil

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from medseg.bundles.configs import config_paths, overridden, read_config
from medseg.bundles.keys import bundle_keys
from medseg.bundles.overrides import parse_overrides
from medseg.bundles.values import check_values
from medseg.errors import UsageError
from tests.bundles.test_contract import BUNDLES
from tests.bundles.test_hela_cells import BUNDLE as CELLS
from tests.cli.conftest import command as command
from tests.conftest import BUNDLE

every_bundle = pytest.mark.parametrize("bundle", BUNDLES, ids=lambda path: path.name)
CONFIGS = [["train"], ["inference"], ["train", "evaluate"], ["train", "multi_gpu_train"]]
# Of each kind that a user may take for another.
WRONG = ("two", True, None, [1], {"a": 1})


def opened(bundle, names):
    return read_config(config_paths(bundle, names))


def refusal(config, pair):
    """The line that refuses an override; empty if it passes."""
    try:
        overrides = parse_overrides([pair], config)
    except UsageError as error:
        return str(error)
    return told_of(config, overrides)


def told_of(config, overrides):
    try:
        check_values(overridden(config, overrides), config)
    except UsageError as error:
        return str(error)
    return ""


@every_bundle
@pytest.mark.parametrize("names", CONFIGS, ids="+".join)
def test_the_values_of_our_own_configs_pass(bundle, names):
    check_values(opened(bundle, names))


@every_bundle
@pytest.mark.parametrize("names", [["train"], ["inference"]], ids="+".join)
def test_no_key_takes_every_kind_and_each_refusal_is_a_line_with_its_name(bundle, names):
    config = opened(bundle, names)
    for path in [key.path for key in bundle_keys(config, [])]:
        id_, name = path.replace("#", "::"), path.rpartition("#")[2]
        told = [told_of(config, {id_: value}) for value in WRONG]
        assert all("\n" not in line and name in line and len(line) < 500 for line in told if line)
        if _is_ours(path, config):
            assert any(told), path


def _is_ours(path, config):
    """Whether a key is one of the training control, whose values are all checked beforehand."""
    return "control" in config and path.rpartition("#")[2] in config["control"]


@pytest.mark.parametrize(
    ("pair", "line"),
    [
        ("epochs=two", "epochs must be a whole number from 1, got 'two'"),
        ("epochs=0", "epochs must be a whole number from 1, got 0"),
        ("epochs=1.5", "epochs must be a whole number from 1, got 1.5"),
        ("epochs=true", "epochs must be a whole number from 1, got True"),
        ("epochs=null", "epochs must be a whole number from 1, got None"),
        ("epochs=99999999999", "epochs must be at most 1000000000, got 1e+11"),
        ("quick=1", "quick must be true or false, got 1"),
        ("cache=null", "cache must be one of memory, disk, none, got None; write cache=none"),
        (
            "case_weights=none",
            "case_weights must be a list of numbers or null, got 'none'; "
            "write control#case_weights=null",
        ),
        ("ema=1", "ema must be in [0, 1) or null, got 1"),
        ("first_width=abc", "network_def#first_width must be a whole number, got 'abc'"),
        (
            "loss=DiceLoss",
            "loss must be a part, {_target_: ...}, got 'DiceLoss'; "
            "write loss='{_target_: monai.losses.DiceLoss}'",
        ),
        (
            "optimizer=sgd",
            "optimizer must be a part, {_target_: ...}, got 'sgd'; write optimizer='{_target_: "
            'torch.optim.SGD, params: "$@network.parameters()", lr: "@learning_rate"}\'',
        ),
        (
            "class_names=tumour",
            "class_names must be a list of names, the background's first, got 'tumour'; "
            "write class_names=[background,tumour]",
        ),
        ("class_names=[a, b, a]", "class_names must be different names, got 'a' twice"),
        (
            "patch_size=64",
            "patch_size must be a list of whole numbers, got 64; write patch_size=[64,64,64]",
        ),
        ("patch_size=[1]", "patch_size must be 2 or 3 whole numbers from 1, got [1]"),
        ("spacing_mm=[0, 1, 1]", "spacing_mm must be 2 or 3 positive numbers, got [0, 1, 1]"),
        (
            "window=[200,-1000]",
            "window must be two numbers [low, high], rising, got [200, -1000]; "
            "write window=[-1000,200]",
        ),
        ("dataset_dir=2024", "dataset_dir must be text, got 2024; write dataset_dir=\"'2024'\""),
        ("fold=none", "fold must be a whole number, got 'none'"),
        (
            "loss={_target_: medseg.losses.TverskyCELoss, fp_wieght: 1.0}",
            "loss#fp_wieght: TverskyCELoss has no argument fp_wieght; did you mean fp_weight?",
        ),
        (
            "network_def={_target_: torch.optim.SGD, params: []}",
            "network_def must be of the class Module, and torch.optim.SGD gives SGD",
        ),
        (
            "preprocessing_steps#3#clip=two",
            "preprocessing_steps#3#clip must be like true, got 'two'",
        ),
        ("keys=5", "keys must be like [image, label], got 5"),
    ],
    ids=lambda text: text[:24],
)
def test_the_line_says_what_it_takes_and_what_to_write(pair, line):
    assert refusal(opened(BUNDLE, ["train"]), pair) == line


@pytest.mark.parametrize(
    "pair",
    [
        "device=cpu",
        "window=[-100,100]",
        "ema=0.9",
        "ema=null",
        "epochs=@val_interval",
        "epochs=$2 * 3",
        "loss={_target_: DiceLoss, softmax: true}",
        "loss={_target_: my_package.Loss, any: 1}",
        "optimizer#fused=false",
        "augmentation_steps=[]",
        "augmentation_steps#0#warp#rotation#degrees=[1,2,3]",
        "augmentation_steps#2#factors=[0.1,0.2]",
        "dropout=0.2",
        "dropout=[0,0,0.1,0.2]",
        "dataset_dir=2026-07-01",
        "reader=[medseg.data.DicomSeriesReader, medseg.data.VolumeReader]",
    ],
)
def test_a_right_value_passes(pair):
    assert refusal(opened(BUNDLE, ["train"]), pair) == ""


@pytest.mark.parametrize(("value", "passes"), [(None, True), (1.5, True), ("two", False)])
def test_a_part_of_monai_takes_null_and_one_number_for_all_axes(value, passes):
    before = {"steps": [{"_target_": "Spacingd", "pixdim": [1.0, 1.0, 1.0]}]}
    after = {"steps": [{"_target_": "Spacingd", "pixdim": value}]}
    if passes:
        check_values(after, before)
    else:
        with pytest.raises(UsageError, match="steps#0#pixdim must be like"):
            check_values(after, before)


@pytest.mark.parametrize(
    ("pair", "line"),
    [
        ("threshold=two", "threshold must be a number, got 'two'"),
        ("least_px=1.5", "least_px must be a whole number, got 1.5"),
        ("label_kind=cells", "label_kind must be one of classes, instances, mask, got 'cells'"),
        (
            "skip=none",
            "skip must be a part, {_target_: ...} or null, got 'none'; write skip=null",
        ),
        ("engine=fast", "engine must be one of auto, torch, openvino, got 'fast'"),
    ],
)
def test_the_keys_of_prediction_too(pair, line):
    assert refusal(opened(CELLS, ["inference"]), pair) == line


TRAIN = opened(BUNDLE, ["train"])


@given(
    key=st.sampled_from(sorted(TRAIN["control"].keys() - {"_target_"})),
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
        max_leaves=4,
    ),
)
def test_any_plain_value_of_a_control_key_passes_or_is_refused_in_one_line(key, value):
    assert len(told_of(TRAIN, {f"control::{key}": value}).splitlines()) <= 1


# A run that ends where the training would begin.
BUILD = """
building:
  - {_target_: medseg.training.prepare_training, network: "@network", device: "@device",
    control: "@control"}
  - "$@train#trainer"
"""


@pytest.fixture(scope="module")
def built_bundle(tmp_path_factory):
    bundle = tmp_path_factory.mktemp("built") / BUNDLE.name
    shutil.copytree(BUNDLE, bundle, ignore=shutil.ignore_patterns("models", "eval"))
    (bundle / "configs" / "build.yaml").write_text(BUILD)
    return bundle


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ("learning_rate=$1/0", "learning_rate: the expression $1/0 fails (ZeroDivisionError"),
        ("epochs=@epochs", "@epochs and @epochs refer to each other"),
        ("optimizer={_target_: torch.optim.Adam}", "optimizer: Adam needs the argument params"),
        ("optimizer#betas=[2]", "optimizer: Adam cannot be built with these values (ValueError"),
        ("patch_size=[30,30,15]", "patch_size must be a multiple of (4, 4, 4), got (30, 30, 15)"),
        ("fold=7", "the validation split of fold 7 has no cases; folds are [0, 1, 2]"),
        ("case_weights=[1]", "case_weights must be one number for each of 2 cases, got 1"),
        ("device=gpu", "device must be cpu, cuda, or cuda:1 of several GPUs, got 'gpu'"),
        ("epochs={a: &a [*a]}", "*a refers to itself"),
        (
            "augmentation_steps#0#warp#elastic#control_spacing_mm=1",
            "control_spacing_mm must be at least half a voxel",
        ),
    ],
    ids=lambda text: text[:24],
)
def test_what_shows_only_when_a_part_is_built_is_a_line_too(
    pair, message, built_bundle, phantoms, tmp_path, command, capfd
):
    places = [f"dataset_dir={phantoms}", f"output_dir={tmp_path}/a", f"ckpt_dir={tmp_path}/b"]
    small = ["spacing_mm=[8.0,8.0,12.0]", "patch_size=[32,32,16]", "first_width=4", "depth=3"]
    given_keys = {pair.partition("=")[0]}
    words = [word for word in (*places, *small) if word.partition("=")[0] not in given_keys]
    configs = ["--config", "train", "--config", "build", "--run-id", "building"]
    for quick in ([], ["--quick"]):
        code = command("train", built_bundle, *configs, *words, pair, *quick)
        told = capfd.readouterr().err.strip().splitlines()
        assert code in (2, 3), told
        assert message in told[-1]
        assert [line for line in told if line.startswith("medseg")] == told[-1:]
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ("epochs=$foo", "epochs: the expression $foo fails (NameError: name 'foo'"),
        ("epochs=$max(@epoch, 1)", "epochs: no such key in this config: @epoch; did you mean @epo"),
        ("epochs=$1 +", "epochs: the expression $1 + is not valid Python"),
        ("epochs=@nope", "epochs: no such key in this config: @nope"),
        ("loss={_target_: medseg.losses.DiceLos}", "did you mean medseg.losses."),
        ("loss={_target_: medseg.loses.SoftDiceLoss}", "did you mean medseg.losses.SoftDiceLoss?"),
        ("loss={_target_: torch.nn.CrossEntropyLos}", "did you mean torch.nn.CrossEntropyLoss?"),
        ("loss={_target_: Nope}", "loss: no such class or function: 'Nope'"),
        (
            "loss={_target_: medseg.losses.SoftDiceLoss, smoth: 1}",
            "loss#smoth: SoftDiceLoss has no argument smoth; did you mean smooth?",
        ),
        ("reader=two", "reader: reader of LoadImaged cannot be 'two'; it may be medseg.data."),
        ("reader=medseg.data.VolumeReder", "did you mean medseg.data.VolumeReader?"),
        ("run=%nowhere", "run: a %macro refers to a key that is not there (nowhere)"),
    ],
    ids=lambda text: text[:24],
)
def test_what_is_nowhere_is_a_mistake_and_asks_for_no_trust(
    pair, message, built_bundle, tmp_path, command, capfd
):
    code = command("train", built_bundle, "--config", "train", f"dataset_dir={tmp_path}", pair)
    (line,) = capfd.readouterr().err.strip().splitlines()
    assert code == 2
    assert message in line
    assert "trust" not in line


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ("epochs=$open", "epochs: uses open, which reads"),
        ("loss={_target_: torch.nn.Bilinear}", "builds torch.nn.Bilinear"),
        ("loss={_target_: monai.losses.dice.DiceLoss}", "builds monai.losses.dice.DiceLoss"),
        ("reader=NumpyReader", "reader of LoadImaged may only be medseg.data.DicomSeriesReader or"),
        ("loss={_target_: scripts.Loss}", "builds scripts.Loss"),
        ("loss={_target_: Nope, a: $open('b')}", "open"),
    ],
    ids=lambda text: text[:24],
)
def test_what_may_be_there_and_is_not_on_the_list_needs_trust(
    pair, message, built_bundle, tmp_path, command, capfd
):
    code = command("train", built_bundle, "--config", "train", f"dataset_dir={tmp_path}", pair)
    (line,) = capfd.readouterr().err.strip().splitlines()
    assert code in (10, 11)
    assert message in line


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_a_line(built_bundle, phantoms, tmp_path, command, capfd):
    configs = ["--config", "train", "--config", "build", "--run-id", "building"]
    words = [f"dataset_dir={phantoms}", f"output_dir={tmp_path}/a", "device=cuda"]
    assert command("train", built_bundle, *configs, *words) == 4
    assert "device cuda: not on this machine" in capfd.readouterr().err.splitlines()[-1]
