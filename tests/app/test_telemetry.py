import json
import logging
import logging.config
import sys

import pytest

from app.telemetry import JsonLines, logging_config
from tests.app.serving import Serving


def lines(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.name == "explorer.request"]


def test_each_request_is_one_line_without_its_query(
    server: Serving, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO), server.client() as client:
        client.get("/api/v1/models/none%0Asuch?secret=1")
        client.post("/healthz")
        client.get("/healthz")
    first, second = lines(caplog)
    assert first.getMessage().startswith("127.0.0.1 GET /api/v1/models/none%0Asuch 404 ")
    assert first.getMessage().endswith(" ms")
    assert second.getMessage().startswith("127.0.0.1 POST /healthz 405 ")


def test_a_stream_is_one_line_when_it_has_ended(
    server: Serving, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        with server.stream():
            assert lines(caplog) == []
        while not lines(caplog):
            with server.client() as client:
                client.get("/healthz")
    (line,) = lines(caplog)
    assert line.getMessage().startswith("127.0.0.1 STREAM /api/v1/models/mnist-vae-2d/stream 101 ")


def test_as_json_a_line_is_one_object_with_the_facts_of_its_request() -> None:
    record = logging.LogRecord("explorer", logging.INFO, "", 0, "two\nlines %s", ("é",), None)
    record.facts = {"status": 200}
    line = JsonLines().format(record)
    assert "\n" not in line
    facts = json.loads(line)
    assert facts["message"] == "two\nlines é"
    assert (facts["level"], facts["logger"], facts["status"]) == ("INFO", "explorer", 200)


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
