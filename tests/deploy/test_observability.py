"""What Grafana and Prometheus are given: expressions that parse, of metrics that there are."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import promql_parser
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from app.settings import ROOT, Settings
from tests.app.live_server import DEFAULT, serving

DEPLOY = ROOT / "deploy"
DASHBOARD = json.loads((DEPLOY / "grafana" / "latent-explorer.json").read_text())
ALERTS = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yaml").read_text())
PROMETHEUS = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yaml").read_text())
RULES = [rule for group in ALERTS["groups"] for rule in group["rules"]]
PANELS = DASHBOARD["panels"]
EXPRESSIONS = [rule["expr"] for rule in RULES] + [
    target["expr"] for panel in PANELS for target in panel["targets"]
]
OF_THE_SCRAPE = {"job", "instance"}
"""The labels that Prometheus adds."""


@pytest.fixture(scope="module")
def exposed() -> dict[str, set[str]]:
    """The labels of each sample that a live server exposes, by its name."""
    with serving(Settings(models=(DEFAULT,))) as server, server.client() as client:
        client.get("/healthz")
        text = client.get("/metrics").text
    samples = [
        sample for family in text_string_to_metric_families(text) for sample in family.samples
    ]
    return {"up": set()} | {sample.name: set(sample.labels) for sample in samples}


def nodes(expression: Any) -> Iterator[Any]:
    """Walk through a parsed expression."""
    yield expression
    for name in ("lhs", "rhs", "expr", "vector_selector", "param"):
        if (part := getattr(expression, name, None)) is not None:
            yield from nodes(part)
    for part in getattr(expression, "args", []):
        yield from nodes(part)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_expression_parses_and_names_what_a_server_exposes(
    expression: str, exposed: dict[str, set[str]]
) -> None:
    parsed = list(nodes(promql_parser.parse(expression.replace("$__rate_interval", "5m"))))
    selectors = [node for node in parsed if isinstance(node, promql_parser.VectorSelector)]
    assert selectors
    known = set(OF_THE_SCRAPE)
    for selector in selectors:
        assert selector.name in exposed
        labels = exposed[selector.name] | OF_THE_SCRAPE
        assert {matcher.name for matcher in selector.matchers.matchers} <= labels
        known |= labels
    for node in parsed:
        if isinstance(node, promql_parser.AggregateExpr) and node.modifier is not None:
            assert set(node.modifier.labels) <= known


def test_the_dashboard_can_be_imported() -> None:
    assert DASHBOARD["title"]
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    variables = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    used = set(re.findall(r"\$\{?([a-z]\w*)", json.dumps(PANELS)))
    assert used == variables
    for panel in PANELS:
        assert panel["title"]
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24


def test_no_two_panels_of_the_dashboard_lie_upon_each_other() -> None:
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in PANELS)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(cells)) == len(cells)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_an_alert_has_the_shape_that_prometheus_reads(rule: dict[str, Any]) -> None:
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert re.fullmatch("LatentExplorer[A-Z][A-Za-z]+", rule["alert"])
    assert re.fullmatch(r"\d+[smh]", rule.get("for", "0s"))
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert set(rule["annotations"]) == {"summary", "description"}


def test_the_document_says_what_to_do_for_each_alert() -> None:
    document = (ROOT / "docs" / "operations.md").read_text()
    documented = re.findall(r"^\| `(LatentExplorer\w+)` \| .+ \| .+ \|$", document, re.M)
    assert documented == [rule["alert"] for rule in RULES]


def test_prometheus_loads_the_alerts_and_scrapes_the_default_port() -> None:
    files = [DEPLOY / "prometheus" / name for name in PROMETHEUS["rule_files"]]
    assert all(map(Path.exists, files))
    (job,) = PROMETHEUS["scrape_configs"]
    assert f'job="{job["job_name"]}"' in RULES[0]["expr"]
    (target,) = job["static_configs"][0]["targets"]
    assert httpx.URL(f"http://{target}").port == Settings().port
