"""A silence ends with the block it is of, and no other, whatever order threads leave theirs in."""

import io
import logging
import warnings
from contextlib import ExitStack, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medseg._quiet import (
    SILENT,
    quiet_libraries,
    quiet_loggers,
    quiet_warnings,
    root_logger_kept,
)
from medseg.data.dicom.tags import quiet_pydicom


def warned(message):
    """Whether a warning is told; tests make it an error."""
    try:
        warnings.warn(message, stacklevel=2)
    except UserWarning:
        return True
    return False


def test_who_leaves_first_does_not_end_the_silence_of_another():
    logger = logging.getLogger("pydicom")
    reader, writer = quiet_pydicom(), quiet_pydicom()
    reader.__enter__()
    writer.__enter__()
    reader.__exit__(None, None, None)
    assert not logger.isEnabledFor(logging.CRITICAL)
    assert not warned("DOE^JANE")
    writer.__exit__(None, None, None)
    assert logger.isEnabledFor(logging.WARNING)
    assert warned("heard again")


KINDS = {
    "pydicom": quiet_pydicom,
    "libraries": quiet_libraries,
    "one warning": lambda: quiet_warnings("ConfigParser"),
    "errors only": lambda: quiet_loggers("pydicom", "monai", level=logging.ERROR),
}


@given(st.lists(st.sampled_from(sorted(KINDS)), max_size=6), st.randoms(use_true_random=False))
def test_in_whatever_order_they_end_all_is_as_it_was(kinds, chance):
    levels = {name: logging.getLogger(name).level for name in ("pydicom", "monai", "ignite")}
    filters = list(warnings.filters)
    silences = [KINDS[kind]() for kind in kinds]
    for silence in silences:
        silence.__enter__()
    chance.shuffle(silences)
    for silence in silences:
        silence.__exit__(None, None, None)
    assert {name: logging.getLogger(name).level for name in levels} == levels
    assert list(warnings.filters) == filters


@given(st.lists(st.sampled_from([logging.WARNING, logging.ERROR, SILENT]), min_size=1))
def test_the_most_silent_of_those_that_are_open_counts(levels):
    logger = logging.getLogger("medseg.tests.loud")
    logger.setLevel(logging.INFO)
    with ExitStack() as stack:
        for level in levels:
            stack.enter_context(quiet_loggers(logger.name, level=level))
        assert logger.level == max(levels)
    assert logger.level == logging.INFO


def test_a_library_that_swaps_the_filters_meanwhile_does_not_make_a_silence_last():
    library, silence = warnings.catch_warnings(), quiet_warnings()
    silence.__enter__()
    library.__enter__()
    silence.__exit__(None, None, None)
    assert warned("within the library")
    library.__exit__(None, None, None)
    assert warned("after it")


def test_only_the_warnings_that_are_meant_are_ignored():
    with quiet_warnings(".*GHSA"):
        assert not warned("ConfigParser: see GHSA-873f-pvrv-4x83")
        assert warned("something else")
    with quiet_warnings(module="another"):
        assert warned("of this module")


def test_a_filter_of_the_users_own_that_says_the_same_stays():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with quiet_warnings():
            pass
        assert not warned("ignored by the user")


def test_an_error_ends_a_silence():
    with pytest.raises(KeyError), quiet_pydicom():
        raise KeyError
    assert logging.getLogger("pydicom").isEnabledFor(logging.WARNING)


def test_loggers_of_libraries_tell_errors_and_those_below_them_too():
    heard = io.StringIO()
    handler = logging.StreamHandler(heard)
    logger = logging.getLogger("monai.tests")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        with quiet_libraries():
            logger.warning("not this")
            logger.error("this")
        logger.info("and this")
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)
    assert heard.getvalue() == "this\nand this\n"


def test_a_root_logger_that_a_library_silences_speaks_again():
    root = logging.getLogger()
    before = root.level, list(root.filters), list(root.handlers)
    with suppress(OSError), root_logger_kept():
        root.setLevel(logging.CRITICAL)
        root.addFilter(lambda record: False)
        raise OSError("conversion failed")
    assert (root.level, root.filters, root.handlers) == before
