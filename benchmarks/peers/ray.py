"""Ray Serve, tuned by its documents: its throughput mode, HAProxy before it, batches, no logs.

Sources: docs.ray.io, "Performance Tuning", "Dynamic Request Batching", "Set Up FastAPI and HTTP"
(WebSockets), "Enable High Throughput on Ray Serve" (the variables that `__main__` sets).
A frame of a WebSocket costs what Starlette and the bare decoder do, and the way to them.
"""

import logging
import signal
import sys
import tempfile

import ray
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from ray import serve
from starlette.requests import Request
from starlette.responses import JSONResponse

from benchmarks.peers.decoder import MOST, Decoder, Picture

drags = FastAPI()


@serve.deployment(
    num_replicas=1,
    max_ongoing_requests=2 * MOST,
    ray_actor_options={"num_cpus": 1},
    logging_config={"enable_access_log": False},
)
class Decode:
    """Decodes one latent a request, in batches."""

    def __init__(self) -> None:
        self.decoder = Decoder()

    @serve.batch(max_batch_size=MOST, batch_wait_timeout_s=0)
    async def picture(self, latents: list[list[float]]) -> list[Picture]:
        return self.decoder.pictures(latents)

    async def __call__(self, request: Request) -> JSONResponse:
        body = await request.json()
        return JSONResponse({"images": [await self.picture(body["latents"][0])]})


@serve.deployment(
    num_replicas=1,
    max_ongoing_requests=2 * MOST,
    ray_actor_options={"num_cpus": 1},
    logging_config={"enable_access_log": False},
)
@serve.ingress(drags)
class Drags:
    """Answers frames."""

    def __init__(self) -> None:
        self.decoder = Decoder()

    @drags.websocket("/stream")
    async def stream(self, websocket: WebSocket) -> None:
        await websocket.accept()
        try:
            while True:
                question = await websocket.receive_bytes()
                await websocket.send_bytes(self.decoder.frame(question))
        except WebSocketDisconnect:
            pass


if __name__ == "__main__":
    ray.init(
        num_cpus=3,
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
        _temp_dir=tempfile.gettempdir(),
        _plasma_directory=tempfile.gettempdir(),
    )
    serve.start(http_options={"host": "127.0.0.1", "port": int(sys.argv[1])})
    serve.run(Drags.bind(), name="drags", route_prefix="/drags")  # type: ignore[attr-defined]
    serve.run(Decode.bind(), name="decode", route_prefix="/decode")  # type: ignore[attr-defined]
    signal.pause()
