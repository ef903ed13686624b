import socket

import pytest

from edge_runtime.web import names


def test_this_machine_has_names_that_it_answers_to() -> None:
    own_names = names.names()
    assert own_names[0] == "localhost"
    assert {"127.0.0.1", "::1"} <= set(own_names)
    assert any(name.endswith(".local") for name in own_names)
    assert len(set(own_names)) == len(own_names)
    for name in own_names[3:]:
        with socket.socket(socket.AF_INET) as probe:
            if ":" not in name:
                probe.bind((name, 0))  # it is one of this machine


def test_a_domain_name_has_a_short_mdns_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "Pi.Example.ORG.")
    assert names.names()[1:3] == ["pi.example.org", "pi.local"]


def test_names_no_certificate_can_hold_are_omitted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "my pi")
    assert names.names()[:2] == ["localhost", "127.0.0.1"]
