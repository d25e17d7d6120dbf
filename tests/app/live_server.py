"""The app behind a real uvicorn on 127.0.0.1, in a thread: quick to start, without any fake.

Tests of the process itself (signals, workers, command line) use `tools.server` instead.
"""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import Thread
from typing import Any

import httpx
import uvicorn
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from app.__main__ import uvicorn_options
from app.gate.gate import Explorer
from app.main import create_app
from app.server.http_protocol import HttpProtocol
from app.serving.registry import Registry
from app.settings import Settings

DEFAULT = "mnist-vae-2d"


@dataclass(frozen=True)
class Serving:
    app: Explorer
    host: str
    server: uvicorn.Server

    @property
    def connections(self) -> list[HttpProtocol]:
        """The connections that are open now, without streams."""
        every = list(self.server.server_state.connections)
        return [one for one in every if isinstance(one, HttpProtocol)]

    @property
    def registry(self) -> Registry:
        registry = self.app.state.registry
        assert isinstance(registry, Registry)
        return registry

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=f"http://{self.host}", trust_env=False, timeout=60)

    def stream(
        self,
        model: str = DEFAULT,
        origin: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> ClientConnection:
        address = f"ws://{self.host}/api/v1/models/{model}/stream"
        sent = None if origin is None else Origin(origin)
        return connect(
            address, origin=sent, additional_headers=headers, compression=None, proxy=None
        )


@contextmanager
def serving(settings: Settings, send_buffer: int | None = None, **others: Any) -> Iterator[Serving]:
    """Serve the app with these settings on a free port.

    A small send buffer, in bytes, makes the kernel hold little of what a client does not read.
    `others` are options for uvicorn, in place of ours.
    """
    app = create_app(settings)
    options = {**uvicorn_options(replace(settings, port=0)), "log_config": None, **others}
    server = uvicorn.Server(uvicorn.Config(app, **options))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if send_buffer:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
        thread = Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started:
                thread.join(0.01)
                assert thread.is_alive(), "the server did not start"
            yield Serving(app, f"127.0.0.1:{listener.getsockname()[1]}", server)
        finally:
            server.should_exit = True
            thread.join()
