"""Every caller of a bundle finds its folder, wherever it stands, or is told what to give."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nibabel
import numpy as np
import pytest
from monai.bundle import (
    ConfigParser,
    ConfigWorkflow,
    ckpt_export,
    create_workflow,
    run,
    run_workflow,
    verify_net_in_out,
)

from medseg.bundles import find_bundle_root
from medseg.errors import UsageError, user_error
from tests.conftest import BUNDLE, REPOSITORY

# MONAI says on each use that a config is a program, and torch that TorchScript is old.
pytestmark = pytest.mark.filterwarnings("ignore")

OTHER = REPOSITORY / "bundles" / "hippocampus_mri_unet3d"


@pytest.fixture
def bundle(tmp_path, monkeypatch):
    """A copy of a bundle whose folder has letters that command lines stumble on; cwd is another."""
    folder = tmp_path / "a, b" / "Bündel [1]"
    shutil.copytree(BUNDLE, folder, ignore=shutil.ignore_patterns("models", "eval"))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    return folder


def config(bundle, name="inference"):
    return str(bundle / "configs" / f"{name}.yaml")


@pytest.fixture
def place(trained, phantoms, tmp_path, monkeypatch):
    """Values by which a trained bundle labels one phantom, in a folder of the test's own."""
    monkeypatch.chdir(tmp_path)
    image = phantoms / "images" / "phantom_003.nii.gz"
    return {
        "config_file": config(trained),
        "datalist": [str(image)],
        "output_dir": str(tmp_path / "labels"),
        "engine": "torch",
        "precision": "fp32",
    }


def label(place):
    return np.asarray(nibabel.load(f"{place['output_dir']}/phantom_003_seg.nii.gz").dataobj)


@pytest.mark.parametrize("name", ["inference", "train", "multi_gpu_train"])
def test_a_workflow_from_python_and_its_parser_know_the_bundle(bundle, name):
    names = {"multi_gpu_train": ["train", "multi_gpu_train"]}.get(name, [name])
    workflow = ConfigWorkflow(
        config_file=[config(bundle, each) for each in names], run_id="bundle_root"
    )
    assert workflow.run() == [str(bundle)]
    assert workflow.parser.get_parsed_content("output_dir").startswith(f"{bundle}/")


def test_parts_built_from_a_workflows_parser_later_know_the_bundle(bundle):
    workflow = create_workflow(config_file=config(bundle), workflow_type="infer")
    workflow.parser["overlap"] = 0.25  # reads the config anew
    assert workflow.parser.get_parsed_content("ckpt_path") == f"{bundle}/models/model.safetensors"
    assert workflow.bundle_root == str(bundle)


def test_bundles_in_one_process_and_in_threads_do_not_take_each_other_for_themselves(bundle):
    def root_of(folder):
        workflow = create_workflow(config_file=config(folder), workflow_type="infer")
        return workflow.parser.get_parsed_content("bundle_root")

    folders = [bundle, OTHER] * 3
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(root_of, folders)) == [str(folder) for folder in folders]


def test_monai_bundle_run_from_python_labels_like_the_command_line(place, tmp_path):
    run("inferring", **place)
    ours = label(place)
    args = tmp_path / "args.json"
    args.write_text(json.dumps({**place, "output_dir": str(tmp_path / "by_args")}))
    subprocess.run(
        [sys.executable, "-m", "monai.bundle", "run", "inferring", "--args_file", str(args)],
        check=True,
        capture_output=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    np.testing.assert_array_equal(label({"output_dir": tmp_path / "by_args"}), ours)


def test_run_workflow_with_an_args_file_from_python_finds_the_weights(place, tmp_path):
    args = tmp_path / "args.json"
    args.write_text(json.dumps({**place, "run_id": "inferring", "workflow_type": "infer"}))
    run_workflow(args_file=str(args))
    assert label(place).shape == (40, 32, 24)


def test_functions_of_monai_without_a_workflow_find_the_bundle(trained, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    meta = str(trained / "configs" / "metadata.json")
    verify_net_in_out("network_def", config_file=config(trained), meta_file=meta, device="cpu")
    script = str(tmp_path / "model.ts")
    weights = str(trained / "models" / "model.pt")
    given = {"config_file": [config(trained)], "meta_file": meta, "ckpt_file": weights}
    # Weights of another width than the config's default: they fit only where the root was found.
    ckpt_export("network_def", filepath=script, **given)
    assert Path(script).stat().st_size > 0


def test_a_bundle_run_from_python_leaves_hooks_and_signals_alone(place):
    def own():
        return sys.excepthook, threading.excepthook, signal.getsignal(signal.SIGTERM)

    before = own()
    run("inferring", **place)
    assert own() == before


def test_a_parser_alone_takes_the_root_that_it_is_given(bundle):
    parser = ConfigParser()
    parser.read_config(config(bundle))
    parser.read_meta(str(bundle / "configs" / "metadata.json"))
    parser["bundle_root"] = str(bundle)
    assert parser.get_parsed_content("output_dir") == f"{bundle}/eval"


def test_a_parser_alone_in_the_bundles_folder_needs_no_root(bundle, monkeypatch):
    monkeypatch.chdir(bundle)
    parser = ConfigParser()
    parser.read_config("configs/inference.yaml")
    assert parser.get_parsed_content("output_dir") == f"{bundle}/eval"


def test_a_parser_alone_elsewhere_is_told_what_to_give(bundle):
    parser = ConfigParser()
    parser.read_config(config(bundle))
    with pytest.raises(RuntimeError) as caught:
        parser.get_parsed_content("output_dir")
    told = user_error(caught.value)
    assert isinstance(told, UsageError)
    assert "give it, as parser['bundle_root'] = FOLDER" in str(told)


def test_other_command_lines_that_name_a_config_file_are_not_taken_for_monais(bundle, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["my_server.py", "--config_file", config(OTHER)])
    with pytest.raises(UsageError, match="bundle_root"):
        find_bundle_root()
