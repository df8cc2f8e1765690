"""Read, predict and write one case, from its file to its row in the ledger."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from medseg._files import remove_remains
from medseg.bundles.predictor import Predictor
from medseg.data.datasets.expected import Expected
from medseg.data.datasets.intake import image_problems, refuse_errors
from medseg.data.dicom.allowances import Gaps, Tilt
from medseg.data.digest import file_sha256
from medseg.data.images.channels import read_channels
from medseg.data.images.naming import is_raster
from medseg.data.images.picture import Picture, read_picture
from medseg.data.images.volume import Volume, read_volume
from medseg.data.label_kind import as_classes
from medseg.data.problems import Problem
from medseg.inference.forecast import Forecast
from medseg.inference.maps import VoxelMaps
from medseg.inference.save import save_label, save_map
from medseg.prediction.case_outputs import draw_overlay, write_dicom
from medseg.prediction.cases import CohortCase
from medseg.prediction.ledger import Entry, Ledger
from medseg.prediction.outputs import CaseFiles
from medseg.prediction.plan import Settings
from medseg.prediction.request import Remarkable
from medseg.prediction.tables import RunningTable
from medseg.reports.volumes import (
    StructureVolume,
    area_columns,
    made_by_columns,
    measure_volumes,
    volume_columns,
)

if TYPE_CHECKING:
    from medseg.data.dicom.series import DicomFacts

__all__ = ["CaseSteps", "Labelled", "Ready"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Ready:
    """A case that was read and preprocessed; `warnings` are what is remarkable about the image."""

    case: CohortCase
    key: str
    volume: Volume | Picture
    warnings: tuple[Problem, ...]
    image: Any
    forecast: Forecast | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Labelled:
    """A case with its label in the volume's grid."""

    case: CohortCase
    key: str
    volume: Volume | Picture
    warnings: tuple[Problem, ...]
    label: NDArray[Any]
    maps: VoxelMaps | None
    forecast: Forecast | None


