"""Count the walks: which of our files a request enters on its way through a running server.

    python -m tools.walks

A frame of a drag, a cached tile, a REST decode and an upload are each sent once to a warm server
in this process, and every call of a function of `app` or `model` is noted from the first byte that
arrives to the last that is sent. The access log, which is written ten times a second for all
requests together, is left out. Prints the calls, the files in the order in which they are entered,
and how often a file is entered again after it was left.
"""

import io
import socket
import struct
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import httpx
import numpy as np
import uvicorn
from PIL import Image
from websockets.sync.client import connect

from app.__main__ import uvicorn_options
from app.main import create_app
from app.settings import ROOT, Settings

MODEL = "mnist-vae-2d"
AT_MOST = {"a frame of a drag": 7, "a cached tile": 5, "a REST decode": 12, "an upload": 18}
"""Files that each may enter."""


class Walk:
    """Notes the files of our calls while it is on, in every thread."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.is_on = False

    def note(self, frame: FrameType, event: str, _: Any) -> None:
        """Be the profile hook of each thread."""
        if self.is_on and event == "call":
            name = frame.f_code.co_filename
            if name.startswith((f"{ROOT}/app/", f"{ROOT}/model/")):
                self.calls.append(str(Path(name).relative_to(ROOT)))

    def of(self, ask: Callable[[], object]) -> list[str]:
        """Return the files of the calls that `ask` causes."""
        self.calls.clear()
        self.is_on = True
        ask()
        self.is_on = False
        return list(self.calls)


def main() -> int:
    """Print the walks; return 1 if one enters more files than it may."""
    walk = Walk()
    threading.setprofile(walk.note)
    settings = Settings(models=(MODEL,), port=0)
    options = {**uvicorn_options(settings), "log_config": None, "loop": "asyncio"}
    app = create_app(settings)
    app.state.log.is_due = True  # for ever
    server = uvicorn.Server(uvicorn.Config(app, **options))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            thread.join(0.05)
            if not thread.is_alive():
                sys.exit("the server did not start")
        try:
            too_many = _walks(walk, port)
        finally:
            server.should_exit = True
            thread.join()
    return int(too_many)


def _walks(walk: Walk, port: int) -> bool:
    api = f"/api/v1/models/{MODEL}"
    frame = struct.pack("<Iff", 1, 0.5, -1.2)
    drawn = np.zeros((140, 140), np.uint8)
    drawn[30:110, 60:80] = 255
    file = io.BytesIO()
    Image.fromarray(drawn).save(file, "PNG")
    files = {"file": ("drawing.png", file.getvalue(), "image/png")}
    too_many = False
    with (
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
        connect(f"ws://127.0.0.1:{port}{api}/stream", proxy=None) as stream,
    ):

        def drag() -> None:
            stream.send(frame)
            stream.recv()

        asks: dict[str, Callable[[], object]] = {
            "a frame of a drag": drag,
            "a cached tile": lambda: client.get(f"{api}/planes/latent/tiles/1/0/0.png"),
            "a REST decode": lambda: client.post(f"{api}/decode", json={"latents": [[0.5, 1]]}),
            "an upload": lambda: client.post(f"{api}/encode", files=files),
        }
        for name, ask in asks.items():
            ask(), ask()  # warm, and the access log is due already
            calls = walk.of(ask)
            entered = list(dict.fromkeys(calls))
            stays = [one for one, before in zip(calls, ["", *calls], strict=False) if one != before]
            returns = len(stays) - len(entered)
            print(f"{name}: {len(calls)} calls, {len(entered)} files (at most {AT_MOST[name]}), "
                  f"{returns} returns")  # fmt: skip
            print("   " + " -> ".join(entered))
            too_many |= len(entered) > AT_MOST[name]
    return too_many


if __name__ == "__main__":
    sys.exit(main())
