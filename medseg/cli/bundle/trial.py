"""`medseg bundle test`: whether a bundle does here what it did where it was packed."""

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medseg.cli.say import say
from medseg.errors import ExitCode
from medseg.inference.engines.words import EngineChoice, PrecisionChoice

if TYPE_CHECKING:
    from medseg.sharing.golden.trial import EngineTrial

__all__ = ["trial"]


def trial(
    bundle: Annotated[
        Path, typer.Argument(help="A packed bundle: its zip, its folder, or its name if installed.")
    ],
    engine: Annotated[
        EngineChoice, typer.Option(help="Inference engine; auto tries all that are there.")
    ] = "auto",
    precision: Annotated[PrecisionChoice, typer.Option(help="Of the engine.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002 - a command-line switch
) -> None:
    """Label the bundle's golden case and compare it with the label that is expected.

    Exit code 0: every engine gives that label, within the tolerance that the golden case states for
    it. Exit code 3: one gives another. The bundle is judged first, as for a prediction.

    medseg bundle test covid_lung_ct_unet3d-0.6.0.zip
    """
    from medseg.sharing.golden.trial import try_bundle
    from medseg.sharing.golden.unpacked import unpacked
    from medseg.sharing.store.bundle_path import bundle_path

    with unpacked(bundle_path(bundle)) as folder:
        found = try_bundle(folder, engine=engine, precision=precision)
    if as_json:
        say(json.dumps({**dataclasses.asdict(found), "passed": found.passed}))
    else:
        for one in found.engines:
            say(f"{found.name} {found.version}, {one.engine}: {_told(one)}")
        verdict = "does here what it did" if found.passed else "does NOT do here what it did"
        say(f"{bundle}: {verdict} where it was packed")
    if not found.passed:
        raise typer.Exit(ExitCode.DATA)


def _told(one: "EngineTrial") -> str:
    if one.outcome == "not run":
        return f"not run: {one.reason}"
    if one.outcome == "same":
        return f"the very label that is expected, {one.seconds:.1f} s"
    scores = ", ".join(f"{name} {dsc:.4f}" for name, dsc in one.dsc.items())
    objects = "" if one.objects is None else f", {one.objects[0]} objects of {one.objects[1]}"
    verdict = "as near as it should be" if one.outcome == "near" else "ANOTHER LABEL"
    return f"{verdict}: DSC {scores} (at least {one.least_dsc:g}){objects}, {one.seconds:.1f} s"
