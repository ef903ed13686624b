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
        return ok("temperature", "this machine does not tell")
    measured = f"{degrees:.0f} degrees Celsius"
    if degrees >= TOO_HOT:
        return failed(
            "temperature", f"{measured}: it runs much slower to keep from harm; give it a heat sink and a fan"
        )
    if degrees >= HOT:
        return warning("temperature", f"{measured}: it runs slower from {HOT:.0f} on; give it a heat sink or a fan")
    return ok("temperature", measured)


def power(root: Path = ROOT) -> list[Finding]:
    """Report whether the supply is sufficient, and whether the board was throttled."""
    states = board.throttled(root)
    if states is None:
        if not a_raspberry_pi(root):
            return [ok("power", "only a Raspberry Pi tells"), ok("throttling", "only a Raspberry Pi tells")]
        message = "the board does not answer: vcgencmd is missing, or this user may not ask"
        mend = "sudo apt-get install -y libraspberrypi-bin || sudo apt-get install -y raspi-utils"
        if (root / "usr/bin/vcgencmd").exists():
            mend = "sudo usermod -aG video $USER"
        return [warning("power", message, mend), warning("throttling", message, mend)]
    return [_voltage(states), _throttling(states)]


def _voltage(states: tuple[str, ...]) -> Finding:
    supply = "take the supply made for this board, and a short, thick cable"
    if "under-voltage now" in states:
        return failed("power", f"too little voltage, now: {supply}")
    if "under-voltage since boot" in states:
        return warning("power", f"there was too little voltage since it was started: {supply}")
    return ok("power", "the voltage has been right since it was started")


def _throttling(states: tuple[str, ...]) -> Finding:
    slow = [state for state in states if not state.startswith("under-voltage")]
    if not slow:
        return ok("throttling", "none since it was started")
    now = [state for state in slow if state.endswith(" now")]
    why = "too little voltage" if any(state.startswith("under-voltage") for state in states) else "heat"
    return warning("throttling", f"{', '.join(now or slow)}: it runs slower, likely for {why}")
