"""The commands `edge-digits model`, and what `edge-digits read` makes of what they have installed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from edge_runtime.cli.main import main
from edge_runtime.inference import model_file
from edge_runtime.inference.model_file import SHIPPED
from edge_runtime.store import catalog
from tests.commands import Call
from tests.edge_runtime.inference.model_variants import variant

SHIPS = model_file.read(SHIPPED).id


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, in which nothing is installed."""
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "edge-digits" / "models"


@pytest.fixture
def two(call: Call, tmp_path: Path) -> list[str]:
    """Install two models, and return their ids."""
    ids = []
    for name in ("first", "second"):
        ids.append(variant(tmp_path / f"{name}.tflite", name).id)
        done = call(main, "model", "install", tmp_path / f"{name}.tflite")
        assert done == (
            0,
            f"{ids[-1]} is the current model now\n",
            f"edge-digits: {tmp_path}/{name}.tflite: complete; testing it\n",
        )
    return ids


def test_the_installed_model_reads_and_so_do_rollbacks(call: Call, two: list[str], samples: Path) -> None:
    def reads() -> str:
        done = call(main, "read", samples / "digit.png", "--json")
        assert (done.code, done.err) == (0, "")
        return str(json.loads(done.out)["model"])

    assert reads() == two[1]
    assert call(main, "model", "rollback").out == f"{two[0]} is the current model now\n"
    assert reads() == two[0]
    assert call(main, "model", "rollback").out == f"{SHIPS} is the current model now\n"
    assert reads() == SHIPS
    assert call(main, "model", "rollback", two[1][:6]).out == f"{two[1]} is the current model now\n"
    done = call(main, "read", samples / "digit.png", "--json", "--model", SHIPPED)
    assert json.loads(done.out)["model"] == SHIPS


def test_they_are_listed_for_people_and_for_programs(call: Call, two: list[str], home: Path) -> None:
    lines = call(main, "model", "list").out.splitlines()
    assert [line.split()[:2] for line in lines[:1]] == [["*", two[1]]]
    assert [line.split()[0] for line in lines[1:]] == [two[0], SHIPS]
    assert all("on trial" in line for line in lines[:2])
    assert lines[2].endswith("shipped")
    records = json.loads(call(main, "model", "list", "--json").out)
    assert [(one["id"], one["current"], one["shipped"]) for one in records] == [
        (two[1], True, False), (two[0], False, False), (SHIPS, False, True),
    ]  # fmt: skip
    assert records[0]["path"] == str(home / f"{two[1]}.tflite")


def test_one_is_shown_with_what_its_card_says(call: Call, two: list[str], home: Path, tmp_path: Path) -> None:
    shown = dict(line.split(maxsplit=1) for line in call(main, "model", "show").out.splitlines())
    card = model_file.read(SHIPPED).card
    assert card is not None
    assert shown["id"] == two[1]
    assert shown["file"] == str(home / f"{two[1]}.tflite")
    assert shown["labels"] == "0 1 2 3 4 5 6 7 8 9 not a digit"
    assert shown["source"] == f"{tmp_path}/second.tflite"
    assert (shown["signed"], shown["reads"], shown["contract"]) == ("no", "yes", str(card["contract"]))
    record = json.loads(call(main, "model", "show", "shipped", "--json").out)
    assert (record["id"], record["card"], record["shipped"]) == (SHIPS, card, True)
    (home / f"{two[0]}.tflite").write_bytes((home / f"{two[1]}.tflite").read_bytes())
    done = call(main, "model", "show", two[0])
    assert (done.code, done.out) == (4, "")
    assert "does not match its name" in done.err


def test_one_is_removed(call: Call, two: list[str]) -> None:
    assert call(main, "model", "remove", two[0][:5]) == (0, f"{two[0]} was removed\n", "")
    assert call(main, "model", "remove", two[1]).code == 2
    assert call(main, "model", "remove", "shipped").code == 2
    done = call(main, "model", "remove", two[0])
    assert done == (
        2,
        "",
        f"edge-digits: error: no model has an id that begins with {two[0]!r}; there is {two[1]}, {SHIPS}\n",
    )


def test_a_refusal_is_one_line_and_a_code(call: Call, tmp_path: Path, home: Path) -> None:
    done = call(main, "model", "install", tmp_path / "none")
    assert done == (4, "", f"edge-digits: error: there is no {tmp_path}/none\n")
    variant(tmp_path / "wrong.tflite", wrong=True)
    assert call(main, "model", "install", tmp_path / "wrong.tflite").code == 4
    assert call(main, "model", "install", tmp_path / "wrong.tflite", "--sha256", "12").code == 2
    assert call(main, "model", "install", "ftp://x/y").code == 2
    assert call(main, "model", "install", SHIPPED, "--require-signed").code == 2
    assert not home.exists()


def test_trusted_keys_may_be_in_an_option_file(
    call: Call, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = tmp_path / "options.toml"
    options.write_text(f'[model]\ntrusted-key = ["{tmp_path}/maker.pem"]\nrequire-signed = true\n[read]\njson = true\n')
    assert call(main, "config", "check", options).code == 0
    shown = call(main, "config", "show", "--config", options).out
    assert f'[model]\ntrusted-key = ["{tmp_path}/maker.pem"]  # file\nrequire-signed = true  # file\n' in shown
    done = call(main, "model", "install", SHIPPED, "--config", options)
    assert (done.code, done.err) == (
        2,
        f"edge-digits: error: cannot read the trusted key {tmp_path}/maker.pem: No such file or directory\n",
    )
    monkeypatch.setenv("EDGE_DIGITS_MODEL_REQUIRE_SIGNED", "1")
    assert call(main, "model", "install", SHIPPED).code == 2
    options.write_text("[model]\nsource = 'x'\n")
    assert call(main, "config", "check", options).code == 2
    assert not home.exists()


def test_without_a_home_the_model_that_ships_reads(call: Call, samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", "nowhere")
    assert call(main, "read", samples / "digit.png").out == "2\n"
    done = call(main, "model", "install", SHIPPED)
    assert (done.code, done.out) == (2, "")
    assert "there is no home folder to store state in" in done.err


def test_a_service_keeps_its_models_where_systemd_says(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "var"))
    assert call(main, "model", "install", SHIPPED).code == 0
    assert catalog.current(tmp_path / "var" / "models").stem == SHIPS


@pytest.mark.parametrize("command", [[], ["install"], ["list"], ["show"], ["rollback"], ["remove"]])
def test_help_needs_neither_numpy_nor_a_network_library(command: list[str]) -> None:
    code = (
        "import sys; from edge_runtime.cli.main import cli\n"
        "cli.main(sys.argv[1:], standalone_mode=False)\n"
        "heavy = {'numpy', 'cv2', 'urllib.request', 'cryptography', 'ai_edge_litert'}\n"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "model", *command, "--help"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Usage: " in done.stdout


def test_a_read_loads_nothing_of_what_installs(samples: Path) -> None:
    code = (
        "import sys; from edge_runtime.cli.main import cli\n"
        "cli.main(sys.argv[1:], standalone_mode=False)\n"
        "heavy = {'urllib.request', 'cryptography', 'ssl', 'edge_runtime.store.changes'}\n"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "read", samples / "digit.png"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "2\n"), done.stderr
