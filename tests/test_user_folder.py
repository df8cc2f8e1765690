"""The user's folder is where the environment says, and nobody else's."""

from pathlib import Path

import pytest

from medseg._user_folder import user_folder
from medseg.errors import MachineError


def test_the_environment_names_it(monkeypatch, tmp_path):
    monkeypatch.setenv("MEDSEG_HOME", str(tmp_path / "own"))
    assert user_folder() == tmp_path / "own"


def test_else_it_is_in_the_data_folder_of_the_user(monkeypatch, tmp_path):
    monkeypatch.delenv("MEDSEG_HOME", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert user_folder() == tmp_path / "medseg"


def test_a_user_without_a_home_is_told_so(monkeypatch):
    monkeypatch.delenv("MEDSEG_HOME", raising=False)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)

    def no_home(_kind=None):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", no_home)
    with pytest.raises(MachineError, match="set MEDSEG_HOME"):
        user_folder()
