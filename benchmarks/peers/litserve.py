"""LitServe, tuned by its documents: batches, queues of ZeroMQ, no access log.

Sources: lightning.ai/docs/litserve, "Batching", "LitServer" (`fast_queue`, one API server a
worker). A batch waits 10 ms for more: with no wait its worker polls without pause, and took three
quarters of a core at rest and twice the time for a request. It has no WebSocket
(github.com/Lightning-AI/LitServe/issues/320) and its streams run from server to client alone, so
that a drag sends one request a movement.
"""

import sys

import litserve

from benchmarks.peers.decoder import MOST, Decoder, Picture


class Api(litserve.LitAPI):
    """Decodes one latent a request, in batches."""

    def setup(self, device: str) -> None:
        self.decoder = Decoder()

    def decode_request(self, request: dict[str, list[list[float]]]) -> list[float]:
        return request["latents"][0]

    def batch(self, inputs: list[list[float]]) -> list[list[float]]:
        return inputs

    def predict(self, latents: list[list[float]]) -> list[Picture]:
        return self.decoder.pictures(latents)

    def unbatch(self, output: list[Picture]) -> list[Picture]:
        return output

    def encode_response(self, output: Picture) -> dict[str, list[Picture]]:
        return {"images": [output]}


if __name__ == "__main__":
    server = litserve.LitServer(
        Api(max_batch_size=MOST, batch_timeout=0.01),
        accelerator="cpu",
        workers_per_device=1,
        fast_queue=True,
    )
    server.run(
        host="127.0.0.1",
        port=int(sys.argv[1]),
        num_api_servers=1,
        log_level="warning",
        access_log=False,
        generate_client_file=False,
    )
