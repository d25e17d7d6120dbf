import json
import logging
import logging.config
import re
import sys

import httpx
import pytest
from starlette.requests import Request
from starlette.routing import Route
from websockets.sync.client import connect

from app.telemetry.logs import JsonLines, logging_config, request_id
from tests.app.live_server import DEFAULT, Serving
from tests.waiting import until
from tools.server import Server


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str, str]]:
    """Return the lines of the access log: their time, level and message."""
    blocks = [record.getMessage() for record in caplog.records if record.name == "explorer.request"]
    found = [
        re.fullmatch(r"(\S+ \S+) ([A-Z]+) (.*)", line)
        for block in blocks
        for line in block.splitlines()
    ]
    return [(line[1], line[2], line[3]) for line in found if line]


def written(
    caplog: pytest.LogCaptureFixture, client: httpx.Client, count: int
) -> list[tuple[str, str]]:
    """Return level and message of each line, once there are as many: a scrape has them written."""
    while len(lines(caplog)) < count:
        client.get("/metrics")
    return [line[1:] for line in lines(caplog)]


def test_each_request_is_one_line_that_holds_nothing_the_client_wrote(
    own_server: Serving, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO), own_server.client() as client:
        client.get("/healthz")
        client.get("/metrics")
        client.get("/api/v1/models/none%0Asuch")
        client.get("/invented?secret=1")
        client.post("/healthz")
        client.get(f"/api/v1/models/{DEFAULT}")
        client.get("/api/v1/models?secret=1")
        (_, first), (_, second), (_, third), (_, fourth), (_, fifth) = written(caplog, client, 5)
    start = "127.0.0.1 GET /api/v1/models/{model} 404"
    assert re.fullmatch(re.escape(start) + r" \d+\.\d ms [0-9a-f]{16}", first)
    assert second.startswith("127.0.0.1 GET none 404 ")
    assert third.startswith("127.0.0.1 POST /healthz 405 ")
    assert fourth.startswith("127.0.0.1 GET /api/v1/models/{model} 200 ")
    assert re.fullmatch(r"127\.0\.0\.1 GET /api/v1/models 422 \S+ ms [0-9a-f]{16}", fifth)


def test_a_route_of_v2_is_logged_by_its_path_without_the_version(
    own_server: Serving, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO), own_server.client() as client:
        for version in ("", "/versions/1"):
            client.get(f"/v2/models/{DEFAULT}.decoder{version}")
        messages = [message for _, message in written(caplog, client, 2)]
    assert all(message.startswith("127.0.0.1 GET /v2/models/{name} 200 ") for message in messages)


def test_a_refused_request_is_a_warning_and_any_other_is_not(
    own_server: Serving, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO), own_server.client() as client:
        client.get("/invented")
        client.get("/api/v1/models")
        levels = [level for level, _ in written(caplog, client, 2)]
    assert levels == ["WARNING", "INFO"]


def test_at_the_level_warning_only_what_was_refused_is_logged_and_all_is_counted(
    own_server: Serving, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        caplog.at_level(logging.WARNING, "explorer.request"),
        own_server.client() as client,
    ):
        with own_server.stream():
            client.get("/api/v1/models")
            client.get(f"/api/v1/models/{DEFAULT}/decode.png?z=0,0")
            client.get("/invented")
        ((_, line),) = written(caplog, client, 1)
        assert " GET none 404 " in line
        counted = re.findall(
            r'^explorer_requests_total{.*route="(.*?)"', client.get("/metrics").text, re.M
        )
        assert "/api/v1/models" in counted


def test_a_stream_is_logged_in_one_line_when_it_has_ended(
    own_server: Serving, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        with own_server.stream(), own_server.client() as client:
            client.get("/invented")
            ((_, line),) = written(caplog, client, 1)
            assert "STREAM" not in line
        with own_server.client() as client:
            _, (_, line) = written(caplog, client, 2)
    assert line.startswith("127.0.0.1 STREAM /api/v1/models/{model}/stream 101 ")


def test_every_line_of_many_requests_has_its_own_time(
    own_server: Serving, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO), own_server.client() as client:
        for _ in range(40):
            client.get("/invented")
        written(caplog, client, 40)
    times = [time for time, _, _ in lines(caplog)]
    assert times == sorted(times)
    assert len(set(times)) > 1
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}", one) for one in times)


