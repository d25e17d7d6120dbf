"""Gradio, tuned by its documents: no page, no queue, no thread; one POST an image.

Sources: gradio.app/guides, "Server mode", "Queuing", "Setting up a demo for maximum performance".
Its batches need the queue, in which a request costs two calls and a stream of events; without the
queue a fast function costs less, and so its own client follows a slider: one POST a movement.
"""

import sys

import gradio

from benchmarks.peers.decoder import Decoder, Picture

decoder = Decoder()
server = gradio.Server()


@server.api(name="decode", queue=False)
async def decode(latents: list[list[float]]) -> list[Picture]:
    """Decode on the event loop: a thread would cost more than the decode."""
    return decoder.pictures(latents)


if __name__ == "__main__":
    server.launch(
        server_name="127.0.0.1",
        server_port=int(sys.argv[1]),
        share=False,
        quiet=True,
        ssr_mode=False,
        enable_monitoring=False,
        run_history=False,
    )
