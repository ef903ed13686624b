from pathlib import Path

import pytest

from edge_runtime.errors import OptionError
from edge_runtime.system.state_folder import state_folder


def test_a_service_has_a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/edge-digits:/var/lib/other")
    assert state_folder() == Path("/var/lib/edge-digits")


def test_others_have_theirs_at_home_or_as_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", "/somewhere")
    assert state_folder() == Path("/somewhere/edge-digits")
    monkeypatch.setenv("HOME", "/home/me")
    for nothing in ("", "relative"):
        monkeypatch.setenv("XDG_STATE_HOME", nothing)
        assert state_folder() == Path("/home/me/.local/state/edge-digits")


def test_who_has_no_home_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setattr("os.path.expanduser", lambda path: path)
    with pytest.raises(OptionError, match="set XDG_STATE_HOME to a folder"):
        state_folder()
