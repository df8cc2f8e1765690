"""Worker of a study: trains and scores one run, in a process of its own.

`python -m medseg.studies.running.worker FOLDER`, where FOLDER holds `run.json`. The result is
written last, so a folder with `result.json` is complete.
"""

import json
import shutil
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from medseg._files import write_atomically
from medseg._memory import peak_memory_bytes
from medseg._quiet import printable_logs
from medseg._text import printable
from medseg.errors import ExitCode, TrainingStoppedError, causes_of, user_error
from medseg.studies.running.run_folder import RESULT, RunSpec, write_result

__all__ = ["main", "run_once"]


def main() -> int:
    """Run the folder that the command line names; exit code 1 if the run failed."""
    folder = Path(sys.argv[1])
    with printable_logs():
        try:
            return 0 if run_once(folder) else 1
        except TrainingStoppedError:
            return ExitCode.INTERRUPTED


def run_once(folder: Path) -> bool:
    """Train and score a run, if its folder has no result.

    A run that fails has a result as well, with its reason. One that is interrupted has none.

    Returns:
        Whether it succeeded.
    """
    if (folder / RESULT).exists():
        return not json.loads((folder / RESULT).read_text(encoding="utf-8"))["reason"]
    spec = RunSpec.read(folder)
    try:
        measured = _run(spec, folder)
    except TrainingStoppedError:
        # By a signal: it goes on at its checkpoint when it is run again.
        raise
    except Exception as error:
        reason = _reason(error)
        traceback.print_exc()
        print(f"medseg: {reason}", file=sys.stderr)  # noqa: T201 - the last line of its log
        write_result(folder, reason=reason)
        return False
    write_result(folder, **measured)
    return True


def _run(spec: RunSpec, folder: Path) -> dict[str, Any]:
    import torch

    from medseg.bundles.run import run_bundle
    from medseg.studies.running.measures import network_cost, run_losses

    torch.set_num_threads(spec.threads)
    started = time.monotonic()
    run_bundle(spec.bundle, configs=["train"], run_id="training", overrides=_training(spec, folder))
    minutes = (time.monotonic() - started) / 60
    run_bundle(
        spec.bundle,
        configs=["train", "evaluate"],
        run_id="evaluating",
        overrides=_evaluation(spec, folder),
    )
    cost = {
        "minutes": minutes,
        **network_cost(spec.bundle, _evaluation(spec, folder), folder),
        "peak_memory_gb": peak_memory_bytes() / 1e9,
    }
    losses = run_losses(spec.bundle, _training(spec, folder), folder) if spec.losses else None
    for remains in ("predictions", "checkpoints"):
        shutil.rmtree(folder / remains, ignore_errors=True)
    return {"cost": cost, "losses": losses}


def _reason(error: Exception) -> str:
    """One line: what the user can mend, or what lies under MONAI's own wrapping of it."""
    users = user_error(error)
    if users is not None:
        return printable(str(users))
    *_, cause = causes_of(error)
    lines = str(cause).strip().splitlines()
    return printable(f"{type(cause).__name__}: {lines[0] if lines else 'without a message'}")


def _training(spec: RunSpec, folder: Path) -> dict[str, Any]:
    from medseg.training.checkpoint_files import checkpoint_paths

    # Not of any file: one that was killed while writing a checkpoint leaves others.
    resumes = bool(checkpoint_paths(folder / "checkpoints"))
    return {
        **spec.train,
        **_places(spec, folder),
        "ckpt_dir": str(folder),
        "start": "resume" if resumes else "fresh",
        "overwrite": "refuse" if resumes else "replace",
    }


def _evaluation(spec: RunSpec, folder: Path) -> dict[str, Any]:
    return {
        **spec.evaluate,
        **_places(spec, folder),
        "ckpt_path": str(folder / "model.safetensors"),
        "overwrite": "replace",
    }


def _places(spec: RunSpec, folder: Path) -> dict[str, Any]:
    places = {"dataset_dir": str(spec.dataset_dir), "output_dir": str(folder)}
    if spec.manifest is not None:
        path = folder / "manifest.json"
        content = json.dumps(spec.manifest, indent=1, ensure_ascii=False)
        write_atomically(path, lambda temporary: temporary.write_text(content, encoding="utf-8"))
        places["manifest_file"] = str(path)
    return places


if __name__ == "__main__":
    sys.exit(main())
