"""The board: its temperature, its power supply, and whether it throttles."""

from pathlib import Path

from edge_runtime.doctor.findings import Finding, a_raspberry_pi, failed, ok, warning
from edge_runtime.system import board
from edge_runtime.system.board import ROOT

# Degrees Celsius from which a Raspberry Pi runs slower, and much slower (its documentation, "Frequency management").
HOT, TOO_HOT = 80.0, 85.0


def temperature(root: Path = ROOT) -> Finding:
    """Report the processor's temperature."""
    degrees = board.temperature(root)
    if degrees is None:
        return ok("temperature", "not available on this machine")
    measured = f"{degrees:.0f} degrees Celsius"
    if degrees >= TOO_HOT:
        return failed("temperature", f"{measured}: the processor is throttled heavily; add a heat sink and a fan")
    if degrees >= HOT:
        return warning("temperature", f"{measured}: throttling begins at {HOT:.0f}; add a heat sink or a fan")
    return ok("temperature", measured)


def power(root: Path = ROOT) -> list[Finding]:
    """Report whether the supply is sufficient, and whether the board was throttled."""
    states = board.throttled(root)
    if states is None:
        if not a_raspberry_pi(root):
            return [ok(name, "available on a Raspberry Pi only") for name in ("power", "throttling")]
        message = "vcgencmd gives no answer: it is missing, or this user may not run it"
        mend = "sudo apt-get install -y libraspberrypi-bin || sudo apt-get install -y raspi-utils"
        if (root / "usr/bin/vcgencmd").exists():
            mend = "sudo usermod -aG video $USER"
        return [warning("power", message, mend), warning("throttling", message, mend)]
    return [_voltage(states), _throttling(states)]


def _voltage(states: tuple[str, ...]) -> Finding:
    supply = "use the power supply made for this board, and a short, thick cable"
    if "under-voltage now" in states:
        return failed("power", f"under-voltage now: {supply}")
    if "under-voltage since boot" in states:
        return warning("power", f"under-voltage since boot: {supply}")
    return ok("power", "no under-voltage since boot")


def _throttling(states: tuple[str, ...]) -> Finding:
    slow = [state for state in states if not state.startswith("under-voltage")]
    if not slow:
        return ok("throttling", "none since boot")
    now = [state for state in slow if state.endswith(" now")]
    why = "under-voltage" if any(state.startswith("under-voltage") for state in states) else "heat"
    return warning("throttling", f"{', '.join(now or slow)}: the cause is probably {why}")
