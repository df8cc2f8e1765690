"""Worker of a cross-validation: trains a fold and predicts what it has not seen, in a process.

`python -m medseg.planning.crossvalidation.worker FOLDER`, where FOLDER holds `fold.json`. The
result is written last, so a folder with `result.json` is complete.
"""

import shutil
import sys
import time
import traceback
from pathlib import Path
from typing import Any, cast

from medseg._quiet import printable_logs
from medseg._text import printable
from medseg.errors import ExitCode, TrainingStoppedError, causes_of, user_error
from medseg.planning.crossvalidation.fold_folder import (
    PREDICTIONS,
    RESULT,
    TEST,
    TRAINED,
    FoldSpec,
    write_json,
)

__all__ = ["main", "run_fold"]


def main() -> int:
    """Do what the folder on the command line says; the exit code tells what went wrong."""
    folder = Path(sys.argv[1])
    with printable_logs():
        try:
            run_fold(folder)
        except TrainingStoppedError:
            return ExitCode.INTERRUPTED
        except Exception as error:
            users = user_error(error)
            traceback.print_exc()
            print(f"medseg: {_reason(error)}", file=sys.stderr)  # noqa: T201 - last line of its log
            return ExitCode.SOME_CASES_FAILED if users is None else users.exit_code
    return ExitCode.DONE


def run_fold(folder: Path) -> None:
    """Train a fold, predict the cases held out and the test cases, and write the result.

    What is done already is not done again; a training that was interrupted goes on.
    """
    spec = FoldSpec.read(folder)
    if (folder / RESULT).exists():
        return
    started = time.monotonic()
    if spec.fold is not None and not (folder / TRAINED).exists():
        _train(spec, folder)
        # Minutes of this attempt; those before it are in the table of epochs.
        write_json(folder / TRAINED, {"minutes": (time.monotonic() - started) / 60})
    predicting = time.monotonic()
    if spec.fold is not None:
        _predict(spec, folder, "validation", folder / PREDICTIONS)
    if spec.test:
        _predict(spec, folder, "test", folder / TEST)
    write_json(
        folder / RESULT,
        {
            "fold": spec.fold,
            "digest": spec.digest,
            "medseg": spec.medseg,
            "predicting_minutes": (time.monotonic() - predicting) / 60,
        },
    )
    # They are larger than the weights, and nothing goes on from them.
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)


def _train(spec: FoldSpec, folder: Path) -> None:
    from medseg.bundles.run import run_bundle
    from medseg.training.checkpoint_files import checkpoint_paths

    # Not of any file: one that was killed while writing a checkpoint leaves others.
    resumes = bool(checkpoint_paths(folder / "checkpoints"))
    run_bundle(
        spec.bundle,
        configs=["train"],
        run_id="training",
        overrides={
            **spec.train,
            **_places(spec, folder),
            "ckpt_dir": str(folder),
            "start": "resume" if resumes else "fresh",
            "overwrite": "refuse" if resumes else "replace",
        },
    )


def _predict(spec: FoldSpec, folder: Path, split: str, labels: Path) -> None:
    """Label the cases of a split, in their own grids; scored later, all folds together."""
    from medseg._quiet import quiet_libraries
    from medseg.bundles.complaints import config_errors
    from medseg.bundles.one_line import excepthook_kept
    from medseg.bundles.run import open_workflow
    from medseg.networks.weights import load_weights

    overrides = {
        **spec.evaluate,
        **_places(spec, folder),
        "split": split,
        "ckpt_path": spec.weights,
        "predictions_dir": str(labels),
        "overwrite": "replace",
    }
    with excepthook_kept(), config_errors(), quiet_libraries():
        workflow = open_workflow(
            spec.bundle,
            configs=["train", "evaluate"],
            run_id="evaluating",
            overrides=overrides,
            log="quiet",
        )
        workflow.initialize()
        parser = cast("Any", workflow.parser)
        load_weights(parser.get_parsed_content("network"), spec.weights)
        parser.get_parsed_content("validate#evaluator").run()


def _places(spec: FoldSpec, folder: Path) -> dict[str, Any]:
    return {"dataset_dir": spec.dataset_dir, "output_dir": str(folder)}


def _reason(error: Exception) -> str:
    """One line: what the user can mend, or what lies under MONAI's own wrapping of it."""
    users = user_error(error)
    if users is not None:
        return printable(str(users))
    *_, cause = causes_of(error)
    lines = str(cause).strip().splitlines()
    return printable(f"{type(cause).__name__}: {lines[0] if lines else 'without a message'}")


if __name__ == "__main__":
    sys.exit(main())
