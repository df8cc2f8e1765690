"""Trial of a packed bundle: its golden case labelled here, by each engine, and compared.

A digest says that the files arrived; this says that they do what they did where they were packed.
"""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from medseg.bundles.image_reading import read_bundle_image
from medseg.bundles.predictor import Predictor, open_predictor
from medseg.data.digest import file_sha256, voxels_sha256
from medseg.data.images.picture import read_image
from medseg.data.label_kind import as_classes
from medseg.errors import DataError, MachineError, UsageError
from medseg.inference.engines.open_engine import engine_candidates
from medseg.inference.engines.words import EngineChoice, PrecisionChoice
from medseg.metrics.voxel_counts import confusion, one_against_rest
from medseg.sharing.golden.golden import GoldenCase, read_golden
from medseg.sharing.layout import CASE, GOLDEN

__all__ = ["EngineTrial", "Trial", "try_bundle"]

_MOST_CASE_BYTES = 1_000_000


@dataclass(frozen=True, kw_only=True)
class EngineTrial:
    """The golden case, labelled by one engine.

    Attributes:
        engine: Engine and precision, e.g. `torch fp32`.
        outcome: `same` for the very label that is expected, `near` for one within the tolerance,
            `far` for another; `not run` where the engine cannot be used here.
        dsc: Dice similarity coefficient by class, without the background.
        least_dsc: What each of them has to reach.
        objects: How many objects there are and how many are expected; None if values are classes.
        seconds: For one case, the opening of the bundle not counted.
        reason: Why it was not run.
    """

    engine: str
    outcome: Literal["same", "near", "far", "not run"]
    dsc: Mapping[str, float]
    least_dsc: float
    objects: tuple[int, int] | None = None
    seconds: float = 0.0
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """The golden case of a bundle, labelled by one or several engines.

    Attributes:
        name: Of the bundle.
        version: As `name`.
        engines: One entry for each engine.
    """

    name: str
    version: str
    engines: tuple[EngineTrial, ...]

    @property
    def passed(self) -> bool:
        """Whether an engine ran, and every one that ran gave the label that is expected."""
        outcomes = {one.outcome for one in self.engines} - {"not run"}
        return bool(outcomes) and "far" not in outcomes


def try_bundle(
    bundle: str | Path, *, engine: EngineChoice = "auto", precision: PrecisionChoice = "auto"
) -> Trial:
    """Label the golden case of a bundle's folder, and compare it with the expected label.

    The bundle is judged first, as for a prediction.

    Args:
        bundle: The folder; of a zip, see `sharing.golden.unpacked`.
        engine: `auto` tries every engine that a prediction would try on this machine.
        precision: As `engine`.

    Raises:
        DataError: If there is no golden case, or its files, or the weights, are others than listed.
        MachineError: If the engine that was asked for cannot be used here.
    """
    bundle = Path(bundle)
    case = _golden_case(bundle)
    expected = read_image(bundle / GOLDEN / case.label, where="label").array
    # Opened without a choice first: it knows the device, and the weights are compared once.
    opened = open_predictor(bundle)
    if opened.provenance.tensors_sha256 != case.weights_sha256:
        raise DataError(
            f"{bundle}: has other weights than those that its golden case was made with; pack it "
            "anew, or fetch it again"
        )
    candidates = engine_candidates(engine, precision, opened.device)
    tried = [_tried(bundle, case, expected, one) for one in candidates]
    if engine != "auto" and tried[0].outcome == "not run":
        raise MachineError(f"{tried[0].engine} cannot be used here: {tried[0].reason}")
    return Trial(name=opened.name, version=opened.version, engines=tuple(tried))


def _golden_case(bundle: Path) -> GoldenCase:
    path = bundle / CASE
    if not path.is_file():
        raise DataError(
            f"{bundle}: has no golden case ({CASE}), so it cannot be tested; `medseg bundle pack` "
            "adds one"
        )
    with path.open("rb") as stream:
        case = read_golden(stream.read(_MOST_CASE_BYTES), str(bundle))
    for name, digest in ((case.image, case.image_sha256), (case.label, case.label_sha256)):
        file = path.parent / name
        if not file.is_file() or file_sha256(file) != digest:
            raise DataError(f"{file}: is missing, or another than {CASE} says; fetch it again")
    return case


def _tried(
    bundle: Path, case: GoldenCase, expected: NDArray[Any], choice: tuple[str, str]
) -> EngineTrial:
    engine, precision = choice
    name = f"{engine} {precision}"
    least = case.least_dsc[name]
    try:
        predictor = open_predictor(bundle, overrides={"engine": engine, "precision": precision})
        begun = time.perf_counter()
        label = _label(predictor, bundle / GOLDEN / case.image)
    except (MachineError, UsageError) as error:
        return EngineTrial(
            engine=name, outcome="not run", dsc={}, least_dsc=least, reason=str(error)
        )
    seconds = time.perf_counter() - begun
    if label.shape != expected.shape:
        raise DataError(
            f"{bundle}: labels its golden case with {label.shape} voxels, {expected.shape} are "
            "expected"
        )
    dsc = _dsc(case, label, expected)
    objects = _objects(label, expected) if case.label_kind == "instances" else None
    same = voxels_sha256(label) == case.voxels_sha256
    near = min(dsc.values()) >= least and _about_as_many(objects, least)
    return EngineTrial(
        engine=name,
        outcome="same" if same else "near" if near else "far",
        dsc=dsc,
        least_dsc=least,
        objects=objects,
        seconds=seconds,
    )


def _label(predictor: Predictor, image: Path) -> NDArray[Any]:
    """The golden case's label, `(I, J, K)`; K is 1 for a picture."""
    source = read_bundle_image(image, predictor.channels)
    array = predictor.label(predictor.prepare(source)).array
    return array[..., None] if array.ndim == 2 else array


def _dsc(case: GoldenCase, label: NDArray[Any], expected: NDArray[Any]) -> dict[str, float]:
    # Numbers of objects may differ, so that they are compared as one class.
    pred, truth = (as_classes(one, case.label_kind) for one in (label, expected))
    count = len(case.classes)
    if max(pred.max(), truth.max()) >= count:
        raise DataError(f"golden case: a label holds values beyond its {count} classes")
    counts = one_against_rest(confusion(pred, truth, count))
    names = case.classes[1:]
    return {name: _dice(*row[:3]) for name, row in zip(names, counts[1:], strict=True)}


def _dice(tp: int, fp: int, fn: int) -> float:
    """A class that is in neither counts 1, in one of them 0."""
    both = 2 * int(tp) + int(fp) + int(fn)
    return 2 * int(tp) / both if both else 1.0


def _objects(label: NDArray[Any], expected: NDArray[Any]) -> tuple[int, int]:
    here, there = (np.unique(one[one > 0]).size for one in (label, expected))
    return here, there


def _about_as_many(objects: tuple[int, int] | None, least: float) -> bool:
    """Whether the number of objects is within the tolerance that Dice has, rounded up."""
    if objects is None:
        return True
    here, there = objects
    return abs(here - there) <= math.ceil((1 - least) * there)
