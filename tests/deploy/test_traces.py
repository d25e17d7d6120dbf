"""docs/operations.md, "Traces": with the extra `otel` a real collector is told of a request."""

import gzip
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import httpx
import pytest

from tests.app.live_server import DEFAULT
from tools.server import Server

pytest.importorskip(
    "opentelemetry.exporter.otlp.proto.http", reason="the extra otel is not installed"
)


def test_a_request_is_traced_to_the_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    told: dict[str, bytes] = {}

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            packed = self.headers.get("content-encoding") == "gzip"
            told[self.path] = told.get(self.path, b"") + (gzip.decompress(body) if packed else body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    with HTTPServer(("127.0.0.1", 0), Collector) as collector:
        thread = Thread(target=collector.serve_forever)
        thread.start()
        try:
            address = f"http://127.0.0.1:{collector.server_port}"
            monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "true")
            monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
            monkeypatch.setenv("NO_PROXY", "*")
            with Server("--models", DEFAULT) as server:
                httpx.get(f"{server.url}/api/v1/models", trust_env=False).raise_for_status()
        finally:
            collector.shutdown()
            thread.join()
    assert b"/api/v1/models" in told["/v1/traces"]
