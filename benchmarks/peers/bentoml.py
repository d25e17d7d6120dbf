"""BentoML, tuned by its documents: one worker, adaptive batches, no access log, metrics or traces.

Sources: docs.bentoml.com, "Adaptive batching", "Concurrency", "Configurations", "Define a WebSocket
endpoint". The WebSocket is a FastAPI application that the service mounts: BentoML batches nothing
there, so that a frame costs what Starlette and the bare decoder do.
"""

import sys

import bentoml
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from benchmarks.peers.decoder import MOST, Decoder, Picture

drags = FastAPI()


@bentoml.service(
    workers=1,
    threads=1,
    traffic={"timeout": 30},
    logging={"access": {"enabled": False}},
    metrics={"enabled": False},
)
@bentoml.asgi_app(drags)
class Service:
    """Decodes one latent a request, in batches."""

    def __init__(self) -> None:
        self.decoder = Decoder()

    @bentoml.api(batchable=True, max_batch_size=MOST)
    def decode(self, latents: list[list[float]]) -> list[Picture]:
        return self.decoder.pictures(latents)

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
    bentoml.serve(
        "benchmarks.peers.bentoml:Service", host="127.0.0.1", port=int(sys.argv[1]), blocking=True
    )
