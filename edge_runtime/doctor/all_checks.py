"""`edge-digits doctor`: what this machine has for the runtime, what it lacks, and the command that fixes it.

Each check runs in a thread with a timeout: a hang, as of a network disk or a driver, is a finding, too. This module
imports nothing that may be missing or broken; it tries packages in separate processes (`probe`).
"""

import struct
import sys
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

from edge_runtime import __version__
from edge_runtime.doctor import checks_board, checks_cameras, checks_packages, checks_service, checks_system, probe
from edge_runtime.doctor.findings import Finding, failed
from edge_runtime.system.board import ROOT

Check = Callable[[], Finding | list[Finding]]
SECONDS = 90.0  # for all checks: trying the packages takes this long if every one hangs (probe.TIMEOUT)


def run(root: Path = ROOT) -> list[Finding]:
    """Return the findings, in order; `root` is the root of the file system."""
    return together(checks(root))


def checks(root: Path) -> list[tuple[str, Check]]:
    """Return the checks, each by the name of its first finding."""
    memory = checks_system.memory(root)  # before the probes of packages use memory
    tried = probe.Tried(probe.PROBES)
    bits, version = 8 * struct.calcsize("P"), sys.version_info[:2]
    return [
        ("system", lambda: checks_system.system(root)),
        ("python", checks_system.python),
        ("numpy", lambda: checks_packages.plain("numpy", tried["numpy"])),
        ("numpy ABI", lambda: checks_packages.numpy_abi({name: tried[name] for name in probe.PACKAGES})),
        ("opencv", lambda: checks_packages.opencv(tried["opencv"])),
        ("interpreter", lambda: checks_packages.interpreter(tried["interpreter"], bits=bits, python=version)),
        ("pillow", lambda: checks_packages.plain("pillow", tried["pillow"])),
        ("camera", lambda: checks_cameras.cameras(root)),
        ("ribbon cable", lambda: checks_cameras.ribbon(root)),
        ("picamera2", lambda: checks_cameras.picamera2(tried["picamera2"], root)),
        ("groups", lambda: checks_cameras.groups(root)),
        ("display", checks_system.display),
        ("disk", checks_system.disk),
        ("memory", lambda: memory),
        ("temperature", lambda: checks_board.temperature(root)),
        ("power", lambda: checks_board.power(root)),
        ("clock", lambda: checks_system.clock(root)),
        ("models", lambda: checks_packages.models(tried["models"])),
        ("service", lambda: checks_service.service(root)),
    ]


def together(checks: Sequence[tuple[str, Check]], seconds: float = SECONDS) -> list[Finding]:
    """Run checks at the same time; a check that fails, or exceeds this many seconds, becomes a finding as well."""
    results: dict[int, list[Finding]] = {}

    def make(number: int, name: str, check: Check) -> None:
        try:
            findings = check()
        except Exception as error:  # boundary: a failing check must not end the doctor
            findings = failed(name, f"not checked: {type(error).__name__}: {' '.join(str(error).split())}")
        results[number] = [findings] if isinstance(findings, Finding) else findings

    threads = [
        # system.signals matches the name, and does not wait for a thread that hangs.
        threading.Thread(target=make, args=(number, name, check), name="read_check", daemon=True)
        for number, (name, check) in enumerate(checks)
    ]
    for thread in threads:
        thread.start()
    end = monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, end - monotonic()))
    late = failed("", f"not checked: no answer within {seconds:g} s")
    return [
        finding
        for number, (name, _) in enumerate(checks)
        for finding in results.get(number, [late._replace(name=name)])
    ]


def passed(findings: Sequence[Finding]) -> bool:
    """Return whether nothing failed."""
    return all(finding.status != "failed" for finding in findings)


def record(findings: Sequence[Finding]) -> dict[str, Any]:
    """Return the findings for programs, as edge_runtime/schemas/doctor.schema.json describes them."""
    return {
        "format": 2,
        "checked_at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "version": __version__,
        "passed": passed(findings),
        "checks": [finding._asdict() for finding in findings],
    }
