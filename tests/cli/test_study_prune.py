"""`medseg study prune` as its users run it, on a tiny trained bundle."""

import csv
import json
import shutil

import pytest
from typer.testing import CliRunner

from medseg.bundles import open_predictor
from medseg.bundles.contract import check_contract
from medseg.bundles.opened import open_configs
from medseg.cli.main import app
from medseg.errors import ExitCode, MedsegError, UsageError

pytestmark = pytest.mark.filterwarnings("ignore")


def run(*arguments, code=0):
    done = CliRunner().invoke(app, [str(one) for one in arguments], catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done


def refused(*arguments):
    error = CliRunner().invoke(app, ["study", "prune", *map(str, arguments)]).exception
    assert isinstance(error, MedsegError), error
    assert error.exit_code == ExitCode.USAGE
    return str(error)


def rows(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def small(trained, phantoms, tmp_path_factory):
    """The smaller bundle's folder, with all that was made beside it."""
    out = tmp_path_factory.mktemp("smaller")
    run(
        *("study", "prune", trained, f"dataset_dir={phantoms}", "--smaller", 0.6, "-o", out),
        *("--step", 1, "--iterations", 5, "--batches", 1, "--repeats", 3),
    )
    return out


def test_every_contestant_is_scored_and_timed_beside_the_original(small):
    names = ["original", "pruned", "random channels", "from scratch", "flat"]
    contestants = rows(small / "contestants.csv")
    assert [row["network"] for row in contestants] == names
    macs = {row["network"]: int(row["macs"]) for row in contestants}
    assert macs["pruned"] == macs["random channels"] == macs["from scratch"]
    assert macs["flat"] <= macs["pruned"] <= 0.6 * macs["original"]
    # The original is its own baseline.
    assert float(contestants[0]["difference"]) == 0
    latency = rows(small / "latency.csv")
    assert {row["network"] for row in latency} == set(names)
    assert {"torch fp32", "openvino fp32"} <= {row["engine"] for row in latency}
    assert all(float(row["case_ms"]) > 0 for row in latency)
    page = (small / "prune.md").read_text(encoding="utf-8")
    assert "DSC within 0.005 of the original:" in page
    assert "Beside the flat U-Net of equal cost:" in page
    assert (small / "plots" / "cost.png").exists()


def test_the_smaller_bundle_is_a_bundle_like_any_other(small, trained, phantoms, tmp_path):
    bundle = small / "bundle" / trained.name
    assert check_contract(bundle) == []
    predictor = open_predictor(bundle)
    widths = predictor.network.describe()["widths"]
    assert widths == json.loads(rows(small / "contestants.csv")[1]["widths"])
    # Its configs state the network that its weights have.
    config = open_configs(bundle, ["train"]).merged
    assert config["network_def"]["widths"] == widths
    assert config["patch_size"] == [32, 32, 16]
    inference = open_configs(bundle, ["inference"]).merged
    assert inference["network_def"]["default"]["widths"] == widths
    run("predict", bundle, next((phantoms / "images").iterdir()), "-o", tmp_path / "labels")
    assert any((tmp_path / "labels").glob("*.nii.gz"))


def test_the_smaller_bundle_packs_and_passes_its_test(small, trained, tmp_path):
    bundle = small / "bundle" / trained.name
    run("bundle", "pack", bundle, "-o", tmp_path / "small.zip")
    assert "does here what it did" in run("bundle", "test", tmp_path / "small.zip").stdout
    run("bundle", "card", bundle, "--check")
    card = (bundle / "docs" / "README.md").read_text(encoding="utf-8")
    assert "Smaller copy of" in card
    metadata = json.loads((bundle / "configs" / "metadata.json").read_text(encoding="utf-8"))
    older = json.loads((trained / "configs" / "metadata.json").read_text(encoding="utf-8"))
    assert metadata["version"] != older["version"]
    assert metadata["changelog"][metadata["version"]].startswith("pruned: ")
    assert metadata["scores"]["weights_sha256"] in card


def test_the_smaller_bundle_trains(small, trained, phantoms, tmp_path):
    copy = shutil.copytree(small / "bundle" / trained.name, tmp_path / trained.name)
    run("train", copy, f"dataset_dir={phantoms}", "--quick")
    assert (copy / "eval" / "models" / "quick" / "model.safetensors").exists()


def test_what_is_trained_is_not_trained_again(small, trained, phantoms):
    weights = small / "contestants" / "pruned" / "model.safetensors"
    before = weights.stat().st_mtime_ns
    run(
        *("study", "prune", trained, f"dataset_dir={phantoms}", "--smaller", 0.6, "-o", small),
        *("--step", 1, "--iterations", 5, "--batches", 1, "--repeats", 3),
    )
    assert weights.stat().st_mtime_ns == before


def test_another_recipe_needs_another_folder(small, trained, phantoms):
    told = refused(
        *(trained, f"dataset_dir={phantoms}", "--smaller", 0.6, "-o", small, "--step", 1),
        *("--iterations", 6, "--batches", 1),
    )
    assert "was made with iterations 5, not 6, scratch_iterations 5, not 6; give another" in told


@pytest.fixture(scope="module")
def sensitivity(trained, phantoms, tmp_path_factory):
    out = tmp_path_factory.mktemp("sensitivity")
    run(
        *("study", "prune", trained, f"dataset_dir={phantoms}", "-o", out, "--batches", 1),
        *("--methods", "l1_structured,global_unstructured", "--amounts", "25,75"),
        *("--part-amounts", "50", "--most", 1),
        *("--beside", trained / "models" / "model.safetensors"),
    )
    return out


def test_the_whole_network_its_parts_and_each_convolution_are_pruned(sensitivity):
    found = rows(sensitivity / "ablations.csv")
    asked = {(row["selection"], row["method"], row["amount"]) for row in found}
    assert ("all", "global_unstructured", "0.75") in asked
    assert ("bottleneck", "l1_structured", "0.5") in asked
    assert ("module stem.0", "l1_structured", "0.5") in asked
    # Weights of a training by the config's seed: how far they moved is known.
    assert ("moved most", "l1_structured", "0.5") in asked
    assert {row["name"] for row in found if row["of"] == "class"} == {"lung", "infection"}
    zeros = next(r for r in rows(sensitivity / "sparsity.csv") if r["amount"] == "0.5")
    assert float(zeros["sparsity"]) == int(zeros["num_zeros"]) / int(zeros["num_elements"])
    modules = rows(sensitivity / "modules.csv")
    assert modules[0]["module"] == "stem.0"
    assert all(float(row["moved_l2"]) > 0 for row in modules)
    page = (sensitivity / "prune.md").read_text(encoding="utf-8")
    assert "**Does every block matter?**" in page
    assert "**Does a simpler architecture suffer more?** Of 4 ablations" in page
    plots = {path.stem for path in (sensitivity / "plots").glob("*.png")}
    assert {"amounts", "modules", "distances", "distributions", "filters", "predictions"} <= plots


def test_what_is_scored_is_not_scored_again(sensitivity, trained, phantoms):
    before = {p: p.stat().st_mtime_ns for p in (sensitivity / "scores").iterdir()}
    run(
        *("study", "prune", trained, f"dataset_dir={phantoms}", "-o", sensitivity),
        *("--batches", 1, "--methods", "l1_structured", "--amounts", "25", "--most", 1),
        *("--part-amounts", "50", "--module", "head"),
    )
    assert {p: p.stat().st_mtime_ns for p in (sensitivity / "scores").iterdir()} == before


def test_wrong_input_is_one_line(trained, phantoms):
    data = f"dataset_dir={phantoms}"
    assert "--smaller must be above 0 and below 1" in refused(trained, data, "--smaller", 2)
    assert "--amounts must be percentages" in refused(trained, data, "--amounts", "0.5,x")
    assert "no method 'l3'; there are global_unstructured" in refused(trained, data, "--methods=l3")
    assert "no such key" in refused(trained, data, "epoch=3")
    assert "no such convolution" in refused(
        *(trained, data, "--most", 1, "--module", "stem.9", "--batches", 1)
    )


def test_a_network_of_another_kind_is_refused():
    from torch import nn

    from medseg.studies.pruning.wiring import require_unet

    with pytest.raises(UsageError, match="its network is a Linear; only medseg"):
        require_unet(nn.Linear(1, 1), "b")
