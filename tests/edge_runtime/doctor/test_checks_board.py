"""What the doctor says of a board, its service and its models: on trees as boards have them."""

from pathlib import Path

import pytest

from edge_runtime.doctor import checks_board, checks_model, checks_service, checks_system
from edge_runtime.doctor.findings import Finding
from edge_runtime.inference import model_file
from edge_runtime.store import catalog
from tests.edge_runtime.system import boards
from tests.edge_runtime.system.boards import program, put, runs_in_a_shell


def test_a_board_that_had_too_little_voltage(tmp_path: Path) -> None:
    voltage, throttling = checks_board.power(boards.pi3(tmp_path))
    assert (voltage.status, throttling.status) == ("warning", "warning")
    assert "under-voltage since boot" in voltage.message
    assert "throttled since boot: the cause is probably under-voltage" in throttling.message
    assert checks_board.temperature(tmp_path) == Finding("temperature", "ok", "61 degrees Celsius")


def test_a_board_where_all_is_well(tmp_path: Path) -> None:
    assert {finding.status for finding in checks_board.power(boards.pi4(tmp_path))} == {"ok"}
    assert checks_board.temperature(tmp_path).status == "ok"
    assert checks_system.clock(tmp_path).message.endswith(", synchronized")


def test_a_board_that_is_hot(tmp_path: Path) -> None:
    voltage, throttling = checks_board.power(boards.pi5(tmp_path))
    assert voltage.status == "ok"
    assert throttling.status == "warning"
    assert throttling.message == "soft temperature limit now: the cause is probably heat"
    assert checks_board.temperature(tmp_path).status == "warning"
    put(tmp_path, "sys/class/thermal/thermal_zone0/temp", "85000\n")
    assert checks_board.temperature(tmp_path).status == "failed"


def test_too_little_voltage_now(tmp_path: Path) -> None:
    program(boards.pi4(tmp_path), "vcgencmd", "echo throttled=0x50005")
    assert [finding.status for finding in checks_board.power(tmp_path)] == ["failed", "warning"]


def test_a_raspberry_pi_that_does_not_answer(tmp_path: Path) -> None:
    put(tmp_path, "proc/device-tree/model", "Raspberry Pi 4 Model B Rev 1.4\0")
    for finding in checks_board.power(tmp_path):
        assert finding.status == "warning"
        assert finding.remedy is not None
        assert "apt-get install" in finding.remedy
        assert runs_in_a_shell(finding.remedy)
    program(tmp_path, "vcgencmd", "echo VCHI initialization failed; exit 255")
    assert checks_board.power(tmp_path)[0].remedy == "sudo usermod -aG video $USER"


def test_another_machine_tells_nothing(tmp_path: Path) -> None:
    assert {finding.status for finding in checks_board.power(tmp_path)} == {"ok"}
    assert checks_board.temperature(tmp_path).message == "not available on this machine"


def service(root: Path, script: str) -> Finding:
    put(root, "run/systemd/system/.keep", "")
    program(root, "systemctl", script)
    return checks_service.service(root)


def said(**properties: str) -> str:
    usual = {
        "LoadState": "loaded", "ActiveState": "active", "SubState": "running", "UnitFileState": "enabled",
        "Result": "success", "NRestarts": "0", "StatusText": "", "LoadError": "",
    }  # fmt: skip
    return "cat <<'END'\n" + "\n".join(f"{key}={value}" for key, value in (usual | properties).items()) + "\nEND"


