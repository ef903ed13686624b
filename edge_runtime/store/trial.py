"""Try a model on this machine, in a separate process that may crash or hang."""

import os
import subprocess
import sys
from pathlib import Path

from edge_runtime.errors import ModelError
from edge_runtime.system import signals

SECONDS = 60.0  # a Raspberry Pi 3 takes 5, an emulated one 20


def run(path: Path, name: str, seconds: float = SECONDS) -> None:
    """Try a model file in a separate process; messages call the file `name`.

    Raises ModelError, with the reason, if the model is refused, crashes, or does not finish in this many seconds.
    """
    command = [sys.executable, "-P", "-m", "edge_runtime.store.trial_process", str(path), str(seconds)]
    # The process imports the same modules from the same places. Its signal identifies a crash, without a traceback.
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path)),
        "PYTHONFAULTHANDLER": "",
    }
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
        env=environment,
    ) as process:  # fmt: skip
        try:
            output, complaints = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired as error:
            raise ModelError(f"{name} did not read a page within {seconds:g} s") from error
        finally:
            process.kill()
    code = process.returncode
    if code == 0:
        return
    if code < 0:
        raise ModelError(f"{name} crashes the interpreter on this machine ({signals.name_of(-code)})")
    last = (output.strip() or complaints.strip() or f"exit code {code}").splitlines()[-1]
    raise ModelError(last.replace(str(path), name))
