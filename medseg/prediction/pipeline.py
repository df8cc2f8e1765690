"""Pipeline of threads: one case is read while another is predicted and a third is written.

Memory holds at most one case in each of the three stages, and one that waits between two.
"""

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

__all__ = ["Outcome", "Stages", "run_pipeline"]

Case = TypeVar("Case")
Ready = TypeVar("Ready")
Predicted = TypeVar("Predicted")
Done = TypeVar("Done")


@dataclass(frozen=True, kw_only=True)
class Stages(Generic[Case, Ready, Predicted, Done]):
    """The three functions that each case passes through.

    Attributes:
        read: Runs in a thread of its own.
        predict: Runs in the caller's thread.
        write: Runs in another thread.
    """

    read: Callable[[Case], Ready]
    predict: Callable[[Ready], Predicted]
    write: Callable[[Predicted], Done]


@dataclass(frozen=True, kw_only=True)
class Outcome(Generic[Case, Done]):
    """Outcome of a case.

    Attributes:
        case: The case.
        done: What `write` returned; None if a stage failed.
        error: What the failed stage raised.
        stage: The failed stage, `read`, `predict` or `write`; the last one if none failed.
    """

    case: Case
    done: Done | None = None
    error: Exception | None = None
    stage: str = "write"


def run_pipeline(
    cases: Sequence[Case], stages: Stages[Case, Ready, Predicted, Done]
) -> Generator[Outcome[Case, Done]]:
    """Take all cases through all stages; closing the generator stops the rest.

    Yields:
        One outcome per case, as soon as it is known; a case that failed may come before one that
        is still being written.
    """
    with _worker() as reader, _worker() as writer:
        writing: tuple[Case, Future[Done]] | None = None
        coming = [reader.submit(stages.read, case) for case in cases[:1]]
        for place, case in enumerate(cases, start=1):
            reading = coming.pop()
            error = reading.exception()
            coming = [reader.submit(stages.read, case) for case in cases[place : place + 1]]
            if error is not None:
                yield _failed(case, error, "read")
                continue
            if writing is not None and writing[1].done():
                yield _written(*writing)
                writing = None
            ready = reading.result()
            del reading
            try:
                predicted = stages.predict(ready)
            except Exception as failure:
                yield _failed(case, failure, "predict")
                continue
            finally:
                del ready
            if writing is not None:
                yield _written(*writing)
            writing = case, writer.submit(stages.write, predicted)
            del predicted
        if writing is not None:
            yield _written(*writing)


@contextmanager
def _worker() -> Generator[ThreadPoolExecutor]:
    """A single thread; on leaving, it finishes the current task and drops the others."""
    executor = ThreadPoolExecutor(max_workers=1)
    try:
        yield executor
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _written(case: Case, writing: Future[Done]) -> Outcome[Case, Done]:
    error = writing.exception()
    return (
        Outcome(case=case, done=writing.result())
        if error is None
        else _failed(case, error, "write")
    )


def _failed(case: Case, error: BaseException, stage: str) -> Outcome[Case, Any]:
    if not isinstance(error, Exception):
        raise error
    return Outcome(case=case, error=error, stage=stage)
