"""`medseg predict`: labels for volumes or pictures, in their own grid, with overlays."""

import re
import sys
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from medseg.cli.words import words_of
from medseg.errors import UsageError
from medseg.executor.run import Place
from medseg.inference.engines.words import EngineChoice, PrecisionChoice

__all__ = ["predict"]

# Options that the processes with which it shares its cases do not get.
_OF_THIS_PROCESS = ("turn", "on", "parallel", "address", "cpus", "gpus", "key_file", "as_json")


def predict(  # noqa: PLR0913 - one parameter for each option
    context: typer.Context,
    bundle: Annotated[
        Path, typer.Argument(help="The bundle's folder, or the name of an installed one.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the results.")],
    inputs: Annotated[
        list[Path] | None,
        typer.Argument(
            help="NIfTI, NRRD or MetaImage files, PNG or TIFF pictures, folders of them, "
            "DICOM folders, zips or files."
        ),
    ] = None,
    channel: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=FILE",
            help="Instead of inputs, for a bundle of several channels, once for each: "
            "--channel pet=FILE --channel mr=FILE; a pattern each for several cases.",
        ),
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Option(help="Instead of inputs: predict the cases of this manifest, by their names."),
    ] = None,
    dataset_dir: Annotated[
        Path | None,
        typer.Option(help="Folder of the manifest's files (default: as planned, else its own)."),
    ] = None,
    split: Annotated[
        Literal["test", "training", "all"], typer.Option(help="Which of the manifest's cases.")
    ] = "test",
    weights: Annotated[
        Path | None,
        typer.Option(
            help="Weights file, .safetensors, or a folder of folds (default: the bundle's models/)."
        ),
    ] = None,
    fold: Annotated[
        int | None,
        typer.Option(
            min=0, help="Predict by one fold of a cross-validation (default: the mean of all)."
        ),
    ] = None,
    override: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Override a key of its config."),
    ] = None,
    series_uid: Annotated[
        str | None, typer.Option(help="UID of the series, if a DICOM input has several.")
    ] = None,
    all_series: Annotated[  # noqa: FBT002 - a command-line switch
        bool,
        typer.Option("--all-series", help="Predict every DICOM series that fits, not only one."),
    ] = False,
    name_by: Annotated[
        str,
        typer.Option(
            metavar="WORD,...",
            help="Name outputs of DICOM by uid, short (modality and 8 digits), or by patient-id, "
            "study-date, accession, description, series-number, folder, of which all but "
            "series-number may identify patients.",
        ),
    ] = "uid",
    key_file: Annotated[
        Path | None,
        typer.Option(
            help="Also write a CSV, outside of the output folder and readable by you alone, of "
            "which output belongs to which patient."
        ),
    ] = None,
    allow_tilt: Annotated[  # noqa: FBT002 - a command-line switch
        bool, typer.Option("--allow-tilt", help="Straighten tilted DICOM series and skew volumes.")
    ] = False,
    allow_gaps: Annotated[  # noqa: FBT002 - a command-line switch
        bool, typer.Option("--allow-gaps", help="Interpolate missing DICOM slices.")
    ] = False,
    engine: Annotated[
        EngineChoice | None, typer.Option(help="Inference engine (default: the bundle's choice).")
    ] = None,
    precision: Annotated[
        PrecisionChoice | None,
        typer.Option(help="Numeric precision (default: the bundle's choice)."),
    ] = None,
    formats: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="WORD,...",
            help="Format of labels: auto (the image's), nifti, nrrd or mha; for pictures auto, "
            "png or tiff; for DICOM also dicom-seg, dicom-sr.",
        ),
    ] = "auto",
    maps: Annotated[
        str,
        typer.Option(
            metavar="WORD,...",
            help="Also write probabilities (of each class) or entropy, as NIfTI, in [0, 1].",
        ),
    ] = "",
    mirror: Annotated[
        str,
        typer.Option(
            metavar="AXIS,...",
            help="Average over mirror images along these axes of the network's grid, e.g. 0,1,2; "
            "each axis doubles the time.",
        ),
    ] = "",
    shard: Annotated[
        str,
        typer.Option(
            metavar="I/N", help="Predict only the I-th of N disjoint shares of the cases."
        ),
    ] = "1/1",
    turn: Annotated[str, typer.Option(hidden=True)] = "1/1",
    on: Annotated[
        Place | None,
        typer.Option(
            help="Share the cases among processes: of this machine, a Ray cluster or Slurm."
        ),
    ] = None,
    parallel: Annotated[int, typer.Option(min=1, help="Processes, with --on.")] = 2,
    address: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="Ray cluster (default: a Ray of this machine alone is started).",
        ),
    ] = None,
    cpus: Annotated[
        int | None,
        typer.Option(
            min=1, help="Cores of each process (default: a part of this machine's, or 1)."
        ),
    ] = None,
    gpus: Annotated[
        float | None,
        typer.Option(min=0, help="GPUs of each process (default: a part of this machine's, or 0)."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace existing files.")] = False,  # noqa: FBT002 - a command-line switch
    dry_run: Annotated[  # noqa: FBT002 - a command-line switch
        bool, typer.Option("--dry-run", help="Report what would be done, predict nothing.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse images with a warning.")] = False,  # noqa: FBT002 - a command-line switch
    as_json: Annotated[bool, typer.Option("--json", help="Report as JSON.")] = False,  # noqa: FBT002 - a command-line switch
) -> None:
    """Predict a label for each volume or picture, and an overlay to look at.

    A second run into the same folder predicts only missing cases.

    medseg predict bundles/covid_lung_ct_unet3d scan.nii.gz -o labels
    """
    share, place = _part(shard, "--shard"), _part(turn, "--turn")
    _one_way(inputs, channel, manifest, dataset_dir)
    # Before the inputs are looked at: what may not run is refused whatever they are.
    from medseg.bundles.opened import open_configs
    from medseg.sharing.store.bundle_path import bundle_path

    bundle = bundle_path(bundle)
    open_configs(bundle, ["inference"])
    # These take a while to import; --help does not need them.
    from medseg.cli.predict_tell import report_progress
    from medseg.data.known_folders import known_dataset_dir
    from medseg.data.patterns import expand_sources
    from medseg.networks.members import one_fold
    from medseg.prediction.channel_cases import ManifestCases
    from medseg.prediction.request import Request
    from medseg.prediction.run import run_prediction

    listed = manifest and ManifestCases(
        manifest, dataset_dir or Path(known_dataset_dir(manifest, str(manifest.parent))), split
    )
    request = Request(
        bundle=bundle,
        inputs=expand_sources(inputs or ()),
        channels=tuple(channel or ()),
        listed=listed,
        output=output,
        weights=weights if fold is None else one_fold(weights or bundle / "models", fold),
        overrides=tuple(override or ()),
        existing="replace" if overwrite else "refuse",
        work="forecast" if dry_run else "predict",
        remarkable="refused" if strict else "told",
        series_uid=series_uid,
        which="all" if all_series else "one",
        name_by=_in_order(name_by),
        key_file=key_file,
        tilt="resample" if allow_tilt else "refuse",
        gaps="interpolate" if allow_gaps else "refuse",
        engine=engine,
        precision=precision,
        formats=_words(formats),
        maps=_words(maps),
        mirror=_axes(mirror),
        shard=share,
        turn=place,
        process="own",
    )
    traces = "shown" if "--debug" in sys.argv else "hidden"
    listen = partial(report_progress, as_json=as_json, traces=traces)
    others = None
    if on is None and (address, cpus, gpus) != (None, None, None):
        raise UsageError("--address, --cpus and --gpus say how --on runs; add --on")
    if on is not None:
        from medseg.cli.predict_jobs import Spread, predict_by_jobs

        spread = Spread(on=on, parallel=parallel, address=address, cpus=cpus, gpus=gpus)
        words = words_of(context, without=_OF_THIS_PROCESS)
        others = partial(predict_by_jobs, spread, words, output)
    code = run_prediction(request, listen, others)
    if code:
        raise typer.Exit(code)


def _one_way(
    inputs: list[Path] | None,
    channel: list[str] | None,
    manifest: Path | None,
    dataset_dir: Path | None,
) -> None:
    ways = sum((bool(inputs), bool(channel), manifest is not None))
    if ways != 1:
        what = "no image is named" if ways == 0 else "images are named in several ways"
        raise UsageError(f"{what}; give files or folders, --channel NAME=FILE, or --manifest FILE")
    if dataset_dir is not None and manifest is None:
        raise UsageError("--dataset-dir says where a manifest's files are; add --manifest")


def _words(text: str) -> tuple[str, ...]:
    return tuple(sorted({word.strip() for word in text.split(",")} - {""}))


def _in_order(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))


def _axes(text: str) -> tuple[int, ...]:
    words = _words(text)
    if not all(word in ("0", "1", "2") for word in words):
        raise UsageError(f"--mirror takes axes from 0 to 2, e.g. 0,1,2, got {text!r}")
    return tuple(int(word) for word in words)


def _part(text: str, option: str) -> tuple[int, int]:
    match = re.fullmatch(r"([0-9]+)/([0-9]+)", text)
    i, n = (int(part) for part in match.groups()) if match else (0, 0)
    if not 1 <= i <= n:
        raise UsageError(f"{option} must be I/N with I from 1 to N, e.g. 2/4, got {text!r}")
    return i, n