@pytest.mark.parametrize(
    ("properties", "status", "words", "remedy"),
    [
        ({}, "ok", "active (running)", None),
        ({"StatusText": "reading camera"}, "ok", "active (running): reading camera", None),
        ({"ActiveState": "failed", "SubState": "failed", "Result": "watchdog"}, "failed", "watchdog", "journalctl"),
        ({"ActiveState": "activating", "SubState": "auto-restart", "Result": "exit-code"}, "failed", "auto-restart",
         "sudo journalctl -u edge-digits -n 50 --no-pager"),
        ({"ActiveState": "inactive", "SubState": "dead"}, "warning", "inactive (dead)",
         "sudo systemctl start edge-digits"),
        ({"UnitFileState": "disabled"}, "warning", "not started at boot", "sudo systemctl enable edge-digits"),
        ({"NRestarts": "7"}, "warning", "restarted 7 times", "journalctl"),
        ({"LoadState": "masked"}, "warning", "masked", "sudo systemctl unmask edge-digits"),
        ({"LoadState": "bad-setting", "LoadError": "bad"}, "failed", "not valid: bad", "systemd-analyze verify"),
        ({"LoadState": "not-found", "ActiveState": "inactive"}, "ok", "not installed", None),
    ],
)  # fmt: skip
def test_states_of_the_service(
    tmp_path: Path, properties: dict[str, str], status: str, words: str, remedy: str | None
) -> None:
    finding = service(tmp_path, said(**properties))
    assert finding.status == status
    assert words in finding.message
    if remedy is None:
        assert finding.remedy is None
    else:
        assert finding.remedy is not None
        assert remedy in finding.remedy
        assert runs_in_a_shell(finding.remedy)


def test_a_service_of_the_user(tmp_path: Path) -> None:
    there = said(ActiveState="inactive", SubState="dead")
    finding = service(tmp_path, f'if [ "$1" = --user ]; then\n{there}\nelse\n{said(LoadState="not-found")}\nfi')
    assert (finding.status, finding.remedy) == ("warning", "systemctl --user start edge-digits")


@pytest.mark.parametrize("script", ["exit 1", "echo nonsense", "echo Failed to connect to bus >&2; exit 1"])
def test_a_systemd_that_tells_nothing(tmp_path: Path, script: str) -> None:
    assert service(tmp_path, script) == Finding("service", "ok", "not installed")


def test_a_systemd_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks_service, "TIMEOUT", 0.05)
    assert service(tmp_path, "sleep 600 & sleep 600").status == "warning"


def test_no_systemd(tmp_path: Path) -> None:
    program(tmp_path, "systemctl", "exit 1")  # as Debian's package has it in a container
    assert checks_service.service(tmp_path).message.startswith("no systemd here")


def test_the_model_that_ships(tmp_path: Path) -> None:
    finding = checks_model.models(tmp_path / "models")
    assert finding.status == "ok"
    assert (
        finding.message
        == f"{model_file.read(model_file.SHIPPED).id}, the one that ships, is current; none is installed"
    )


def installed(folder: Path) -> Path:
    """Make a store with a model that reads, a copy of the one that ships."""
    folder.mkdir()
    path = folder / f"{model_file.read(model_file.SHIPPED).id}.tflite"
    path.write_bytes(model_file.SHIPPED.read_bytes())
    (folder / catalog.CURRENT).symlink_to(path.name)
    return path


def test_models_in_the_store(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    path = installed(folder)
    finding = checks_model.models(folder)
    assert finding.status == "ok"
    assert finding.message.startswith(f"{path.stem} is current")
    assert finding.message.endswith(f"1 in {folder}")
    path.write_bytes(path.read_bytes()[:5000])
    finding = checks_model.models(folder)
    assert (finding.status, finding.remedy) == ("failed", "edge-digits model rollback")
    path.unlink()
    finding = checks_model.models(folder)
    assert (finding.status, finding.remedy) == ("failed", "edge-digits model rollback")
    assert "is a broken link" in finding.message


def test_a_model_other_than_its_name_says(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    path = installed(folder).rename(folder / "0123456789ab.tflite")
    (folder / catalog.CURRENT).unlink()
    (folder / catalog.CURRENT).symlink_to(path.name)
    finding = checks_model.models(folder)
    assert finding.status == "failed"
    assert "does not match its name" in finding.message
