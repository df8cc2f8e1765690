"""A bundle whose folds stand for its weights is packed, described and tried as any other."""

import shutil

import pytest

from medseg.bundles.judgement.judge import judge_tree
from medseg.bundles.judgement.tree import FolderTree
from medseg.bundles.plain_yaml import read_config_file
from medseg.networks.members import fold_file, joint_sha256, with_fold
from medseg.networks.provenance import read_provenance
from medseg.networks.weights import read_state, write_state
from medseg.sharing.describing.inspection import inspect_bundle
from medseg.sharing.describing.inspection_lines import inspection_lines
from medseg.sharing.describing.weights_summary import summarise_weights
from medseg.sharing.golden.trial import try_bundle
from medseg.sharing.packing.pack import PackChoices, pack_bundle
from medseg.sharing.packing.packed_weights import packed_weights
from tests.conftest import BUNDLE

pytestmark = pytest.mark.filterwarnings("ignore")

# What the header of these weights, made by an earlier version, leaves to the config.
NETWORK = read_config_file(BUNDLE / "configs" / "inference.yaml")["network_def"]["default"]
FOLDS = {f"models/fold_{fold}.safetensors" for fold in (0, 1)}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """A bundle with two folds: its shipped weights, and the same a little smaller."""
    copy = tmp_path_factory.mktemp("ensemble") / BUNDLE.name
    shutil.copytree(BUNDLE, copy, ignore=shutil.ignore_patterns("eval", "*.pt", "studies"))
    weights = copy / "models" / "model.safetensors"
    state, texts = read_state(weights)
    for fold, factor in enumerate((1.0, 0.98)):
        other = copy.parent / "trained.safetensors"
        write_state({name: tensor.float() * factor for name, tensor in state.items()}, other, texts)
        fold_file(weights.parent, fold).write_bytes(with_fold(other, fold, 2))
    weights.unlink()
    return copy


def test_the_packed_weights_are_the_folds_alone_with_one_digest_of_all(bundle):
    packed = packed_weights(bundle / "models" / "model.safetensors", "kept", NETWORK)
    assert set(packed.files) == FOLDS
    each = [read_provenance(fold_file(bundle / "models", fold)).tensors_sha256 for fold in (0, 1)]
    assert packed.tensors_sha256 == packed.source_sha256 == joint_sha256(each)
    half = packed_weights(bundle / "models" / "model.safetensors", "half", NETWORK)
    assert half.source_sha256 == packed.source_sha256 != half.tensors_sha256
    assert all(len(half.files[path]) < 0.7 * len(packed.files[path]) for path in FOLDS)


def test_it_is_safe_and_its_inspection_says_how_many_networks_there_are(bundle):
    tree = FolderTree(bundle)
    assert judge_tree(tree).verdict == "safe"
    summary = summarise_weights(tree)
    assert summary.networks == summary.provenance.members == 2
    assert summary.provenance.images is None
    assert summary.size == sum(fold_file(bundle / "models", n).stat().st_size for n in (0, 1))
    lines = "\n".join(inspection_lines(inspect_bundle(bundle), places="first"))
    assert "2 networks, whose mean is predicted" in lines


def test_folds_beside_weights_that_are_used_are_left_out_with_a_remark(bundle, tmp_path):
    both = tmp_path / bundle.name
    shutil.copytree(bundle, both)
    shutil.copy(BUNDLE / "models" / "model.safetensors", both / "models")
    packed = pack_bundle(both, PackChoices())
    assert packed.problems == ()
    assert not FOLDS & set(packed.files)
    assert any("left out, since models/model.safetensors is used" in one for one in packed.remarks)


@pytest.mark.slow
def test_its_golden_case_is_that_of_all_folds_together(bundle, tmp_path):
    packed = pack_bundle(bundle, PackChoices())
    assert packed.problems == ()
    assert {path for path in packed.files if path.startswith("models/")} == FOLDS
    for path, content in packed.files.items():
        target = tmp_path / packed.name / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    trial = try_bundle(tmp_path / packed.name, engine="torch", precision="fp32")
    assert trial.engines[0].outcome == "same"
