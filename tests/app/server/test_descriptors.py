import logging
import socket
from contextlib import ExitStack

import httpx
import pytest

from app.server import descriptors
from tests.app.live_server import DEFAULT
from tests.app.logged import messages
from tests.waiting import until
from tools.server import Server

pytest.importorskip("resource")


def test_a_warning_is_given_when_few_descriptors_are_left_and_not_twice_at_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(descriptors, "_warned_at", -descriptors.WARN_SECONDS)
    monkeypatch.setattr(descriptors, "_limit", lambda: 256)
    with caplog.at_level(logging.WARNING):
        descriptors.warn_when_few_are_left(100)
        assert messages(caplog) == []
        descriptors.warn_when_few_are_left(250)
        descriptors.warn_when_few_are_left(251)
    (told,) = messages(caplog)
    assert told.startswith("251 of 256 file descriptors")


@pytest.mark.server
def test_a_server_that_has_run_out_of_descriptors_says_so_and_answers_again_afterwards() -> None:
    few = ("sh", "-c", 'ulimit -n 200; exec "$@"', "sh")
    with Server("--models", DEFAULT, within=few) as server:
        with ExitStack() as held:
            for _ in range(300):
                held.enter_context(socket.create_connection(("127.0.0.1", server.port), 20))
            until(lambda: "of 200 file descriptors are open" in server.written(), "the warning")
        while httpx.get(f"{server.url}/healthz", trust_env=False, timeout=60).status_code != 200:
            pass
