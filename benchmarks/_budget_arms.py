"""Arms of the comparison at equal time: from a folder of training cases to labels of test cases.

All that is between the data and the weights counts: start-up, planning, preprocessing, training.
Prediction of the test cases does not. Each arm runs the commands that a user would type.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks._budget_sets import REPOSITORY, DataSet

__all__ = ["ARMS", "Budget", "Failed"]

# Seconds between the start of `medseg train` and the first step, which its time limit does not
# count: imports, checks, preprocessing of small data.
_START_SECONDS = {"hippocampus": 15.0, "sarcoma_pet": 15.0, "nuclei": 25.0}


class Failed(Exception):  # noqa: N818 - what an arm did, not an error of this program
    """A command ended with an error; its last lines."""


@dataclass
class Budget:
    """The clock of one arm.

    Attributes:
        minutes: What it may take.
        peers: Python that has nnU-Net.
        seconds: What each step took, by name.
        peak_gb: Most memory that a process of it had at a time, by name, in 1e9 bytes.
        forecast: What `medseg plan` said of its training, empty for others.
    """

    minutes: float
    peers: str
    seconds: dict[str, float] = field(default_factory=dict)
    peak_gb: dict[str, float] = field(default_factory=dict)
    forecast: dict[str, Any] = field(default_factory=dict)
    begun: float = field(default_factory=time.time)

    @property
    def deadline(self) -> float:
        """When the time is over, in seconds of the clock."""
        return self.begun + 60 * self.minutes

    def run(self, step: str, command: Sequence[str], log: Path, **environment: str) -> None:
        """Run a command and note how long it took.

        Raises:
            Failed: If it ends with an error.
        """
        started = time.time()
        with log.open("a", encoding="utf-8") as lines:
            process = subprocess.Popen(
                list(command),
                stdout=lines,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONPATH": str(REPOSITORY), **environment},
            )
            _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.seconds[step] = round(time.time() - started, 1)
        self.peak_gb[step] = round(used.ru_maxrss * 1024 / 1e9, 3)
        if process.returncode:
            tail = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-3:]
            raise Failed(
                f"{' '.join(command[:5])} ...: exit {process.returncode}: {' | '.join(tail)}"
            )


def planned(data_set: DataSet, layout: Path, folder: Path, budget: Budget) -> Path:
    """`medseg plan`, `medseg train`, `medseg predict`."""
    log, task = folder / "log.txt", folder / "task"
    images, labels = (layout / "train" / kind for kind in ("images", "labels"))
    budget.run(
        "plan",
        [
            *[*_MEDSEG, "plan", str(task), "--images", f"{images}/*{data_set.ending}"],
            *["--labels", f"{labels}/*{data_set.ending}", "--modality", data_set.modality],
            *["--label-names", ",".join(data_set.class_names), "--minutes", str(budget.minutes)],
        ],
        log,
    )
    plan = json.loads((task / "docs" / "plan.json").read_text(encoding="utf-8"))
    budget.forecast = plan["forecast"]
    output = folder / "output"
    pairs = [f"output_dir={output}", f"max_minutes={_minutes_left(data_set, budget):.2f}"]
    budget.run("train", [*_MEDSEG, "train", str(task), *pairs, *_FALLING], log)
    return _predicted(data_set, layout, folder, task, output, budget)


def hand_made(data_set: DataSet, layout: Path, folder: Path, budget: Budget) -> Path:
    """The hippocampus bundle as it is shipped, but for the end of its schedule."""
    if data_set.name != "hippocampus":
        raise Failed("only the hippocampus has a bundle made by hand")
    bundle = REPOSITORY / "bundles" / "hippocampus_mri_unet3d"
    text = (REPOSITORY / "data_manifests" / "msd_hippocampus.json").read_text(encoding="utf-8")
    manifest = json.loads(text)
    # Fold 0 is for the test; of the others the first is held out.
    kept = [{**case, "fold": case["fold"] - 1} for case in manifest["training"] if case["fold"]]
    data = layout / "train"
    (data / "manifest.json").write_text(
        json.dumps({**manifest, "training": kept}), encoding="utf-8"
    )
    output = folder / "output"
    pairs = [
        f"dataset_dir={data}",
        f"output_dir={output}",
        f"max_minutes={_minutes_left(data_set, budget):.2f}",
        # As many epochs as no budget here has; the rate ends with the minutes.
        "epochs=1000",
        "iterations_per_epoch=25",
    ]
    log = folder / "log.txt"
    budget.run("train", [*_MEDSEG, "train", str(bundle), *pairs, *_FALLING], log)
    return _predicted(data_set, layout, folder, bundle, output, budget)


def nnunet(data_set: DataSet, layout: Path, folder: Path, budget: Budget) -> Path:
    """NnU-Net, its plan for a small memory, its rate ending at zero with the budget."""
    names = {f"nnUNet_{kind}": str(folder / kind) for kind in ("raw", "preprocessed", "results")}
    raw = folder / "raw" / "Dataset001_task"
    _nnunet_layout(data_set, layout, raw)
    log, predicted = folder / "log.txt", folder / "predicted"
    configuration, gigabytes = data_set.nnunet
    scripts = Path(budget.peers).parent
    environment = {**names, "nnUNet_n_proc_DA": "1"}
    budget.run(
        "plan",
        [
            *[str(scripts / "nnUNetv2_plan_and_preprocess"), "-d", "1", "-npfp", "2", "-np", "2"],
            *["-c", configuration, "-gpu_memory_target", str(gigabytes)],
            *["-overwrite_plans_name", "nnUNetPlans"],
        ],
        log,
        **environment,
    )
    script = str(REPOSITORY / "benchmarks" / "_budget_nnunet.py")
    budget.run(
        "train",
        [budget.peers, script, "train", configuration, str(budget.deadline)],
        log,
        **environment,
    )
    images = folder / "test"
    _numbered(layout / "test" / "images", images, data_set.ending)
    budget.run(
        "predict",
        [budget.peers, script, "predict", configuration, str(images), str(predicted)],
        log,
        **environment,
    )
    return predicted


def _nnunet_layout(data_set: DataSet, layout: Path, raw: Path) -> None:
    _numbered(layout / "train" / "images", raw / "imagesTr", data_set.ending)
    shutil.copytree(layout / "train" / "labels", raw / "labelsTr")
    described = {
        "channel_names": {str(n): name for n, name in enumerate(data_set.channels)},
        "labels": {name: value for value, name in enumerate(data_set.class_names)},
        "numTraining": len(list((raw / "labelsTr").iterdir())),
        "file_ending": data_set.ending,
    }
    (raw / "dataset.json").write_text(json.dumps(described), encoding="utf-8")


def _numbered(images: Path, folder: Path, ending: str) -> None:
    folder.mkdir(parents=True)
    for image in images.iterdir():
        name = image.name.removesuffix(ending)
        (folder / f"{name}_0000{ending}").symlink_to(image.resolve())


def _predicted(
    data_set: DataSet, layout: Path, folder: Path, bundle: Path, output: Path, budget: Budget
) -> Path:
    weights = next(output.rglob("model.safetensors"), None)
    weights = weights or bundle / "models" / "model.safetensors"
    predicted = folder / "predicted"
    command = [*_MEDSEG, "predict", str(bundle), str(layout / "test" / "images")]
    budget.run(
        "predict",
        [*command, "-o", str(predicted), "--weights", str(weights)],
        folder / "log.txt",
    )
    return predicted


def _minutes_left(data_set: DataSet, budget: Budget) -> float:
    """Minutes for `max_minutes`, at least a few seconds."""
    left = budget.deadline - time.time() - _START_SECONDS[data_set.name]
    return max(0.1, left / 60)


_MEDSEG = (sys.executable, "-m", "medseg")
_FALLING = ("schedule=polynomial", "control#schedule_over=minutes", "control#tensorboard=none")
Arm = Callable[[DataSet, Path, Path, Budget], Path]
ARMS: dict[str, Arm] = {"medseg": planned, "hand-made": hand_made, "nnunet": nnunet}
