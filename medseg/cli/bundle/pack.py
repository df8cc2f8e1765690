"""`medseg bundle pack`: one zip of a bundle, to be shared."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from medseg._checks import first_few
from medseg.cli.say import say
from medseg.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from medseg.sharing.packing.pack import Pack

__all__ = ["pack"]


def pack(  # noqa: PLR0913 - one parameter for each option
    bundle: Annotated[Path, typer.Argument(help="The bundle's folder.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="The zip, or a folder for it (default: NAME-VERSION.zip here)."
        ),
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(help="Weights of a training, .safetensors (default: those in models/)."),
    ] = None,
    precision: Annotated[
        Literal["kept", "half"], typer.Option(help="Of the weights: as they are, or half.")
    ] = "kept",
    golden: Annotated[
        Path | None,
        typer.Option(
            help="A small image for the golden case, that may be shared (default: one made by "
            "formula); its voxels alone are packed."
        ),
    ] = None,
    golden_licence: Annotated[
        str | None, typer.Option(help="Licence of that image, e.g. 'CC BY 4.0'.")
    ] = None,
    dry_run: Annotated[  # noqa: FBT002 - a command-line switch
        bool, typer.Option("--dry-run", help="List what would go in; write nothing.")
    ] = False,
    as_json: Annotated[  # noqa: FBT002 - a command-line switch
        bool, typer.Option("--json", help="Print the result as JSON.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the zip.")] = False,  # noqa: FBT002 - a command-line switch
) -> None:
    """Pack a bundle into one zip that runs where only medseg is installed, or say why not.

    medseg bundle pack bundles/covid_lung_ct_unet3d -o covid.zip
    """
    # torch takes seconds to import; --help does not need it.
    from medseg._files import write_atomically
    from medseg.sharing.packing.pack import PackChoices, pack_bundle, pack_json
    from medseg.sharing.packing.plain_zip import zip_bytes

    choices = PackChoices(
        weights=weights, precision=precision, golden=golden, golden_licence=golden_licence
    )
    existing = "replace" if overwrite or dry_run else "refuse"
    if output is not None and not output.is_dir():
        # Before the golden case is labelled, which takes a while.
        _target(output, "", existing)
    packed = pack_bundle(bundle, choices)
    written = not (dry_run or packed.problems)
    name = f"{packed.name}-{packed.version}.zip"
    target = _target(output, name, existing if written else "replace")
    if written:
        content = zip_bytes(packed.in_one_folder)
        write_atomically(target, lambda temporary: temporary.write_bytes(content))
    if as_json:
        say(json.dumps({**pack_json(packed), "file": str(target) if written else None}))
    else:
        _tell(packed, target, listing=dry_run)
    if packed.problems:
        raise typer.Exit(ExitCode.DATA)


def _target(output: Path | None, name: str, existing: Literal["refuse", "replace"]) -> Path:
    target = Path(name) if output is None else output / name if output.is_dir() else output
    if target.suffix != ".zip":
        raise UsageError(f"{target}: must end in .zip, or be a folder that is there")
    if existing == "refuse" and target.exists():
        raise UsageError(f"{target} already exists; use --overwrite or another -o")
    return target


def _tell(packed: "Pack", target: Path, *, listing: bool) -> None:
    for problem in packed.problems:
        say(f"error: {problem}", to="errors")
    for remark in packed.remarks:
        say(f"note: {remark}", to="errors")
    if packed.left_out:
        say(f"note: left out: {first_few(packed.left_out)}", to="errors")
    if packed.problems:
        count = len(packed.problems)
        say(
            f"{packed.name}: not packed, {count} {'things' if count > 1 else 'thing'} to mend",
            to="errors",
        )
    elif listing:
        for path, content in packed.files.items():
            say(f"{len(content):>10,}  {path}")
    else:
        size = sum(map(len, packed.files.values())) / 1e6
        say(f"{target}: {packed.name} {packed.version}, {len(packed.files)} files, {size:.2f} MB")
        say(f"bundle {packed.bundle_sha256}")
