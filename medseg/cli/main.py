"""`medseg`: the commands, and the handling of their errors.

An error that the user can fix is one line on standard error and has its own exit code; with
`--debug` it keeps its traceback, as bugs of medseg always do.
"""

import atexit
import gc
import sys
from typing import Annotated

import typer
from rich.console import Console

import medseg
from medseg._quiet import printable_logs
from medseg._signals import end_as_by_ctrl_c, signals_kept
from medseg._streams import lasting_streams
from medseg._text import printable
from medseg._threads import let_waiting_threads_sleep
from medseg.cli import data
from medseg.cli.baseline import baseline
from medseg.cli.bundle.app import app as bundle_app
from medseg.cli.crossvalidate import crossvalidate
from medseg.cli.data_options import EPILOG
from medseg.cli.evaluate import PAIRING, evaluate
from medseg.cli.plan import plan
from medseg.cli.predict import predict
from medseg.cli.study.app import app as study_app
from medseg.cli.train import train
from medseg.errors import ExitCode, user_error

__all__ = ["app", "main"]

_INTERRUPTED_BY_TYPER = 130

app = typer.Typer(
    name="medseg",
    help="U-Nets for medical images, as MONAI bundles.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command(epilog=EPILOG)(plan)
app.command()(train)
app.command()(crossvalidate)
app.command()(predict)
app.command(epilog=PAIRING)(evaluate)
app.command()(baseline)
app.add_typer(data.app, name="data")
app.add_typer(bundle_app, name="bundle")
app.add_typer(study_app, name="study")


def _print_version(requested: bool) -> None:  # noqa: FBT001 - the signature typer calls
    if requested:
        typer.echo(f"medseg {medseg.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[  # noqa: FBT002 - a command-line switch
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
    debug: Annotated[  # noqa: FBT002 - a command-line switch
        bool, typer.Option("--debug", help="Show the traceback of an error.")
    ] = False,
) -> None:
    """Options of every command; `main` reads `--debug` before typer does."""


def main() -> None:
    """Run the command line; never returns."""
    let_waiting_threads_sleep()
    # Saves the garbage collection of everything imported when the process ends.
    atexit.register(gc.freeze)
    with lasting_streams() as lost, signals_kept(), printable_logs():
        code = _run()
    if lost and code == ExitCode.DONE:
        if sys.stderr is not None:
            _print_error(f"{lost[0]}; what was to be printed is lost")
        code = ExitCode.ENVIRONMENT
    sys.exit(code)


def _run() -> int:
    """Run the command line, and return its exit code."""
    try:
        end_as_by_ctrl_c()
        app()
    except SystemExit as stop:
        # typer's code for Ctrl-C is the shell's, 130.
        if stop.code != _INTERRUPTED_BY_TYPER:
            return int(stop.code or 0)
    except KeyboardInterrupt:
        pass
    except Exception as error:
        users = user_error(error)
        if users is None or "--debug" in sys.argv:
            raise
        _print_error(str(users))
        return users.exit_code
    else:
        return ExitCode.DONE
    _print_error("interrupted")
    return ExitCode.INTERRUPTED


def _print_error(message: str) -> None:
    Console(stderr=True, soft_wrap=True).print(
        f"medseg: {printable(message)}", style="red", markup=False, highlight=False
    )
