"""Text from outside: nothing of it reaches a terminal raw, and every name is a file's name."""

import hashlib
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medseg._text import printable, safe_name

# Any code point, the surrogates of undecodable bytes included.
anything = st.text(st.characters(), max_size=300)
# What Microsoft's "Naming files, paths, and namespaces" reserves.
DEVICES = ("CON", "PRN", "AUX", "NUL", *(f"{d}{n}" for d in ("COM", "LPT") for n in range(10)))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Müller 病人 🫁", "Müller 病人 🫁"),
        ("a\nb", r"a\nb"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("\x9b31m", r"\x9b31m"),
        ("a\x7f", r"a\x7f"),
        ("gpj\u202egnp.exe", r"gpj\u202egnp.exe"),
        ("line\u2028end", r"line\u2028end"),
        (b"M\xfcller".decode(errors="surrogateescape"), r"M\xfcller"),
        ("\ud800", r"\ud800"),
        ("Persian\u200cname", "Persian\u200cname"),
    ],
)
def test_what_is_shown_has_its_controls_escaped(text, shown):
    assert printable(text) == shown


@given(anything)
def test_what_is_shown_is_one_line_of_utf8_without_a_control_character(text):
    shown = printable(text)
    shown.encode()
    assert len((shown + "x").splitlines()) == 1
    assert not any(unicodedata.category(letter) == "Cc" for letter in shown)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("phantom_000", "phantom_000"),
        ("Müller Hans", "Müller Hans"),
        ("1.2.840.113619", "1.2.840.113619"),
        ("CT 2021-03-04 10:15", "CT 2021-03-04 10_15"),
        ('a<b>c:d"e/f\\g|h?i*j', "a_b_c_d_e_f_g_h_i_j"),
        ("Doe^John", "Doe^John"),
        ("two\nlines\x1b[31m", "two_lines_[31m"),
        (b"M\xfcller".decode(errors="surrogateescape"), "M%FCller"),
        ("nul", "nul_"),
        ("NUL.nii", "NUL_.nii"),
        ("com1", "com1_"),
        ("nullify", "nullify"),
        ("ends in a dot.", "ends in a dot_"),
        ("ends in a space ", "ends in a space_"),
        (".hidden", "_hidden"),
        ("..", "__"),
        ("", "_"),
    ],
)
def test_a_name_is_safe_on_every_system(text, name):
    assert safe_name(text) == name


def test_a_long_name_is_cut_and_ends_in_its_digest():
    long = "ü" * 200
    digest = hashlib.sha256(long.encode()).hexdigest()[:8]
    assert safe_name(long) == f"{'ü' * 110}~{digest}"
    assert len(safe_name("x" * 230)) == 230
    assert safe_name("x" * 231) != safe_name("x" * 232)


@given(anything)
def test_a_safe_name_keeps_every_rule_and_is_safe_itself(text):
    name = safe_name(text)
    assert 1 <= len(name.encode()) <= 230
    assert not set(name) & set('<>:"/\\|?*\0')
    assert name[0] not in ". "
    assert name[-1] not in ". "
    assert name.split(".")[0].rstrip().upper() not in DEVICES
    assert safe_name(name) == name


def test_names_of_undecodable_bytes_stay_apart(tmp_path):
    names = {safe_name(bytes([byte]).decode(errors="surrogateescape")) for byte in range(128, 256)}
    assert len(names) == 128
    for name in names:
        (tmp_path / name).touch()
