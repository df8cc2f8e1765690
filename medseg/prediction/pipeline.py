"""Cases one after the other, overlapping: one is read, one predicted, one written at a time.

Memory holds at most one case in each of the three places, and one that waits between two.
"""

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

__all__ = ["Outcome", "Stages", "run_pipeline"]

Case = TypeVar("Case")
Ready = TypeVar("Ready")
Made = TypeVar("Made")
Done = TypeVar("Done")


@dataclass(frozen=True, kw_only=True)
class Stages(Generic[Case, Ready, Made, Done]):
    """What happens to a case.

    Attributes:
        read: In a thread of its own.
        predict: In the caller's thread.
        write: In another thread.
    """

    read: Callable[[Case], Ready]
    predict: Callable[[Ready], Made]
    write: Callable[[Made], Done]


@dataclass(frozen=True, kw_only=True)
class Outcome(Generic[Case, Done]):
    """What became of a case.

    Attributes:
        case: The case.
        done: What `write` returned; none if a stage failed.
        error: What the stage raised.
        stage: Which one, `read`, `predict` or `write`; the last one if none failed.
    """

    case: Case
    done: Done | None = None
    error: Exception | None = None
    stage: str = "write"


def run_pipeline(
    cases: Sequence[Case], stages: Stages[Case, Ready, Made, Done]
) -> Generator[Outcome[Case, Done]]:
    """Take all cases through all stages; whoever stops asking stops the rest.

    Yields:
        An outcome a case, as soon as it is known; a case that failed may come before one that
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
                made = stages.predict(ready)
            except Exception as failure:
                yield _failed(case, failure, "predict")
                continue
            finally:
                del ready
            if writing is not None:
                yield _written(*writing)
            writing = case, writer.submit(stages.write, made)
            del made
        if writing is not None:
            yield _written(*writing)


@contextmanager
def _worker() -> Generator[ThreadPoolExecutor]:
    """A thread that finishes what it is at, and begins nothing more, when all is over."""
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
