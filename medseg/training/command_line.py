"""Command lines that go on from a training: resume it, score its weights, predict with them.

They are made from the line that started this process, so that they can be pasted as they are:
what it overrides, such as `dataset_dir`, holds for them too. A training that another program
started, such as a notebook, has no line to repeat.
"""

import os
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["TrainingLine", "predict_line", "read_line", "resume_line", "score_line"]

# Of the options of `medseg train` and `monai.bundle run`, those that are no keys of a config.
_OPTIONS = ("config", "run-id")
_OF_MONAI = {
    "run_id", "init_id", "final_id", "meta_file", "config_file", "logging_file", "tracking",
    "args_file", "runner_id", "workflow_name", "workflow_type", "properties_path",
}  # fmt: skip
# Keys that say how this training begins or where its weights go.
_OF_TRAINING = ("start", "overwrite", "quick", "ckpt_dir")
_CONFIG = re.compile(r"[^\[\](){},'\"]+\.(?:yaml|yml|json)")


@dataclass(frozen=True, kw_only=True)
class TrainingLine:
    """What a command line trains.

    Attributes:
        program: The words before the bundle.
        bundle: The bundle's folder or name, as given.
        configs: Names or paths of its configs, in order.
        pairs: Its overrides, as `KEY=VALUE`.
    """

    program: tuple[str, ...]
    bundle: str
    configs: tuple[str, ...]
    pairs: tuple[str, ...]


def read_line(arguments: Sequence[str]) -> TrainingLine | None:
    """Read `sys.argv` of `medseg train` or of `python -m monai.bundle run`.

    Returns:
        None for the line of any other program.
    """
    program = arguments[0].replace("\\", "/") if arguments else ""
    if program.endswith("monai/bundle/__main__.py"):
        return _of_monai(arguments[1:])
    name = Path(program).name.removesuffix(".exe")
    if name != "medseg" and not program.endswith("medseg/__main__.py"):
        return None
    words = ("medseg",) if name == "medseg" else ("python", "-m", "medseg")
    return _of_medseg(words, [word for word in arguments[1:] if word != "--debug"])


def resume_line(arguments: Sequence[str]) -> str | None:
    """The line that resumes a training, or None if it cannot be told.

    Args:
        arguments: `sys.argv` of the training.
    """
    line = read_line(arguments)
    if line is None:
        return None
    words = list(arguments[1:])
    if line.program[-1] == "medseg":
        kept = [word for word in words if word.partition("=")[0] not in ("start", "overwrite")]
        return shlex.join([*line.program, *kept, "start=resume"])
    kept = _without_option(words, ("start", "overwrite"))
    return shlex.join([*_monai_program(), *kept, "--start", "resume"])


def score_line(line: TrainingLine, weights_folder: Path) -> str:
    """The line that scores a training's weights on its validation cases."""
    pairs = [pair for pair in line.pairs if pair.partition("=")[0] not in _OF_TRAINING]
    configs = [word for name in (*line.configs, "evaluate") for word in ("--config", name)]
    words = [*_medseg_program(line), "train", line.bundle, *configs, "--run-id", "evaluating"]
    return shlex.join([*words, *pairs, f"ckpt_dir={weights_folder}"])


def predict_line(line: TrainingLine, weights: Path, image: str) -> str:
    """The line that predicts an image with a training's weights."""
    words = [*_medseg_program(line), "predict", line.bundle, image, "-o", "labels"]
    of_bundle = Path(line.bundle) / "models" / weights.name
    is_its_own = of_bundle.is_file() and of_bundle.samefile(weights)
    return shlex.join(words if is_its_own else [*words, "--weights", str(weights)])


def _of_medseg(program: tuple[str, ...], words: Sequence[str]) -> TrainingLine | None:
    configs: list[str] = []
    given: list[str] = []
    rest = iter(words)
    for word in rest:
        name, equals, value = word.removeprefix("--").partition("=")
        if word.startswith("--") and name in _OPTIONS:
            value = value if equals else next(rest, "")
            configs += [value] if name == "config" else []
        elif not word.startswith("--"):
            given.append(word)
    if len(given) < 2 or given[0] != "train":
        return None
    return TrainingLine(
        program=program,
        bundle=given[1],
        configs=tuple(configs or ["train"]),
        pairs=tuple(given[2:]),
    )


def _of_monai(words: Sequence[str]) -> TrainingLine | None:
    options = _monai_options(words)
    files = [Path(found.strip()) for found in _CONFIG.findall(options.get("config_file", ""))]
    of_training = [file for file in files if file.stem == "train" and file.parent.name == "configs"]
    if not of_training:
        return None
    own = [file for file in files if file.parent != of_training[0].parent]
    return TrainingLine(
        program=_monai_program(),
        bundle=str(of_training[0].parents[1]),
        configs=("train", *map(str, own)),
        pairs=tuple(f"{key}={value}" for key, value in options.items() if key not in _OF_MONAI),
    )


def _monai_options(words: Sequence[str]) -> dict[str, str]:
    options: dict[str, str] = {}
    rest = iter(words)
    for word in rest:
        name, equals, value = word.removeprefix("--").partition("=")
        if word.startswith("--"):
            options[name.replace("-", "_")] = value if equals else next(rest, "")
    return options


def _without_option(words: Sequence[str], names: Sequence[str]) -> list[str]:
    kept: list[str] = []
    rest = iter(words)
    for word in rest:
        name, equals, _ = word.removeprefix("--").partition("=")
        if word.startswith("--") and name in names:
            if not equals:
                next(rest, "")
        else:
            kept.append(word)
    return kept


def _monai_program() -> tuple[str, ...]:
    count = os.environ.get("LOCAL_WORLD_SIZE")
    if count is None:
        return ("python", "-m", "monai.bundle")
    return ("torchrun", "--standalone", f"--nproc_per_node={count}", "-m", "monai.bundle")


def _medseg_program(line: TrainingLine) -> tuple[str, ...]:
    return line.program if line.program[-1] == "medseg" else ("medseg",)
