"""`medseg data preview`: picture of a recipe's training samples, and time of each step."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from medseg._files import write_atomically
from medseg.cli.preview_table import print_times, times_json
from medseg.cli.rois import named_by, parse_rois
from medseg.cli.say import say
from medseg.data.images.naming import PICTURE_SUFFIXES, image_stem
from medseg.data.label_source import LabelSource, label_source
from medseg.data.problems import warning_lines
from medseg.errors import DataError, UsageError

if TYPE_CHECKING:
    from medseg.data.datasets.expected import Expected
    from medseg.reports.preview_steps import StepTimes
    from medseg.reports.preview_view import View

__all__ = ["preview"]

Step = Callable[[Any], Any]

# The median of fewer draws would be unreliable, however few samples are requested.
LEAST_DRAWS = 20
MOST_SAMPLES = 100


def preview(  # noqa: PLR0913 - one argument an option
    recipe: Annotated[
        str,
        typer.Argument(
            help="A YAML file, a bundle's folder, or the name of one in transforms/ or bundles/."
        ),
    ],
    image: Annotated[Path, typer.Argument(help="An image file of the kind the recipe is for.")],
    label_path: Annotated[Path, typer.Argument(metavar="LABEL", help="Its label.")],
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Override keys of the recipe.")
    ] = None,
    channel: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="File of a further channel of the image, once for each, in the recipe's order.",
        ),
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="The picture, a PNG file.")] = Path(
        "preview.png"
    ),
    samples: Annotated[int, typer.Option(min=1, max=MOST_SAMPLES, help="Number of samples.")] = 5,
    seed: Annotated[int, typer.Option(min=0, help="Random seed of the samples.")] = 0,
    rois: Annotated[
        list[str] | None,
        typer.Option(
            help="Of a label in DICOM (SEG, RTSTRUCT): a pattern of names in it and the class that "
            "they are, 'GTV*=tumour'; repeatable."
        ),
    ] = None,
    overwrite: Annotated[  # noqa: FBT002 - a command-line switch
        bool, typer.Option("--overwrite", help="Replace an existing picture.")
    ] = False,
    as_json: Annotated[  # noqa: FBT002 - a command-line switch
        bool,
        typer.Option("--json", help="Print the times as JSON and nothing else on standard output."),
    ] = False,
) -> None:
    """Preview a recipe: training samples with grid and contours, and the time of each step.

    medseg data preview ct_chest ct.nii.gz labels.nii.gz -o preview.png patch_size=[64,64,64]
    """
    images = [image, *(channel or ())]
    _check_paths([*images, label_path], output, replace=overwrite)
    meant = parse_rois(rois)
    label = label_source(label_path, image, named_by(meant), meant)
    path, config, (preparing, augmenting, traced) = _load(recipe, overrides or [])
    _check_files(images, label, _expected(path, config.get("window")))
    # torch and MONAI take seconds to import; --help and wrong paths need neither.
    from medseg._quiet import quiet_libraries
    from medseg.reports.preview import draw_samples, preview_page
    from medseg.reports.preview_steps import time_draws

    with quiet_libraries():
        case, once = _prepared(images, label, preparing)
        drawn = draw_samples(case, traced, seed, samples)
        each = time_draws(case, augmenting, seed, max(samples, LEAST_DRAWS))
    sheet = preview_page(drawn, _view(image, case), f"{_title(path)}: {image_stem(image)}")
    write_atomically(output, sheet.save)
    if as_json:
        typer.echo(times_json(output, once, each))
    else:
        print_times(once, each)
        say(output)


def _title(recipe: Path) -> str:
    """The recipe's name; of a bundle's, the bundle's."""
    return recipe.parent.parent.name if recipe.parent.name == "configs" else recipe.stem


def _check_paths(files: Sequence[Path], output: Path, *, replace: bool) -> None:
    if output.suffix.lower() != ".png":
        raise UsageError(
            f"{output}: the picture is a PNG file; use a name that ends in .png for -o"
        )
    if output.exists() and not replace:
        raise UsageError(f"{output} already exists; use --overwrite or another -o")
    for file in files:
        if not file.exists():
            raise DataError(f"{file}: not there; check the path and its folder")


