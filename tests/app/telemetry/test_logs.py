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

from app.settings import Settings
from app.telemetry.logs import JsonLines, logging_config
from tests.app.live_server import DEFAULT, Serving, serving
from tests.waiting import until
from tools.server import Server


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the ledger wrote, line by line, without its time."""
    blocks = [record.getMessage() for record in caplog.records if record.name == "explorer.request"]
    return [line.split(" INFO ")[1] for block in blocks for line in block.splitlines()]


def written(caplog: pytest.LogCaptureFixture, count: int) -> list[str]:
    """The lines, once there are as many."""
    until(lambda: len(lines(caplog)) >= count, f"{count} lines")
    return lines(caplog)


def test_each_request_is_one_line_without_anything_that_the_client_wrote(
    server: Serving, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO), server.client() as client:
        client.get("/healthz")
        client.get("/metrics")
        client.get("/api/v1/models/none%0Asuch?secret=1")
        client.get("/invented?secret=1")
        client.post("/healthz")
        first, second, third = written(caplog, 3)
    start = "127.0.0.1 GET /api/v1/models/{model} 404"
    assert re.fullmatch(re.escape(start) + r" \d+\.\d ms [0-9a-f]{16}", first)
    assert second.startswith("127.0.0.1 GET none 404 ")
    assert third.startswith("127.0.0.1 POST /healthz 405 ")


def test_a_stream_is_one_line_when_it_has_ended(
    server: Serving, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        with server.stream(), server.client() as client:
            client.get("/invented")
            (line,) = written(caplog, 1)
            assert "STREAM" not in line
        _, line = written(caplog, 2)
    assert line.startswith("127.0.0.1 STREAM /api/v1/models/{model}/stream 101 ")


def test_every_line_of_many_requests_has_its_own_time(
    server: Serving, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO), server.client() as client:
        for _ in range(40):
            client.get("/invented")
        written(caplog, 40)
    blocks = [record.getMessage() for record in caplog.records if record.name == "explorer.request"]
    times = [line.split(" INFO ")[0] for block in blocks for line in block.splitlines()]
    assert times == sorted(times)
    assert len(set(times)) > len(blocks)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}", one) for one in times)


def test_what_went_well_can_be_left_out(caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings(models=(DEFAULT,), log_requests="failed")
    with serving(settings) as server, caplog.at_level(logging.INFO), server.client() as client:
        with server.stream():
            client.get("/api/v1/models")
            client.get(f"/api/v1/models/{DEFAULT}/decode.png?z=0,0")
            client.get("/invented")
        (line,) = written(caplog, 1)
        assert " GET none 404 " in line
        assert "explorer_requests_total" in client.get("/metrics").text


def test_an_answer_carries_the_id_of_its_request_or_a_new_one(server: Serving) -> None:
    def answered(sent: str | None) -> str:
        headers = [] if sent is None else [(b"x-request-id", sent.encode())]
        return str(client.get("/healthz", headers=headers).headers["x-request-id"])

    with server.client() as client:
        assert answered("a.B_c-1") == "a.B_c-1"
        new = [answered(sent) for sent in (None, "", "two words", "x" * 65, 'quote"', "é")]
    assert all(re.fullmatch("[0-9a-f]{16}", known) for known in new)
    assert len(set(new)) == len(new)


def test_refusals_defects_and_streams_carry_it_too(
    server: Serving, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(_: Request) -> None:
        raise RuntimeError("a defect")

    server.app.router.routes.append(Route("/fail", fail))
    try:
        with server.client() as client:
            for path, status in (("/invented", 404), ("/fail", 500)):
                answer = client.get(path, headers={"x-request-id": "mine"})
                assert (answer.status_code, answer.headers["x-request-id"]) == (status, "mine")
    finally:
        server.app.router.routes.pop()
    with server.stream() as stream:
        assert stream.response is not None
        assert re.fullmatch("[0-9a-f]{16}", stream.response.headers["x-request-id"])


@pytest.mark.server
def test_of_a_real_server_every_line_is_an_object_and_none_is_noise() -> None:
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
        assert line["level"] == "INFO"
    requests = [line for line in found if line["logger"] == "explorer.request"]
    decode, invented, stream_line = requests
    assert decode["request_id"] == invented["request_id"] == "mine"
    assert decode["route"] == "/api/v1/models/{model}/decode.png"
    assert (decode["status"], invented["status"], stream_line["status"]) == (200, 404, 101)
    assert decode["milliseconds"] > 0
    assert "0.125" not in written
    after_start = found[found.index(requests[0]) :]
    assert after_start == requests


def test_as_json_a_line_is_one_object() -> None:
    record = logging.LogRecord("explorer", logging.INFO, "", 0, "two\nlines %s", ("é",), None)
    line = JsonLines().format(record)
    assert "\n" not in line
    facts = json.loads(line)
    assert facts["message"] == "two\nlines é"
    assert (facts["level"], facts["logger"]) == ("INFO", "explorer")


def test_as_json_an_exception_stays_in_its_line() -> None:
    try:
        raise ValueError("gone")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "", 0, "failed", (), sys.exc_info())
    line = JsonLines().format(record)
    assert "\n" not in line
    assert "ValueError: gone" in json.loads(line)["exception"]


@pytest.mark.parametrize("form", ["text", "json"])
def test_both_formats_can_be_configured(form: str) -> None:
    config = logging.config.DictConfigurator(logging_config(form))
    assert config.config["handlers"]["stderr"]["formatter"] in config.config["formatters"]