@dataclass(frozen=True, kw_only=True)
class CaseSteps:
    """The three stages of a case.

    Attributes:
        predictor: The opened bundle.
        settings: Settings of the run, recorded with each case.
        expected: What the bundle says of its images.
        remarkable: What is done with a case that there is a warning about.
        ledger: Ledger of the output folder.
        table: Table of volumes of the output folder.
        files: Returns the output files of a case.
        tilt: What to do with DICOM series with gantry tilt.
        gaps: What to do with gaps in DICOM series.
        output: Output folder; maps are buffered on its disk until they are written.
        announce: Called before a case is predicted.
    """

    predictor: Predictor
    settings: Settings
    expected: Expected
    remarkable: Remarkable
    ledger: Ledger
    table: RunningTable
    files: Callable[[CohortCase], CaseFiles]
    tilt: Tilt
    gaps: Gaps
    output: Path
    announce: Callable[[Ready], None]

    def read(self, case: CohortCase) -> Ready:
        """Read and check the volume or picture, and bring it into the network's grid."""
        volume = self._read(case)
        warnings = image_problems(volume, self.expected)
        refuse_errors(case.shown, warnings)
        if self.remarkable == "refused":
            refuse_errors(case.shown, map(_as_error, warnings))
        if volume.array.dtype.itemsize > np.dtype(np.float32).itemsize:
            # Scaled NIfTI is float64, and stays in memory until the overlay is drawn.
            volume = replace(volume, array=volume.array.astype(np.float32))
        image = self.predictor.prepare(volume)
        if isinstance(volume, Volume):
            volume = replace(volume, others=())
        return Ready(
            case=case,
            key=self.settings.key(case),
            volume=volume,
            warnings=warnings,
            image=image,
            forecast=self.predictor.forecast(image),
        )

    def _read(self, case: CohortCase) -> Volume | Picture:
        if case.others:
            series = (case.series, *(case.other_series or (None,) * len(case.others)))
            given = [one or source for one, source in zip(series, case.sources, strict=True)]
            return read_channels(given, tilt=self.tilt, gaps=self.gaps)
        if is_raster(case.path):
            return read_picture(case.path, "rgb" if self.predictor.channels == 3 else "grey")
        return read_volume(case.series or case.source, tilt=self.tilt, gaps=self.gaps)

    def predict(self, ready: Ready) -> Labelled:
        """Predict the label of a case."""
        self.announce(ready)
        maps = self._maps(ready.case)
        try:
            label = self.predictor.label(ready.image, maps).array
        except BaseException:
            if maps is not None:
                maps.close()
            raise
        return Labelled(
            case=ready.case,
            key=ready.key,
            volume=ready.volume,
            warnings=ready.warnings,
            label=label,
            maps=maps,
            forecast=ready.forecast,
        )

    def _maps(self, case: CohortCase) -> VoxelMaps | None:
        kinds = tuple(self.files(case).maps)
        if not kinds:
            return None
        self.output.mkdir(parents=True, exist_ok=True)
        return VoxelMaps(kinds, self.output)

    def write(self, labelled: Labelled) -> Entry:
        """Write the files of a case between its two ledger entries, then the table of volumes."""
        try:
            return self._write(labelled)
        finally:
            if labelled.maps is not None:
                labelled.maps.close()

    def _write(self, labelled: Labelled) -> Entry:
        files = self.files(labelled.case)
        measured = self._measure(labelled)
        begun = self._begin(labelled)
        remove_remains(*files.paths)
        # DICOM first, since it may still be refused.
        write_dicom(labelled, files, self.predictor, begun, measured)
        draw_overlay(labelled, files.overlay, self.predictor, measured)
        for kind, path in files.maps.items():
            if labelled.maps is not None:
                save_map(path, labelled.maps.get(kind), labelled.volume.affine)
        if files.label is not None:
            save_label(files.label, labelled.label, labelled.volume.affine)
        done = replace(
            begun,
            status="done",
            engine=self.predictor.engine,
            outputs={path.name: file_sha256(path) for path in files.paths},
            columns={**self._made_by(), **self._columns(labelled, measured)},
            classes=[label.model_dump(exclude_none=True) for label in self.predictor.labels],
            facts=_facts(None if isinstance(labelled.volume, Picture) else labelled.volume.dicom),
        )
        self.ledger.enter(done)
        self.table.renew()
        return done

    def _measure(self, labelled: Labelled) -> list[StructureVolume]:
        """The structures of a volume; a picture has none."""
        if isinstance(labelled.volume, Picture):
            return []
        names, kind = self.predictor.class_names, self.predictor.label_kind
        label = as_classes(labelled.label, kind)
        return measure_volumes(label, labelled.volume.affine, names, self.predictor.part_of)

    def _columns(self, labelled: Labelled, measured: list[StructureVolume]) -> dict[str, str]:
        if isinstance(labelled.volume, Picture):
            names, kind = self.predictor.class_names, self.predictor.label_kind
            return area_columns(labelled.label, names, kind)
        return volume_columns(measured)

    def _made_by(self) -> dict[str, str]:
        return made_by_columns(
            self.predictor.name, self.predictor.version, self.predictor.provenance.caution
        )

    def _begin(self, labelled: Labelled) -> Entry:
        earlier = self.ledger.find(labelled.case.name)
        again = earlier is not None and earlier.key == labelled.key
        entry = Entry(
            name=labelled.case.name,
            key=labelled.key,
            status="begun",
            settings=self.settings.digest,
            source=labelled.case.recorded,
            created=earlier.created if earlier and again else datetime.now().isoformat(),
            warnings=[problem.text for problem in labelled.warnings],
            label_kind=self.predictor.label_kind,
            class_names=list(self.predictor.class_names),
        )
        self.ledger.enter(entry)
        return entry


def _as_error(warning: Problem) -> Problem:
    remedy = f"{warning.remedy}, or predict it without --strict"
    return replace(warning, severity="error", remedy=remedy)


def _facts(dicom: "DicomFacts | None") -> dict[str, Any]:
    """What was done to a series, without the list of its slices."""
    if dicom is None:
        return {}
    return {name: value for name, value in vars(dicom).items() if name != "planes"}
