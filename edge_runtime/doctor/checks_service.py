"""The service: whether it is installed and runs."""

from pathlib import Path

from edge_runtime.doctor.findings import Finding, failed, ok, warning
from edge_runtime.system.board import ROOT
from edge_runtime.system.subprocesses import ask

UNIT = "edge-digits"
ASKED = ("LoadState", "ActiveState", "SubState", "UnitFileState", "Result", "NRestarts", "StatusText", "LoadError")
TIMEOUT = 5.0  # seconds


def service(root: Path = ROOT) -> Finding:
    """Report the state of the system's service or, if there is none, of this user's."""
    program = root / "usr/bin/systemctl"
    if not (root / "run/systemd/system").exists() or not program.exists():
        return ok("service", "no systemd here, so no service")
    for whose in ((), ("--user",)):
        answer = ask([program, *whose, "show", UNIT, "--property=" + ",".join(ASKED)], TIMEOUT)
        if answer is not None and answer.code is None:
            return warning("service", f"systemd does not answer within {TIMEOUT:g} s", "systemctl is-system-running")
        if answer is None or answer.code != 0:
            continue
        said = dict(line.split("=", 1) for line in answer.out.splitlines() if "=" in line)
        if said.get("LoadState") not in (None, "not-found"):
            return _state(said, whose)
    return ok("service", "not installed")


def _state(said: dict[str, str], whose: tuple[str, ...]) -> Finding:
    systemctl, journal = ("systemctl --user", "journalctl --user") if whose else ("sudo systemctl", "sudo journalctl")
    logs = f"{journal} -u {UNIT} -n 50 --no-pager"
    state = f"{said.get('ActiveState', '?')} ({said.get('SubState', '?')})"
    if said["LoadState"] == "masked":
        return warning("service", "masked: it cannot be started", f"{systemctl} unmask {UNIT}")
    if said["LoadState"] != "loaded":
        return failed("service", f"its unit is not valid: {said.get('LoadError') or said['LoadState']}",
                      f"systemd-analyze verify {UNIT}.service")  # fmt: skip
    if said.get("ActiveState") == "failed" or said.get("SubState") == "auto-restart":
        return failed("service", f"{state}: {said.get('Result', '?')}; its log says why", logs)
    if said.get("ActiveState") not in ("active", "activating", "reloading"):
        return warning("service", f"installed, and {state}", f"{systemctl} start {UNIT}")
    status = f": {said['StatusText']}" if said.get("StatusText") else ""
    if said.get("UnitFileState") == "disabled":
        return warning("service", f"{state}, but not started at boot", f"{systemctl} enable {UNIT}")
    restarts = said.get("NRestarts", "0")
    if restarts not in ("", "0"):
        return warning("service", f"{state}, restarted {restarts} times{status}; its log says why", logs)
    return ok("service", state + status)