def test_a_response_carries_the_id_of_its_request_or_a_new_one(server: Serving) -> None:
    def answered(sent: str | None) -> str:
        headers = [] if sent is None else [(b"x-request-id", sent.encode())]
        return str(client.get("/healthz", headers=headers).headers["x-request-id"])

    with server.client() as client:
        assert answered("a.B_c-1") == "a.B_c-1"
        new = [answered(sent) for sent in (None, "", "two words", "x" * 65, 'quote"', "é")]
    assert all(re.fullmatch("[0-9a-f]{16}", known) for known in new)
    assert len(set(new)) == len(new)


def test_refusals_defects_and_streams_carry_a_request_id_too(own_server: Serving) -> None:
    async def fail(_: Request) -> None:
        raise RuntimeError("a defect")

    own_server.app.router.routes.append(Route("/fail", fail))
    with own_server.client() as client:
        for path, status in (("/invented", 404), ("/fail", 500)):
            answer = client.get(path, headers={"x-request-id": "mine"})
            assert (answer.status_code, answer.headers["x-request-id"]) == (status, "mine")
    with own_server.stream() as stream:
        assert stream.response is not None
        assert re.fullmatch("[0-9a-f]{16}", stream.response.headers["x-request-id"])


@pytest.mark.server
def test_every_line_of_a_real_server_is_a_json_object_and_none_is_noise() -> None:
    with Server("--models", DEFAULT, "--log-format", "json") as server:
        sent = {"x-request-id": "mine"}
        address = f"{server.url}/api/v1/models/{DEFAULT}"
        httpx.get(f"{address}/decode.png?z=0.125,0", headers=sent, trust_env=False)
        httpx.get(f"{server.url}/invented?z=0.125", headers=sent, trust_env=False)
        with connect(f"{address.replace('http', 'ws')}/stream?z=0.125", proxy=None) as stream:
            stream.send(bytes(12))
            stream.recv()
        until(lambda: "STREAM" in server.written(), "the line of the stream")
        written = server.written()
    found = [json.loads(line) for line in written.splitlines()]
    for line in found:
        assert {"time", "level", "logger", "message"} <= set(line)
        assert line["level"] == ("WARNING" if line.get("status", 200) >= 400 else "INFO")
    requests = [line for line in found if line["logger"] == "explorer.request"]
    decode, invented, stream_line = requests
    assert decode["request_id"] == invented["request_id"] == "mine"
    assert decode["route"] == "/api/v1/models/{model}/decode.png"
    assert (decode["status"], invented["status"], stream_line["status"]) == (200, 404, 101)
    assert decode["milliseconds"] > 0
    assert "0.125" not in written
    after_start = found[found.index(requests[0]) :]
    assert after_start == requests


def test_a_json_line_is_one_object() -> None:
    record = logging.LogRecord("explorer", logging.INFO, "", 0, "two\nlines %s", ("é",), None)
    line = JsonLines().format(record)
    assert "\n" not in line
    facts = json.loads(line)
    assert facts["message"] == "two\nlines é"
    assert (facts["level"], facts["logger"]) == ("INFO", "explorer")


def test_a_json_line_names_the_request_in_which_it_was_logged() -> None:
    record = logging.LogRecord("explorer", logging.ERROR, "", 0, "a defect", (), None)
    given = request_id.set(b"mine")
    try:
        facts = json.loads(JsonLines().format(record))
    finally:
        request_id.reset(given)
    assert facts["request_id"] == "mine"


def test_an_exception_stays_in_its_json_line() -> None:
    try:
        raise ValueError("gone")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "", 0, "failed", (), sys.exc_info())
    line = JsonLines().format(record)
    assert "\n" not in line
    assert "ValueError: gone" in json.loads(line)["exception"]


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
def test_the_level_is_that_of_the_setting(level: str) -> None:
    assert logging_config("text", level)["root"]["level"] == level.upper()


@pytest.mark.parametrize("form", ["text", "json"])
def test_both_formats_can_be_configured(form: str) -> None:
    config = logging.config.DictConfigurator(logging_config(form))
    assert config.config["handlers"]["stderr"]["formatter"] in config.config["formatters"]
