"""The energy that the machine uses, if it reports it: processor counters, or the rails of a Raspberry Pi 5.

The counters are RAPL, of Intel and AMD processors, which Linux shows to root only (Documentation/power/powercap). A
Raspberry Pi 5 reports the volts and amperes of each rail that its power controller makes. They exclude the controller's
losses and USB devices.
"""

import re
import threading
import time
from abc import abstractmethod
from pathlib import Path

from edge_runtime.system.board import ROOT, TIMEOUT, text_of, vcgencmd
from edge_runtime.system.closing import Closing

EVERY = 0.25  # seconds between samples of the rails; each sample starts a program
# "  VDD_CORE_A current(7)=0.75012000A", "  VDD_CORE_V volt(15)=0.72178200V": numbers differ, equal names match.
RAIL = re.compile(r"^\s*(\w+)_([AV]) (?:current|volt)\(\d+\)=(\d+(?:\.\d+)?)\2\s*$", re.MULTILINE)


class Meter(Closing):
    """Counts energy from its creation until it is closed; `source` describes what it counts."""

    source: str

    @abstractmethod
    def joules(self) -> float | None:
        """Return the joules so far; None once they are unknown."""


def open_meter(root: Path = ROOT) -> Meter | None:
    """Return this machine's energy meter, None if it has none. `root` is the root of the file system."""
    packages = [
        folder
        for folder in sorted(root.glob("sys/class/powercap/intel-rapl:*"))
        if re.fullmatch(r"package-\d+", text_of(folder / "name")) and _number(folder / "energy_uj") is not None
    ]
    if packages:
        return Packages(packages)
    program = root / "usr/bin/vcgencmd"
    return Rails(program) if watts(program) is not None else None


class Packages(Meter):
    """The counters of processor packages. They restart at 0 after some minutes: call `joules` more often."""

    source = "RAPL, processor packages"

    def __init__(self, folders: list[Path]) -> None:
        self._counts = {folder: _number(folder / "energy_uj") for folder in folders}
        self._microjoules = 0

    def joules(self) -> float | None:
        """Return the joules since the meter was made; None if a counter cannot be read."""
        for folder, before in self._counts.items():
            now, most = _number(folder / "energy_uj"), _number(folder / "max_energy_range_uj")
            if now is None or before is None or (now < before and most is None):
                return None
            self._microjoules += now - before + (most if now < before and most is not None else 0)
            self._counts[folder] = now
        return self._microjoules / 1e6

    def close(self) -> None:
        """Do nothing: the counters go on."""


class Rails(Meter):
    """The rails of a Raspberry Pi 5, sampled every EVERY seconds by a thread; power is linear in between."""

    source = "vcgencmd pmic_read_adc, all rails"

    def __init__(self, program: Path) -> None:
        self._program = program
        self._turn = threading.Lock()
        self._joules = 0.0
        self._watts, self._at = watts(program), time.monotonic()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._look_on, name="energy", daemon=True)
        self._thread.start()

    def joules(self) -> float | None:
        """Return the joules since the meter was made; None if vcgencmd failed meanwhile."""
        return self._look()

    def close(self) -> None:
        """Stop sampling."""
        self._closed.set()
        self._thread.join(2 * TIMEOUT)

    def _look_on(self) -> None:
        while not self._closed.wait(EVERY):
            self._look()

    def _look(self) -> float | None:
        with self._turn:
            now, at = watts(self._program), time.monotonic()
            if now is None or self._watts is None:
                self._watts = None  # the energy used meanwhile stays unknown
                return None
            self._joules += (at - self._at) * (now + self._watts) / 2
            self._watts, self._at = now, at
            return self._joules


def watts(program: Path) -> float | None:
    """Return the power of a Raspberry Pi 5's rails, in watts; None if `program`, vcgencmd, does not report it."""
    answer = vcgencmd(program, "pmic_read_adc")
    if answer is None:
        return None
    values = {(rail, unit): float(value) for rail, unit, value in RAIL.findall(answer)}
    powers = [
        value * values[rail, "V"] for (rail, unit), value in values.items() if unit == "A" and (rail, "V") in values
    ]
    return sum(powers) if powers else None


def _number(path: Path) -> int | None:
    text = text_of(path)
    return int(text) if re.fullmatch(r"[0-9]{1,20}", text) else None
