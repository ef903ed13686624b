"""Load on a web server by wrk: each connection posts a picture, waits for the answer, and posts the next.

wrk runs a thread for each connection. Each thread has its own script, which can therefore match answers to requests and
time the answers 200 separately from the others, which are much faster.
"""

import json
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np

from edge_runtime.errors import DependencyMissing, EdgeError

TIMEOUT = 10  # seconds for an answer
TICK = 1.0  # seconds
SCRIPT = """
local ffi = require("ffi")
ffi.cdef("typedef struct { long seconds, rest; } edge_moment; int clock_gettime(int, edge_moment *);")
local moment, threads, pictures, asked, wait = ffi.new("edge_moment"), {}, {}, 0, 0

local function now()  -- milliseconds
  ffi.C.clock_gettime(1, moment)
  return tonumber(moment.seconds) * 1e3 + tonumber(moment.rest) / 1e6
end

function setup(thread)
  threads[#threads + 1] = thread
end

function init()
  counts, times, last = {}, {}, now()  -- globals, which done() can ask a thread for
  for i, path in ipairs(paths) do
    local file = assert(io.open(path, "rb"))
    pictures[i] = wrk.format("POST", nil, { ["Content-Type"] = "application/octet-stream" }, file:read("*a"))
    file:close()
  end
end

function request()
  asked, last = asked + 1, now()
  return pictures[asked % #pictures + 1]
end

function response(status, headers)
  local came = now()
  counts[status] = (counts[status] or 0) + 1
  if status == 200 then
    times[#times + 1] = came - last
  end
  wait, last = status == 429 and 1000 * tonumber(headers["retry-after"] or 1) or 0, came
end

if patient then
  function delay()
    return wait
  end
end

function done(summary)
  local stopped, statuses, milliseconds, silent = now(), {}, {}, 0
  for _, thread in ipairs(threads) do
    for status, count in pairs(thread:get("counts")) do
      statuses[#statuses + 1] = string.format('["%d", %d]', status, count)
    end
    for _, time in ipairs(thread:get("times")) do
      milliseconds[#milliseconds + 1] = string.format("%.3f", time)
    end
    silent = math.max(silent, stopped - thread:get("last"))
  end
  local errors = summary.errors
  print(string.format('{"seconds": %f, "statuses": [%s], "times": [%s], "silent": %f,',
    summary.duration / 1e6, table.concat(statuses, ","), table.concat(milliseconds, ","), silent / 1e3)
    .. string.format('"errors": {"connect": %d, "read": %d, "write": %d, "timeout": %d}}',
    errors.connect, errors.read, errors.write, errors.timeout))
end
"""


class Answers(NamedTuple):
    """The answers in a number of seconds.

    `times` holds the milliseconds of each answer 200, `errors` what wrk calls socket errors, and `silent` the longest
    time, in seconds, that a connection had waited for an answer at the end.
    """

    seconds: float
    statuses: dict[int, int]
    times: list[float]
    errors: dict[str, int]
    silent: float

    def rate(self, status: int = 200) -> float:
        """Return the answers of this status a second."""
        return self.statuses.get(status, 0) / self.seconds

    def quantile(self, share: float) -> float:
        """Return this quantile of the milliseconds of answers 200; NaN if there was none."""
        return float(np.quantile(self.times, share)) if self.times else float("nan")

    @property
    def failures(self) -> int:
        """The number of answers other than 200 and 429, of socket errors, and of silence beyond the timeout."""
        others = sum(count for status, count in self.statuses.items() if status not in (200, 429))
        return others + sum(self.errors.values()) + (self.silent > TIMEOUT)


def load(
    address: str,
    pictures: Sequence[bytes],
    connections: int,
    seconds: int,
    *,
    patient: bool = False,
    tick: Callable[[], None] = lambda: None,
) -> Answers:
    """Post pictures to an address, in turn, and return the answers; `tick` is called about once a second.

    With `patient`, a connection waits for Retry-After after an answer 429. Raises DependencyMissing without wrk.
    """
    with TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{number}.picture" for number in range(len(pictures))]
        for path, picture in zip(paths, pictures, strict=True):
            path.write_bytes(picture)
        script = Path(folder) / "load.lua"
        settings = (
            f"paths = {{{', '.join(json.dumps(str(path)) for path in paths)}}}\npatient = {json.dumps(patient)}\n"
        )
        script.write_text(settings + SCRIPT)
        many = [f"-{letter}{connections}" for letter in "tc"]
        output = _output([wrk(), *many, f"-d{seconds}s", "--timeout", f"{TIMEOUT}s", "-s", str(script), address], tick)
    return parse(output)


def wrk() -> str:
    """Return the path of wrk. Raises DependencyMissing."""
    path = shutil.which("wrk")
    if path is None:
        raise DependencyMissing("wrk, which makes the load, is not installed: apt install wrk")
    return path


def parse(output: str) -> Answers:
    """Return the output of wrk and the script. Raises EdgeError if it has another format."""
    lines = [line for line in output.splitlines() if line.startswith("{")]
    if not lines:
        raise EdgeError(f"wrk failed: {' '.join(output.split())[-300:] or 'no message'}")
    record = json.loads(lines[-1])
    statuses: Counter[int] = Counter()
    for status, count in record.pop("statuses"):
        statuses[int(status)] += count
    return Answers(statuses=dict(statuses), **record)


def together(runs: Sequence[Answers]) -> Answers:
    """Return several runs merged into one."""
    statuses: Counter[int] = Counter()
    errors: Counter[str] = Counter()
    for run in runs:
        statuses.update(run.statuses)
        errors.update(run.errors)
    times = [time for run in runs for time in run.times]
    silent = max((run.silent for run in runs), default=0.0)
    return Answers(sum(run.seconds for run in runs), dict(statuses), times, dict(errors), silent)


def _output(command: list[str], tick: Callable[[], None]) -> str:
    """Run a command, and return its output."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            while True:
                try:
                    return process.communicate(timeout=TICK)[0]
                except subprocess.TimeoutExpired:
                    tick()
        finally:
            process.kill()
