"""`medseg study prune`: what a network's weights are worth, and a smaller network that pays."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from medseg.cli.say import say
from medseg.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from medseg.studies.pruning.methods import Method
    from medseg.studies.pruning.subject import Subject

__all__ = ["prune"]


def prune(  # noqa: PLR0913 - one parameter for each option
    bundle: Annotated[
        Path, typer.Argument(help="The bundle's folder, or the name of an installed one.")
    ],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(metavar="KEY=VALUE", help="Override keys of its training: dataset_dir=DIR."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Output folder (default: runs/prune/NAME)."),
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(help="The trained weights (default: the bundle's).")
    ] = None,
    split: Annotated[
        Literal["validation", "test"], typer.Option(help="Cases that are scored.")
    ] = "validation",
    most: Annotated[int | None, typer.Option(min=1, help="Largest number of cases.")] = None,
    scoring: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE",
            help="Override a key of its inference, e.g. patch_size=[224,224]; repeat the option.",
        ),
    ] = None,
    batches: Annotated[int, typer.Option(min=1, help="Training batches for the gradients.")] = 8,
    seed: Annotated[int, typer.Option(help="Of random methods and random channels.")] = 0,
    methods: Annotated[str, typer.Option(help="Of the whole network, by commas, or all.")] = "all",
    amounts: Annotated[
        str, typer.Option(help="Percentages of the whole network, by commas.")
    ] = "10,20,30,40,50,60,70,80,90",
    part_methods: Annotated[
        str, typer.Option(help="Of parts and of each convolution alone, by commas, or all.")
    ] = "l1_structured",
    part_amounts: Annotated[str, typer.Option(help="Percentages of these.")] = "25,50",
    module: Annotated[
        str | None, typer.Option(help="Prune this one convolution alone, not each.")
    ] = None,
    initial: Annotated[
        Path | None,
        typer.Option(help="Weights before training (default: by the config's seed, if it fits)."),
    ] = None,
    beside: Annotated[
        Path | None, typer.Option(help="Weights of a smaller network, to be pruned beside it.")
    ] = None,
    smaller: Annotated[
        float | None,
        typer.Option(
            metavar="KEEP",
            help="Make a smaller network instead, with this share of the multiplications.",
        ),
    ] = None,
    step: Annotated[
        int, typer.Option(min=1, help="Of a smaller network: channels removed at a time.")
    ] = 8,
    iterations: Annotated[
        int, typer.Option(min=1, help="Of a smaller network: batches of its fine-tuning.")
    ] = 500,
    scratch_iterations: Annotated[
        int | None,
        typer.Option(min=1, help="Batches of the untrained controls (default: as many)."),
    ] = None,
    repeats: Annotated[
        int, typer.Option(min=3, help="Of a smaller network: turns of the timing.")
    ] = 30,
) -> None:
    """Set weights of a trained network to zero, and say what its scores lose.

    medseg study prune bundles/ebhi_histology_unet2d dataset_dir=ebhi-seg --split test

    Or remove channels, fine-tune, compare with random channels, with the same network from the
    beginning and with a flat U-Net, time all of them, and write a smaller bundle:

    medseg study prune bundles/hippocampus_mri_unet3d dataset_dir=hippocampus --smaller 0.25

    Interrupted, it goes on where it was when it is started again.
    """
    # Before torch is imported.
    shares = [_shares("--amounts", amounts), _shares("--part-amounts", part_amounts)]
    chosen = [_methods("--methods", methods), _methods("--part-methods", part_methods)]
    if smaller is not None and not 0 < smaller < 1:
        raise UsageError(f"--smaller must be above 0 and below 1, got {smaller:g}; e.g. 0.25")
    from medseg.bundles.judgement.door import require_runnable
    from medseg.sharing.store.bundle_path import given_bundle

    path = given_bundle(bundle).path
    require_runnable(path)
    folder = out or Path("runs/prune") / path.name
    command = shlex.join(["medseg", *sys.argv[1:]])
    from medseg.inference.autocast import fast_precision
    from medseg.studies.pruning.subject import open_subject

    subject = open_subject(
        path,
        weights=weights,
        pairs=overrides or [],
        split=split,
        most=most,
        scoring=scoring or [],
        # Two hundred ablations in half the time; what is compared is of one precision.
        precision="fp32" if smaller is not None else fast_precision("cpu"),
    )
    for reason in subject.failed.values():
        say(f"not read: {reason}", to="errors")
    if smaller is not None:
        from medseg.studies.pruning.contestants import Recipe
        from medseg.studies.pruning.smaller_study import run_smaller

        recipe = Recipe(
            keep=smaller,
            step=step,
            batches=batches,
            iterations=iterations,
            scratch_iterations=scratch_iterations or iterations,
            seed=seed,
        )
        page = run_smaller(
            subject,
            recipe,
            folder,
            repeats=repeats,
            command=command,
            told=lambda what: say(f"{what} ...", to="errors"),
        )
        _tell_bundle(folder / "bundle" / subject.predictor.name)
    else:
        from medseg.studies.pruning.sensitivity import Plan
        from medseg.studies.pruning.sensitivity_study import Question, run_sensitivity

        plan = Plan(
            methods=chosen[0],
            amounts=shares[0],
            part_methods=chosen[1],
            part_amounts=shares[1],
            seed=seed,
        )
        question = Question(
            plan=plan,
            batches=batches,
            initial=initial,
            beside=beside,
            module=module,
            command=command,
        )
        page = run_sensitivity(subject, question, folder, _progress)
    say(str(page))
    _end(subject)


def _tell_bundle(bundle: Path) -> None:
    from medseg.sharing.describing.card import update_card

    update_card(bundle)
    say(f"{bundle}: the smaller bundle; medseg bundle pack {bundle}")


def _end(subject: "Subject") -> None:
    if subject.failed:
        raise typer.Exit(ExitCode.SOME_CASES_FAILED)


def _progress(done: int, of: int) -> None:
    if done % 10 == 0 or done == of:
        say(f"{done} of {of} ablations", to="errors")


def _methods(option: str, text: str) -> tuple["Method", ...]:
    from medseg.studies.pruning.methods import METHODS

    if text == "all":
        return tuple(METHODS)
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = next((name for name in names if name not in METHODS), None)
    if unknown is not None or not names:
        raise UsageError(
            f"{option}: no method {unknown or text!r}; there are {', '.join(METHODS)}, or all"
        )
    return tuple(method for method in METHODS if method in names)


def _shares(option: str, text: str) -> tuple[float, ...]:
    try:
        percentages = [float(one) for one in text.split(",")]
    except ValueError:
        percentages = []
    if not percentages or not all(0 < one < 100 for one in percentages):
        raise UsageError(
            f"{option} must be percentages above 0 and below 100, got {text!r}; e.g. 25,50,75"
        )
    return tuple(sorted({round(one / 100, 4) for one in percentages}))
