"""deploy/monitoring against promtool, and against a Prometheus that scrapes two services."""

import json
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from edge_runtime import DigitReader
from edge_runtime.sources.pictures import load
from edge_runtime.web.guard import Rules
from edge_runtime.web.metrics import Metrics
from tests.builds import ROOT
from tests.edge_runtime.web.site import Site, site

FOLDER = ROOT / "deploy" / "monitoring"
DASHBOARDS = [FOLDER / "pi.dashboard.json", FOLDER / "fleet.dashboard.json"]
TOKEN = "a-token-of-sixteen-letters"
PROMETHEUS, PROMTOOL = shutil.which("prometheus"), shutil.which("promtool")
pytestmark = pytest.mark.skipif(PROMETHEUS is None or PROMTOOL is None, reason="prometheus is not installed")


def promtool(*arguments: object, folder: Path = FOLDER) -> str:
    done = subprocess.run(
        [str(PROMTOOL), *map(str, arguments)], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The configuration beside the token that it names."""
    folder = tmp_path_factory.mktemp("prometheus") / "etc"
    shutil.copytree(FOLDER, folder)
    (folder / "edge-digits.token").write_text(TOKEN)
    return folder


def test_promtool_accepts_configuration_and_rules(folder: Path) -> None:
    assert "is valid prometheus config" in promtool("check", "config", "prometheus.yml", folder=folder)
    assert "6 rules found" in promtool("check", "rules", "alerts.yml")


def test_the_rules_pass_their_own_tests() -> None:
    assert "SUCCESS" in promtool("test", "rules", "alerts.test.yml")


def test_every_alert_has_a_test_and_documentation() -> None:
    alerts = re.findall(r"- alert: (\w+)", (FOLDER / "alerts.yml").read_text(encoding="utf-8"))
    tested = re.findall(r"alertname: (\w+)", (FOLDER / "alerts.test.yml").read_text(encoding="utf-8"))
    rows = re.findall(r"^\| `(EdgeDigits\w+)`", (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8"), re.M)
    assert sorted(alerts) == sorted(set(tested)) == sorted(rows)


class Prometheus:
    """What a Prometheus on loopback answers."""

    def __init__(self, address: str, sites: list[Site], reader: DigitReader) -> None:
        self._address, self._sites = address, sites
        frame = load(ROOT / "edge_runtime" / "samples" / "paper.jpg")
        trace = reader.trace(frame)
        self._frame, self._trace = frame, replace(trace, reading=replace(trace.reading, age_ms=42.0))

    def ask(self, path: str, **parameters: str) -> Any:
        with urlopen(f"{self._address}/api/v1/{path}?{urlencode(parameters)}", timeout=60) as answer:
            return json.load(answer)["data"]

    def value(self, query: str) -> list[Any]:
        """Return the numbers that a query gives, as soon as there are any; meanwhile, the services read frames."""
        until, pause = time.monotonic() + 60, threading.Event()
        while True:
            numbers = [each for each in self.ask("query", query=query)["result"] if each["value"][1] != "NaN"]
            if numbers:
                return numbers
            assert time.monotonic() < until, f"no data: {query}"
            self.read()
            pause.wait(0.1)

    def read(self) -> None:
        """Let each service read one more frame."""
        frame = replace(self._frame, moving=True, taken=time.monotonic(), dropped=1)
        for each in self._sites:
            each.live.frame(frame, self._trace)
            each.metrics.frame(frame, self._trace)


@pytest.fixture(scope="module")
def prometheus(folder: Path, tmp_path_factory: pytest.TempPathFactory, reader: DigitReader) -> Iterator[Prometheus]:
    """Start two services that demand a token, and a Prometheus that scrapes them each second."""
    rules = Rules(token=TOKEN, hosts=frozenset(), loopback=False, secure=False)
    with ExitStack() as stack:
        sites = [
            stack.enter_context(
                site(reader, rules=rules, device=f"pi-{number}", temperature=lambda: 50.0, throttled=lambda: ())
            )
            for number in (1, 2)
        ]
        text = (folder / "prometheus.yml").read_text().replace("15s", "1s")
        for number, each in enumerate(sites, 1):
            text = text.replace(f"pi-{number}.local:8000", f"127.0.0.1:{each.port}")
        (folder / "prometheus.yml").write_text(text)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            host = f"127.0.0.1:{probe.getsockname()[1]}"
        storage = tmp_path_factory.mktemp("storage")
        command = [str(PROMETHEUS), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={storage}"]
        log = stack.enter_context((storage / "log").open("w"))
        process = subprocess.Popen([*command, f"--web.listen-address={host}"], stdout=log, stderr=subprocess.STDOUT)
        stack.callback(process.wait)
        stack.callback(process.kill)
        until, pause = time.monotonic() + 60, threading.Event()
        while not is_ready(host):
            assert time.monotonic() < until, (storage / "log").read_text()
            assert process.poll() is None, (storage / "log").read_text()
            pause.wait(0.1)
        yield Prometheus(f"http://{host}", sites, reader)


def is_ready(host: str) -> bool:
    try:
        with urlopen(f"http://{host}/-/ready", timeout=60) as answer:
            return bool(answer.status == 200)
    except URLError:
        return False


def test_both_services_are_scraped(prometheus: Prometheus) -> None:
    prometheus.value('sum(up{job="edge-digits"}) == 2')
    devices = {each["metric"]["device"] for each in prometheus.value("edge_digits_build_info")}
    assert devices == {"pi-1", "pi-2"}


def test_every_alert_is_evaluated_on_their_metrics(prometheus: Prometheus) -> None:
    prometheus.value('sum(up{job="edge-digits"}) == 2')
    (group,) = prometheus.ask("rules")["groups"]
    assert len(group["rules"]) == 6
    for rule in group["rules"]:
        assert prometheus.ask("query", query=rule["query"])["result"] == []  # all is well
        names = re.findall(r"\b(?:edge_digits_\w+|up)\b", rule["query"])
        assert names
        for name in names:
            assert prometheus.value(name)
    prometheus.value("count(ALERTS) or vector(0)")
    assert {rule["health"] for rule in prometheus.ask("rules")["groups"][0]["rules"]} <= {"ok", "unknown"}


def queries(dashboard: Path) -> list[str]:
    """Return what the panels of a dashboard ask for."""
    panels = json.loads(dashboard.read_text(encoding="utf-8"))["panels"]
    return [target["expr"] for panel in panels for target in panel["targets"]]


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda path: path.name)
def test_every_query_of_a_dashboard_has_data(dashboard: Path, prometheus: Prometheus) -> None:
    prometheus.value('sum(up{job="edge-digits"}) == 2')
    variables = json.loads(dashboard.read_text(encoding="utf-8"))["templating"]["list"]
    instance = ""
    for variable in variables:
        if variable["type"] == "query":
            ((metric, label),) = re.findall(r"^label_values\((\w+), (\w+)\)$", variable["query"]["query"])
            instance = prometheus.ask(f"label/{label}/values", **{"match[]": metric})[0]
    asked = queries(dashboard)
    assert len(asked) >= 15
    for query in asked:
        assert prometheus.value(query.replace("$instance", instance).replace("$__rate_interval", "1m"))


def test_the_document_lists_every_metric(reader: DigitReader) -> None:
    exported, _ = Metrics(reader, lambda: True, lambda: 50.0, lambda: ()).text()
    families = list(text_string_to_metric_families(exported.decode()))
    ours = {family.name + "_total" * (family.type == "counter") for family in families if "edge_digits" in family.name}
    rows = re.findall(r"^\| `(edge_digits_\w+)", (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8"), re.M)
    assert sorted(rows) == sorted({*ours, "edge_digits_last_frame_timestamp_seconds"})  # after the first frame


def test_dashboards_can_be_imported_side_by_side() -> None:
    loaded = [json.loads(path.read_text(encoding="utf-8")) for path in DASHBOARDS]
    assert {*FOLDER.glob("*.json")} == {*DASHBOARDS}
    assert len({dashboard["uid"] for dashboard in loaded}) == len(loaded)
    for dashboard in loaded:
        panels = dashboard["panels"]
        assert len({panel["id"] for panel in panels}) == len(panels)
        assert {panel["datasource"]["uid"] for panel in panels} == {"${datasource}"}
        places = [panel["gridPos"] for panel in panels]
        cells = [(at["x"] + x, at["y"] + y) for at in places for x in range(at["w"]) for y in range(at["h"])]
        assert len({*cells}) == len(cells)  # no panel lies over another one
        assert {x for x, _ in cells} == {*range(24)}