def _load(
    recipe: str, pairs: Sequence[str]
) -> tuple[Path, Mapping[str, Any], tuple[list[Step], list[Step], list[Step]]]:
    """A recipe: its file, its keys, and its steps.

    Returns:
        Path and keys; steps of preprocessing, of augmentation, and of augmentation with the grid.
    """
    from medseg.bundles.recipe import build_steps, carry_along, find_recipe, read_recipe
    from medseg.reports.preview import PLACES_KEY, RECORD_KEY

    path = find_recipe(recipe)
    config = read_recipe(path, pairs)
    preparing = build_steps(config, "preprocessing_steps", path)
    preparing += build_steps(config, "label_steps", path)
    augmenting = build_steps(config, "augmentation_steps", path)
    # Timed without the grid, which would add to the time of the warp.
    traced = carry_along(config, PLACES_KEY, "linear", RECORD_KEY)
    steps = preparing, augmenting, build_steps(traced, "augmentation_steps", path)
    return path, config, steps


def _prepared(
    images: Sequence[Path], label: LabelSource | Path, steps: Sequence[Step]
) -> tuple[Mapping[str, Any], "list[StepTimes]"]:
    from medseg.reports.preview_steps import time_once

    try:
        paths = list(map(str, images))
        given = paths if len(paths) > 1 else paths[0]
        text = label.text if isinstance(label, LabelSource) else str(label)
        case, once = time_once({"image": given, "label": text}, steps)
    except DataError as error:
        name = Path(str(label)).name
        raise type(error)(f"{images[0]} and {name}: {error}") from error
    _check_case(images[0], label, case)
    return case, once


def _check_files(images: Sequence[Path], label: LabelSource | Path, expected: "Expected") -> None:
    """Refuse what a training would refuse, and print what is remarkable, in the same words.

    Raises:
        InputError: If image or label cannot be used.
    """
    from medseg.data.datasets.intake import image_problems, judge_label, refuse_errors
    from medseg.data.images.channels import read_channels
    from medseg.data.images.picture import read_label

    read = read_channels(images)
    of_image = image_problems(read, expected)
    refuse_errors(images[0], of_image)
    # The recipe says what the label's values mean, so that any whole number may be one.
    of_label = judge_label(read_label(label), read, None).problems
    refuse_errors(label, of_label)
    for line in warning_lines({image_stem(images[0]): (*of_image, *of_label)}):
        typer.echo(f"warning: {line}", err=True)


def _expected(recipe: Path, window: object) -> "Expected":
    """What the bundle of a recipe says of its images; of a recipe alone, the window."""
    from medseg.data.datasets.expected import Expected
    from medseg.prediction.request import expected_of

    pair = cast("list[object]", window) if isinstance(window, list) else []
    numbers = [float(end) for end in pair if isinstance(end, int | float)]
    span = (numbers[0], numbers[1]) if len(numbers) == len(pair) == 2 else None
    bundle = recipe.parent.parent
    if (bundle / "configs" / "metadata.json").is_file():
        return expected_of(bundle, span)
    return Expected(window=span)


def _check_case(image: Path, label: LabelSource | Path, case: Mapping[str, Any]) -> None:
    from medseg.reports.preview_steps import as_tensor

    for key in ("image", "label"):
        if not hasattr(case[key], "shape"):
            raise UsageError(f"the recipe does not load {key}; it must load image and label")
    theirs, its = (tuple(case[key].shape[1:]) for key in ("image", "label"))
    if its != theirs:
        raise DataError(
            f"{label}: has shape {its} after preprocessing, but {image} has {theirs}; "
            "use the label of this image"
        )
    if not as_tensor(case["image"]).isfinite().all():
        raise DataError(f"{image}: has NaN or infinite values after preprocessing; replace them")


def _is_picture(file: Path) -> bool:
    return file.name.lower().endswith(PICTURE_SUFFIXES)


def _view(image: Path, case: Mapping[str, Any]) -> "View":
    from medseg.reports.preview_view import picture_view, volume_view

    return picture_view(case["image"]) if _is_picture(image) else volume_view(case["image"])
