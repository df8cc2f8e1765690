"""A silence that threads share lasts until the last of them is out, and no longer."""

import logging
import warnings

from medseg._quiet import shared
from medseg.data.dicom.tags import quiet_pydicom


def test_who_leaves_first_does_not_end_the_silence_of_another(recwarn):
    logger = logging.getLogger("pydicom")
    reader, writer = quiet_pydicom(), quiet_pydicom()
    reader.__enter__()
    writer.__enter__()
    reader.__exit__(None, None, None)
    assert logger.disabled
    warnings.warn("DOE^JANE", stacklevel=1)
    assert len(recwarn) == 0
    writer.__exit__(None, None, None)
    assert not logger.disabled
    warnings.warn("heard again", stacklevel=1)
    assert [str(one.message) for one in recwarn] == ["heard again"]


def test_it_begins_anew_after_it_ended_and_an_error_ends_it():
    told = []

    class Silence:
        def __enter__(self):
            told.append("in")

        def __exit__(self, *_):
            told.append("out")

    silence = shared(Silence)
    for _ in range(2):
        try:
            with silence(), silence():
                raise KeyError
        except KeyError:
            pass
    assert told == ["in", "out", "in", "out"]
