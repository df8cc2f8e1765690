"""How values of headers are read: leniently in length, strictly in meaning, in silence."""

import io
import logging
import warnings

import pydicom
import pytest

from medseg.data.dicom.tags import (
    first_text,
    numbers,
    quiet_pydicom,
    sequence,
    texts,
    whole_number,
)


def header(keyword, value):
    """A dataset with raw bytes as read from a file; `keyword` must be a decimal string's."""
    tag = pydicom.datadict.tag_for_keyword(keyword)
    content = value.encode() + b" " * (len(value) % 2)
    head = tag.to_bytes(4, "big")
    raw = head[1::-1] + head[:1:-1] + b"DS" + len(content).to_bytes(2, "little") + content
    with quiet_pydicom():
        return pydicom.dcmread(io.BytesIO(raw), force=True)


def test_numbers_may_be_longer_than_dicom_allows_and_have_blanks():
    found = header("PixelSpacing", " 0.9765625000000000000 \\1e-1")
    assert numbers(found, "PixelSpacing", 2) == (0.9765625, 0.1)
    assert texts(found, "PixelSpacing") == ("0.9765625000000000000", "1e-1")
    assert first_text(found, "PixelSpacing") == "0.9765625000000000000"


def test_what_is_absent_or_empty_is_none():
    found = header("PixelSpacing", "")
    assert numbers(found, "PixelSpacing", 2) is None
    assert numbers(found, "RescaleSlope", 1) is None
    assert whole_number(found, "InstanceNumber") is None
    assert first_text(found, "Modality") == ""
    assert sequence(found, "ModalityLUTSequence") == ()


@pytest.mark.parametrize("value", ["Doe", "nan", "inf", "1_0", "1,5", "1\\2", "0x1", "1\\"])
def test_what_is_no_number_is_an_error_that_does_not_quote_it(value):
    with pytest.raises(ValueError, match="RescaleSlope must be a number") as info:
        numbers(header("RescaleSlope", value), "RescaleSlope", 1)
    assert value not in str(info.value).replace("must be a", "")


def test_half_a_frame_is_an_error():
    with pytest.raises(ValueError, match="RescaleSlope must be a whole number"):
        whole_number(header("RescaleSlope", "1.5"), "RescaleSlope")


def test_pydicom_is_quiet_inside_and_as_before_outside(caplog):
    logger = logging.getLogger("pydicom")
    with quiet_pydicom():
        logger.warning("Doe")
        warnings.warn("Doe", stacklevel=1)
    assert caplog.text == ""
    logger.warning("heard")
    assert "heard" in caplog.text
