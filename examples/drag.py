"""Follow a curve over the WebSocket as a hand drags a point, and measure the round trips.

python examples/drag.py --server http://127.0.0.1:8000 --seconds 2
"""

# %% What to do, and where
import argparse
import math
import struct
import time

import httpx
import numpy as np
from websockets.sync.client import connect

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--server", default="http://127.0.0.1:8000")
parser.add_argument("--model", default="mnist-vae-2d")
parser.add_argument("--seconds", type=float, default=2.0)
parser.add_argument("--rate", type=float, default=60.0, help="points a second; 0: without pause")
args = parser.parse_args()

model = f"{args.server}/api/v1/models/{args.model}"
dimensions = httpx.get(model).raise_for_status().json()["latent_dim"]


def point(share: float) -> list[float]:
    """Give a place on a figure of eight, 2 units high, in the first two numbers of the latent."""
    turn = 2 * math.pi * share
    return [1.5 * math.sin(2 * turn), 2 * math.sin(turn), *[0.0] * (dimensions - 2)]


# %% Send a point, wait for its image, rest until the next is due. One at a time: no queue, no lag.
milliseconds: list[float] = []
image = b""
with connect("ws" + model.removeprefix("http") + "/stream", compression=None) as stream:
    started = time.perf_counter()
    while (now := time.perf_counter()) < started + args.seconds:
        sequence = len(milliseconds)
        share = (now - started) / args.seconds
        stream.send(struct.pack(f"<I{dimensions}f", sequence, *point(share)))
        answer = stream.recv(timeout=60, decode=False)
        milliseconds.append(1000 * (time.perf_counter() - now))
        assert struct.unpack_from("<I", answer) == (sequence,)
        image = answer[4:]
        if args.rate:
            time.sleep(max(0, now + 1 / args.rate - time.perf_counter()))

# %% What it took
median, slow = np.percentile(milliseconds, [50, 99])
print(f"{len(milliseconds)} images; a round trip took {median:.2f} ms, one in a hundred {slow:.2f}")

# %% The last image, in letters
levels = np.frombuffer(image, np.uint8).reshape(28, 28)
for row in levels[::2]:
    print("".join(" .:-=+*#%@"[level // 26] for level in row))
