"""Where PyTorch is taken from: an index that answers, one that fails, and one that is silent."""

import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from tools import torch_index


class _Index(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/whl/cpu/torch/" else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *values: object) -> None:
        """Say nothing."""


@pytest.fixture
def home() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Index) as server:
        Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(("path", "printed"), [("/whl/cpu", True), ("/whl/none", False)])
def test_an_index_is_taken_if_it_has_the_package(
    home: str, path: str, printed: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    assert torch_index.main([home + path]) == 0
    out, told = capsys.readouterr()
    assert out == (home + path + "\n" if printed else "")
    assert "TORCH_INDEX=" in told


def test_an_index_that_is_silent_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert not torch_index.answers(f"http://127.0.0.1:{silent.getsockname()[1]}", 0.2)


def test_nothing_is_asked_of_a_machine_with_a_gpu(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("shutil.which", lambda _: "/usr/bin/nvidia-smi")
    assert torch_index.main([]) == 0
    assert capsys.readouterr() == ("", "")
