"""Reading of training logs, of whichever program: told apart by their content."""

from pathlib import Path

from medseg.data.patterns import natural_key
from medseg.errors import DataError
from medseg.studies.history.csv_log import is_csv_log, read_csv_log
from medseg.studies.history.log import TrainingLog
from medseg.studies.history.nnunet_log import is_nnunet_log, read_nnunet_log

__all__ = ["read_log"]

_KNOWN = (
    "use medseg's metrics.csv, a file of Keras's CSVLogger, nnU-Net's training_log, "
    "or the folder of one"
)


def read_log(path: Path) -> TrainingLog:
    """Read the log of one training.

    Args:
        path: A file; or a folder with medseg's `metrics.csv`, or with the logs of nnU-Net, of which
            there is one for each start.

    Raises:
        DataError: If it is missing, no log, holds no epoch or what is no number; one line.
    """
    text = "\n".join(map(_text, _files(path))).strip()
    if not text:
        raise DataError(f"{path}: is empty; {_KNOWN}")
    if is_csv_log(text):
        return read_csv_log(path, text)
    if is_nnunet_log(text):
        return read_nnunet_log(path, text)
    raise DataError(
        f"{path}: is no log of a training: no column 'epoch', no line 'Epoch 0'; {_KNOWN}"
    )


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    own = path / "metrics.csv"
    logs = sorted(path.glob("training_log_*.txt"), key=lambda file: natural_key(file.name))
    found = [own] if own.is_file() else logs
    if not found:
        raise DataError(f"{path}: no metrics.csv and no training_log_*.txt in it; {_KNOWN}")
    return found


def _text(path: Path) -> str:
    if path.exists() and not path.is_file():  # reading a pipe may never end
        raise DataError(f"{path}: is no file; {_KNOWN}")
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path}: cannot read the log ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is no text; {_KNOWN}") from error
