"""Search for the cases of a prediction: volumes and pictures behind files, folders and DICOM."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from medseg._text import printable, safe_name
from medseg.data.datasets.folder_images import left_out, sort_folder
from medseg.data.dicom.input import is_dicom
from medseg.data.images.naming import format_words, image_stem
from medseg.data.source import Source
from medseg.data.walk import FETCH, Tree, walk_tree
from medseg.errors import DataError, UsageError, user_error
from medseg.prediction.cases import CohortCase, LeftOut, Refused
from medseg.prediction.earlier_outputs import earlier_outputs, is_earlier_output

if TYPE_CHECKING:
    from medseg.data.dicom.find import DicomSeries
    from medseg.prediction.naming import NameWord

__all__ = ["Found", "Search", "SeriesChoice", "find_cases"]

SeriesChoice = Literal["one", "all"]

# Headers of at most this many slices are kept in memory, some 100 MB; in a cohort of thousands of
# series, the others are searched for again when they are read.
_KEPT_SLICES = 100_000


@dataclass(frozen=True, kw_only=True)
class Search:
    """How cases are searched for.

    Attributes:
        modality: Modality that DICOM series must have; None takes any.
        series_uid: Selects the series of the one DICOM input.
        which: Take one series of a DICOM input, or each that fits.
        name_by: What outputs of DICOM series are named by.
        persons: Whether patient and study are kept with each case, for a key file.
    """

    modality: str | None = None
    series_uid: str | None = None
    which: SeriesChoice = "one"
    name_by: "tuple[NameWord, ...]" = ("uid",)
    persons: Literal["left", "kept"] = "left"


@dataclass(frozen=True)
class Found:
    """What was found in the inputs.

    Attributes:
        cases: Cases, each once.
        refused: Inputs and files that cannot be used.
        left_out: What was left out of folders, by reason.
        told: Lines about it for the user.
    """

    cases: list[CohortCase] = field(default_factory=list[CohortCase])
    refused: list[Refused] = field(default_factory=list[Refused])
    left_out: list[LeftOut] = field(default_factory=list[LeftOut])
    told: list[str] = field(default_factory=list[str])

    def leave_out(self, number: int, counts: dict[str, int]) -> None:
        """Note what was left out of an input."""
        shown = f"input {number}"
        if counts:
            words = ", ".join(f"{count} {what}" for what, count in counts.items())
            self.told.append(f"{shown}: left out: {words}")
        self.left_out.extend(LeftOut(shown, what, count) for what, count in counts.items())


def find_cases(inputs: Sequence[Source], search: Search | None = None) -> Found:
    """Find the volumes behind files and folders.

    Args:
        inputs: Volume files and pictures; DICOM as a folder, a zip or a file; folders, in which
            all volume files are taken, or all pictures if there are neither volumes nor DICOM.
        search: How they are searched for; None takes the defaults.

    Raises:
        UsageError: If a UID is given for several inputs, for one that is not DICOM, or where all
            series are to be taken.
    """
    search = search or Search()
    if search.series_uid is not None and len(inputs) > 1:
        raise UsageError("--series-uid is for one input; for several, use PATH#UID for each")
    if search.series_uid is not None and search.which == "all":
        raise UsageError("--series-uid takes one series and --all-series each; use one of them")
    found = Found()
    room = _KEPT_SLICES
    for number, given in enumerate(inputs, start=1):
        try:
            if len(inputs) > 1 and is_earlier_output(given.path):
                shown = printable(str(given))
                found.told.append(f"{shown}: skipped, since an earlier prediction wrote it")
                continue
            uid = search.series_uid or given.series_uid
            # A symbolic link keeps its own name, the one that the user gave.
            cases = _cases(Source(given.path.absolute(), uid), search, number, found)
            room -= sum(case.series.slices for case in cases if case.series is not None)
            found.cases.extend(cases if room >= 0 else [replace(c, series=None) for c in cases])
        except UsageError:
            raise
        except Exception as error:
            # One input never costs the others, whatever it is.
            found.refused.append(_refused(number, given, error, len(inputs)))
    return replace(found, cases=_each_once(found))


def _each_once(found: Found) -> list[CohortCase]:
    """The cases without repetitions: globs may overlap, and a series may lie in several places.

    A case that comes twice would be in two shares. Parts of a series in two inputs are refused.
    """
    first: dict[str, CohortCase] = {}
    parts: dict[str, CohortCase] = {}
    kept: list[CohortCase] = []
    for case in dict.fromkeys(found.cases):
        earlier = first.setdefault(case.name, case) if case.identity else case
        if earlier is case:
            kept.append(case)
        elif case.identity == earlier.identity:
            found.told.append(f"{case.shown}: lies in several inputs, and is predicted once")
        else:
            parts[case.name] = case
    for case in parts.values():
        what = "inputs hold different slices of it; give one folder that holds all"
        found.refused.append(Refused(case.shown, f"{case.shown}: {what}"))
    return [case for case in kept if not (case.identity and case.name in parts)]


def _refused(number: int, given: Source, error: Exception, inputs: int) -> Refused:
    users = user_error(error)
    debug = f"unexpected {type(error).__name__}; use medseg --debug predict to see the traceback"
    text = printable(debug if users is None else str(users))
    shown, absolute = (
        printable(str(source))
        for source in (given, Source(given.path.absolute(), given.series_uid))
    )
    # Messages about DICOM do not name its path.
    which = f"input {number}: " if inputs > 1 and shown not in text else ""
    path = absolute if absolute in text else shown
    return Refused(f"input {number}", which + text, path, error)


def _cases(source: Source, search: Search, number: int, found: Found) -> list[CohortCase]:
    path, uid = source.path, source.series_uid
    if path.is_dir() and uid is None:
        return _of_folder(path, search, number, found)
    if path.exists() and not is_dicom(path) and uid is not None:
        raise UsageError(f"{path}: is not DICOM, so it has no series; omit the series uid")
    if uid is None and not is_dicom(path):
        return [_of_file(path)]
    return _of_dicom(source, search, number, found)


def _of_file(path: Path) -> CohortCase:
    return CohortCase(
        name=safe_name(image_stem(path)),
        source=Source(path),
        shown=printable(str(path)),
        recorded=printable(path.name),
    )


def _of_folder(path: Path, search: Search, number: int, found: Found) -> list[CohortCase]:
    tree = walk_tree(path)
    images = sort_folder(path, tree, earlier_outputs(tree))
    if images.kind != "volumes":
        of_dicom = _of_dicom(Source(path), search, number, found) if tree.files else []
        if of_dicom or images.kind == "dicom" or not images.files:
            found.leave_out(number, left_out(images, "dicom" if of_dicom else images.kind))
            return of_dicom or _nothing(path, tree)
    found.leave_out(number, left_out(images, images.kind))
    lost = {*tree.missing, *tree.special}
    found.refused.extend(_lost(file, tree) for file in images.files if file in lost)
    if tree.closed:
        what = f"input {number}: {len(tree.closed)} folders in it cannot be opened"
        found.refused.append(Refused(f"input {number}", f"{what}; check their permissions"))
    return [_of_file(file) for file in images.files if file not in lost]


def _lost(file: Path, tree: Tree) -> Refused:
    shown = printable(str(file))
    if file in tree.missing:
        return Refused(file.name, f"{shown}: a link to a file that is not there; {FETCH}", shown)
    what = "a pipe, device or socket, not a file; give a regular file"
    return Refused(file.name, f"{shown}: {what}", shown)


def _nothing(path: Path, tree: Tree) -> list[CohortCase]:
    if tree.missing:
        what = f"{len(tree.missing)} links in it lead to files that are not there"
        raise DataError(f"{path}: {what}; {FETCH}")
    what = f"no {format_words('volume', 'DICOM')} files, and no pictures, in it"
    raise DataError(f"{path}: {what}")


def _of_dicom(source: Source, search: Search, number: int, found: Found) -> list[CohortCase]:
    # pydicom takes a while to import, and most inputs are not DICOM.
    from medseg.data.dicom.find import find_dicom_series
    from medseg.prediction.dicom_cases import take_all, take_one

    series = find_dicom_series(source.path)
    if not series and source.path.is_dir() and source.series_uid is None:
        return []
    if search.which == "all" and source.series_uid is None:
        taken = take_all(series, search.modality)
    else:
        taken = take_one(series, source.series_uid, search.modality)
    found.leave_out(number, taken.left_out)
    found.refused.extend(
        Refused(f"input {number}", f"input {number}: {error}", cause=error)
        for error in taken.broken
    )
    return [_of_series(one, search) for one in taken.series]


def _of_series(series: "DicomSeries", search: Search) -> CohortCase:
    from medseg.data.dicom.person import read_person
    from medseg.prediction.dicom_cases import series_identity
    from medseg.prediction.naming import series_name

    shown = f"DICOM series {series.uid}"
    known = search.persons == "kept" or search.name_by != ("uid",)
    person = read_person(series) if known else None
    return CohortCase(
        name=safe_name(series_name(series, search.name_by, person)),
        source=Source(series.path, series.uid),
        shown=shown,
        recorded=shown,
        series=series,
        person=person if search.persons == "kept" else None,
        identity=series_identity(series),
    )
