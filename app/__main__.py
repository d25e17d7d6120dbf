"""`python -m app`: the command line; starts uvicorn."""

import argparse
import gc
import logging
import logging.config
import os
import socket
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from typing import Any

import uvicorn

from app.server import supervisor
from app.server.descriptors import raise_limit
from app.server.http_protocol import HttpProtocol
from app.server.websocket_protocol import WebSocketProtocol
from app.settings import Settings, SettingsError, unknown_variables, variable
from app.telemetry.logs import logging_config

LARGEST_MESSAGE = 4096
"""Bytes of one WebSocket message; a latent of 1,000 numbers fits."""
GRACE_SECONDS = 10
"""How long a stop waits for answers under way."""
WORKER_SILENCE_SECONDS = 60
"""How long a worker may be silent before it is replaced; loading torch can take long."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the server until it is told to stop; return the exit status."""
    flags = vars(_parser().parse_args(arguments))
    try:
        settings = Settings.read(os.environ, **flags)
        _try_address(settings.host, settings.port)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    logging.config.dictConfig(logging_config(settings.log_format, settings.log_level))
    for sentence in unknown_variables(os.environ):
        logging.getLogger("explorer").warning(sentence)
    raise_limit()
    with _metrics_together(settings) as settings:
        os.environ.update(settings.as_environment())  # each worker makes its app from them
        app, options = "app.main:create_app", {"factory": True, **uvicorn_options(settings)}
        if settings.workers > 1:
            return supervisor.serve(uvicorn.Config(app, **options))
        gc.disable()  # to look for garbage is a tenth of the start; the lifespan turns it on again
        uvicorn.run(app, **options)
    return 0


def _try_address(host: str, port: int) -> None:
    """Listen for a moment; raise SettingsError, before anything is loaded, if that cannot be."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family) as listener:
            if os.name == "posix":  # as asyncio does: what a stopped server left behind is no harm
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
    except OSError as error:
        raise SettingsError(
            f"The server cannot listen on port {port} of {host}: {error.strerror}. Choose another "
            f"address, such as `make serve PORT={port + 1}` or `python -m app --port {port + 1}`."
        ) from error


@contextmanager
def _metrics_together(settings: Settings) -> Iterator[Settings]:
    """Give workers that are several a folder in which they add up their metrics."""
    if settings.workers == 1 or settings.metrics == "off" or settings.metrics_folder:
        yield settings
        return
    try:
        made = tempfile.TemporaryDirectory(prefix="latent-explorer-")
    except OSError as error:
        logging.getLogger("explorer").warning(
            "Workers cannot add up their metrics, for no folder can be made: %s. Each answers "
            "for itself alone; let the server write to /tmp, or set EXPLORER_METRICS_FOLDER",
            error,
        )
        yield settings
        return
    with made as folder:
        yield replace(settings, metrics_folder=folder)


def uvicorn_options(settings: Settings) -> dict[str, Any]:
    """Return the options by which uvicorn serves the app."""
    return {
        "host": settings.host,
        "port": settings.port,
        "workers": settings.workers,
        "forwarded_allow_ips": list(settings.trusted_proxies),
        "http": HttpProtocol,
        "ws": WebSocketProtocol,
        "ws_max_size": LARGEST_MESSAGE,
        "ws_per_message_deflate": False,
        "timeout_graceful_shutdown": GRACE_SECONDS,
        "timeout_worker_healthcheck": WORKER_SILENCE_SECONDS,
        "access_log": False,
        "server_header": False,
        "log_config": logging_config(settings.log_format, settings.log_level),
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m app",
        description="Serve the Latent Explorer: its page and its API.",
        epilog="Each flag has an environment variable, such as EXPLORER_PORT for --port.",
    )
    for setting in fields(Settings):
        default = setting.default
        shown = ",".join(default) if isinstance(default, tuple) else default
        meaning = f"{setting.metadata['meaning']} [{variable(setting.name)}, default: {shown}]"
        flag = "--" + setting.name.replace("_", "-")
        parser.add_argument(flag, metavar="VALUE", help=meaning.replace("%", "%%"))
    return parser


if __name__ == "__main__":
    sys.exit(main())
