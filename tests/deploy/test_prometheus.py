"""What deploy/ gives Prometheus and Grafana, by a real Prometheus: an opt-in, for few have one.

Debian has both programs in its package `prometheus`. Without them, test_observability.py looks at
the same files.
"""

import json
import struct
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from websockets.sync.client import connect

from app.settings import ROOT
from tests.app.live_server import DEFAULT
from tests.waiting import until
from tools import programs
from tools.server import Server, free_port

PROMTOOL, PROMETHEUS = programs.find("promtool"), programs.find("prometheus")
FOLDER = ROOT / "deploy" / "prometheus"
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "latent-explorer.json").read_text())
TARGETS = [
    (panel["title"], target["expr"]) for panel in DASHBOARD["panels"] for target in panel["targets"]
]
JOB = "latent-explorer"
MODEL = f"/api/v1/models/{DEFAULT}"
EMPTY_WHEN_WELL = {"Errors by route"}
"""Panels that have nothing to show of a server that does not fail."""

needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="there is no promtool here")
needs_prometheus = pytest.mark.skipif(PROMETHEUS is None, reason="there is no prometheus here")


def promtool(*arguments: str) -> str:
    run = subprocess.run(
        [str(PROMTOOL), *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


@needs_promtool
@pytest.mark.parametrize("name", ["prometheus.yaml", "compose.yaml"])
def test_a_configuration_and_its_alerts_are_read_without_a_complaint(name: str) -> None:
    assert "9 rules found" in promtool("check", "config", str(FOLDER / name))


@needs_promtool
def test_each_alert_fires_of_what_it_tells_of_and_of_nothing_less() -> None:
    cases = Path(__file__).with_name("alerts.yaml")
    alerts = {
        rule["alert"]
        for group in yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"]
        for rule in group["rules"]
    }
    tried = {
        test["alertname"]
        for case in yaml.safe_load(cases.read_text())["tests"]
        for test in case["alert_rule_test"]
    }
    assert tried == alerts
    promtool("test", "rules", str(cases))


@pytest.fixture(scope="module")
def query(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], list[Any]]]:
    """Ask a Prometheus that scrapes a server on which people drag, look and send nonsense."""
    folder = tmp_path_factory.mktemp("prometheus")
    with Server("--models", DEFAULT) as server:
        file = folder / "prometheus.yaml"
        file.write_text(yaml.safe_dump(scraping(server.port)))
        address = f"127.0.0.1:{free_port()}"
        command = [str(PROMETHEUS), f"--config.file={file}", f"--web.listen-address={address}"]
        command.append(f"--storage.tsdb.path={folder / 'data'}")
        with (
            (folder / "log").open("w") as log,
            subprocess.Popen(command, stdout=log, stderr=log) as process,
            httpx.Client(base_url=f"http://{address}", trust_env=False, timeout=30) as client,
        ):
            try:

                def ask(expression: str) -> list[Any]:
                    answer = client.get("/api/v1/query", params={"query": expression}).json()
                    assert answer["status"] == "success", answer
                    return list(answer["data"]["result"])

                def seen() -> bool:
                    use(server)
                    return scraped(process, ask)

                until(seen, "two scrapes that differ")
                yield ask
            finally:
                process.terminate()


def scraping(port: int) -> dict[str, Any]:
    """Give the configuration that ships, in a hurry, for the server at a port."""
    found = yaml.safe_load((FOLDER / "prometheus.yaml").read_text())
    found["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    found["rule_files"] = [str(FOLDER / name) for name in found["rule_files"]]
    found["scrape_configs"][0]["static_configs"][0]["targets"] = [f"127.0.0.1:{port}"]
    return dict(found)


def scraped(process: subprocess.Popen[bytes], ask: Callable[[str], list[Any]]) -> bool:
    """Tell whether it has seen the counts of all that `use` does grow."""
    assert process.poll() is None, "prometheus ended"
    grown = 'sum by (route) (rate(explorer_requests_total{status=~"2xx|4xx"}[10s])) > 0'
    try:
        streams = ask("rate(explorer_frame_seconds_count[10s]) > 0")
        return bool(streams) and len(ask(grown)) >= 4
    except httpx.TransportError:  # it does not listen yet
        return False


def use(server: Server) -> None:
    address = f"{server.url.replace('http', 'ws')}{MODEL}/stream"
    with (
        connect(address, compression=None, proxy=None) as stream,
        httpx.Client(base_url=server.url, trust_env=False, timeout=60) as client,
    ):
        for number in range(5):
            stream.send(struct.pack("<Iff", number, 0.1 * number, 0))
            stream.recv(timeout=60)
            client.get(f"{MODEL}/planes/latent/tiles/5/{number}/0.png")
            client.get(f"{MODEL}/decode.png?z={number},0")
            client.post(f"{MODEL}/decode", json={"latents": [[number, 0]] * 64})
            client.get("/nowhere")


@needs_prometheus
def test_every_panel_of_the_dashboard_shows_something(query: Callable[[str], list[Any]]) -> None:
    empty = {
        title
        for title, expression in TARGETS
        if not query(expression.replace("$job", JOB).replace("$__rate_interval", "10s"))
    }
    assert empty == EMPTY_WHEN_WELL


@needs_prometheus
def test_no_alert_fires_of_a_server_that_is_well(query: Callable[[str], list[Any]]) -> None:
    assert query("ALERTS") == []


@needs_prometheus
def test_the_dashboard_finds_its_job(query: Callable[[str], list[Any]]) -> None:
    (workers,) = query("explorer_workers")
    assert workers["metric"]["job"] == JOB
