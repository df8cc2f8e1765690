"""Rows of the GPU check: what is measured, by which section, how large, and for how long at most.

Without torch: whoever asks what should be in the table must not wait for a GPU.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

__all__ = [
    "FULL",
    "PREDICTION",
    "SECTIONS",
    "SHORT",
    "TESTS",
    "Emit",
    "Record",
    "Section",
    "Sizes",
    "Step",
    "compiled_steps",
    "eager_steps",
    "emitter",
    "read_records",
    "warp_row",
]

Tool = Literal["medseg", "peer"]
Precision = Literal["fp32", "bf16", "fp16"]
TESTS = "tests marked `cuda`"
PREDICTION = "whole-volume prediction, bf16"


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How large everything is.

    Attributes:
        patch: Voxels along each axis of a training patch, two of which make a batch, and of a
            window.
        depth: Levels of both U-Nets.
        width: Channels at full resolution.
        most: Channels at most.
        steps: Training steps that are timed, of each.
        compiled: Precisions of steps that are compiled as well, which takes a minute or so each.
        volume: Voxels of the volume that is predicted.
        predictions: Of each, timed.
        warps: Names of the augmentation benchmark's settings, or voxels of a patch of its own.
        elements: Patches of a batch that is warped.
        rounds: Batches that are warped and timed.
    """

    patch: int
    depth: int
    width: int
    most: int
    steps: int
    compiled: tuple[Precision, ...]
    volume: tuple[int, int, int]
    predictions: int
    warps: tuple[str, ...]
    elements: int
    rounds: int


FULL = Sizes(
    patch=128,
    depth=6,
    width=32,
    most=320,
    steps=10,
    compiled=("bf16", "fp16", "fp32"),
    volume=(512, 512, 300),
    predictions=3,
    warps=("2-D, 512x512", "3-D, 96^3", "3-D, 128^3"),
    elements=8,
    rounds=10,
)
SHORT = Sizes(
    patch=16,
    depth=2,
    width=4,
    most=8,
    steps=2,
    compiled=("bf16",),
    volume=(24, 24, 16),
    predictions=1,
    warps=("3-D, 16^3",),
    elements=2,
    rounds=1,
)


@dataclass(frozen=True)
class Step:
    """One way to train.

    Attributes:
        precision: Of the convolutions.
        compiled: By torch.compile or not.
        search: Whether cuDNN tries its algorithms (`benchmark`), which nnU-Net asks it to, or
            chooses one by itself, as in medseg's bundles.
    """

    precision: Precision
    compiled: Literal["eager", "compiled"]
    search: Literal["tried", "chosen"] = "tried"

    @property
    def row(self) -> str:
        """Its name in the table."""
        chosen = ", algorithms chosen by cuDNN" if self.search == "chosen" else ""
        return f"training step, {self.precision}, {self.compiled}{chosen}"


def eager_steps() -> tuple[Step, ...]:
    """The most telling first: time may be up before the last."""
    every = tuple(Step(precision, "eager") for precision in ("bf16", "fp16", "fp32"))
    return (*every, Step("bf16", "eager", "chosen"))


def compiled_steps(sizes: Sizes) -> tuple[Step, ...]:
    """Likewise."""
    return tuple(Step(precision, "compiled") for precision in sizes.compiled)


def warp_row(name: str, elastic: str) -> str:
    """The name in the table of a batch that is warped."""
    return f"warped patch, {name}, elastic deformation {elastic}"


@dataclass(frozen=True)
class Section:
    """A part of the check, in a process of its own.

    Attributes:
        name: For the command line.
        seconds: After which it is stopped.
        rows: What it should leave in the table.
    """

    name: str
    seconds: int
    rows: Callable[[Sizes], list[str]]


# By how much they tell for their time. The last one waits for a compiler, and gets what is left.
SECTIONS = (
    Section("tests", 110, lambda _: [TESTS]),
    Section("training", 100, lambda _: [step.row for step in eager_steps()]),
    Section("warp", 60, lambda sizes: [warp_row(n, e) for n in sizes.warps for e in ("on", "off")]),
    Section("prediction", 100, lambda _: [PREDICTION]),
    Section("compiled", 240, lambda sizes: [step.row for step in compiled_steps(sizes)]),
)


@dataclass(frozen=True, kw_only=True)
class Record:
    """What became of one tool in one row; a later one of the same two replaces it.

    Attributes:
        row: See `Section`.
        tool: Whose.
        ms: Milliseconds of a step, of a patch or of a volume.
        gb: Most memory that torch held on the GPU for it.
        busy: Share of the time in which the GPU computed.
        note: Anything else, such as why there are no numbers.
    """

    row: str
    tool: Tool = "medseg"
    ms: float | None = None
    gb: float | None = None
    busy: float | None = None
    note: str = ""


Emit = Callable[[Record], None]


def emitter(path: Path) -> Emit:
    """What adds a record to a file, at once: a section that is stopped keeps what it measured."""

    def emit(record: Record) -> None:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(record)) + "\n")

    return emit


def read_records(lines: Iterable[str]) -> dict[tuple[str, Tool], Record]:
    """The last record of each row and tool; a line that was cut short is passed over."""
    found: dict[tuple[str, Tool], Record] = {}
    for line in lines:
        if line.endswith("}\n"):
            record = Record(**json.loads(line))
            found[record.row, record.tool] = record
    return found
