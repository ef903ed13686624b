"""Write each failure that stopped a computer as a line of JSON, for the program that started the playbook."""

import json
import os
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: failures
type: aggregate
short_description: Writes failures as JSON lines
description:
  - Writes the last failure of each computer that failed into the file that the variable EDGE_DIGITS_FAILURES names.
requirements:
  - enabled by callbacks_enabled
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]  # Ansible has no types
    """Keeps the last failure of each computer, and writes those of the computers that failed in the end."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "failures"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[str, dict[str, object]] = {}

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """Keep the failure, unless the playbook ignores it."""
        if not ignore_errors:
            self._keep(result, unreachable=False)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """Keep that a computer cannot be reached."""
        self._keep(result, unreachable=True)

    def v2_playbook_on_no_hosts_matched(self) -> None:
        """Keep that nothing was done."""
        message = "the inventory, or --limit, names no computer"
        self._last[""] = {"host": "", "task": "", "message": message, "unreachable": False}

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """Write the failures of the computers that are left as failed."""
        if path := os.environ.get("EDGE_DIGITS_FAILURES"):
            failed = {*stats.failures, *stats.dark, ""}
            lines = [json.dumps(failure) for host, failure in self._last.items() if host in failed]
            Path(path).write_text("".join(f"{line}\n" for line in lines))

    def _keep(self, result: Any, *, unreachable: bool) -> None:
        host, answer = result.host.get_name(), result.result
        message = answer.get("stderr") or answer.get("msg") or answer.get("stdout") or ""
        self._last[host] = {
            "host": host, "task": result.task.get_name(), "message": str(message), "unreachable": unreachable,
        }  # fmt: skip
