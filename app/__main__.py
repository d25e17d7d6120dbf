"""`python -m app`: the command line; starts uvicorn."""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import uvicorn

from app.settings import Settings, SettingsError, unknown_variables, variable
from app.telemetry import logging_config

LARGEST_MESSAGE = 4096
"""Bytes of one WebSocket message; a latent of 1,000 numbers fits."""
GRACE_SECONDS = 10
"""How long a stop waits for answers under way."""
WORKER_SILENCE_SECONDS = 60
"""How long a worker may be silent before it is replaced; loading torch can take long."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the server until it is told to stop; give the exit status."""
    flags = vars(_parser().parse_args(arguments))
    try:
        settings = Settings.read(os.environ, **flags)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    for sentence in unknown_variables(os.environ):
        print(sentence, file=sys.stderr)
    os.environ.update(settings.as_environment())  # each worker makes its app from them
    uvicorn.run("app.main:create_app", factory=True, **uvicorn_options(settings))
    return 0


def uvicorn_options(settings: Settings) -> dict[str, Any]:
    """Say how uvicorn shall serve the app."""
    return {
        "host": settings.host,
        "port": settings.port,
        "workers": settings.workers,
        "ws_max_size": LARGEST_MESSAGE,
        "ws_per_message_deflate": False,
        "timeout_graceful_shutdown": GRACE_SECONDS,
        "timeout_worker_healthcheck": WORKER_SILENCE_SECONDS,
        "access_log": False,
        "server_header": False,
        "log_config": logging_config(settings.log_format),
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
