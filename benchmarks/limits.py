"""How near our server comes to what no server can do without.

    python -m benchmarks.limits [--only WORD] [--rounds 4] [--seconds 1.5] [--plot FOLDER]

The figure is the server's processor time for a request, by the kernel's account. The limit is what
a raw ASGI app takes that answers the same bytes, or a FastAPI route that does nothing where ours is
one of FastAPI, both behind stock uvicorn, and with it the work itself: the bare forward pass, as an
image's share of a batch, and packing the PNG. All are measured in turns, in one run, and the
cheapest round of each counts. The servers and the bare work have one core, the client another.
"""

from __future__ import annotations

import argparse
import io
import itertools
import json
import math
import random
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
import torch
import uvloop
from PIL import Image

from app.formats import png
from app.formats.image_files import prepare
from app.http.negotiation import NPY
from benchmarks.measuring import Load, cpu_seconds, http_load, on_core, websocket_load
from benchmarks.picture import bars
from model.checkpoint import read_checkpoint
from model.data.datasets import MNIST, test_set
from model.inference.decoding import renderer, torch_renderer
from model.inference.encoding import Encoder, torch_encoder
from tools.server import Server, free_port

MODEL = "mnist-vae-2d"
API = f"/api/v1/models/{MODEL}"
TILES = f"{API}/planes/latent/tiles"
BATCH = 1024
PLACES = itertools.cycle(range(4 << 16))
"""Of tiles."""

Request = bytes | Callable[[int], bytes]


@dataclass
class Asked:
    """One way to ask a server, and the cheapest round so far."""

    pid: int
    port: int
    request: Request
    connections: int
    path: str | None = None
    best: tuple[float, Load] = field(default=(math.inf, Load(1)))

    def measure(self, seconds: float) -> None:
        used = cpu_seconds(self.pid)
        if self.path is None:
            load = http_load(self.port, self.request, self.connections, seconds, awake=True)
        else:
            assert callable(self.request)
            url = f"ws://127.0.0.1:{self.port}{self.path}"
            load = websocket_load(url, self.request, self.connections, seconds, awake=True)
        found = uvloop.run(load)
        cost = 1e6 * (cpu_seconds(self.pid) - used) / found.count
        if found.failed:
            raise SystemExit(f"{found.failed} requests failed: {str(self.request)[:200]}")
        self.best = min(self.best, (cost, found), key=lambda pair: pair[0])


@dataclass
class Row:
    """What is compared: our server, and the bare one with the work that it does not do."""

    title: str
    at_least: float
    ours: Asked
    bare: Asked
    work: tuple[str, ...] = ()

    def limit(self, work: Work) -> float:
        """What no server can do without, in microseconds."""
        return self.bare.best[0] + sum(work.best[name] for name in self.work)


class Work:
    """The work itself, in this process: microseconds of the cheapest round."""

    def __init__(self) -> None:
        checkpoint = read_checkpoint(Path("checkpoints", MODEL))
        autoencoder = checkpoint.autoencoder
        draw = renderer(autoencoder, 2, "cpu")
        dice = np.random.default_rng(0)
        many = dice.standard_normal((BATCH, 2)).astype(np.float32)
        image = draw(many[:1])[0]
        uploaded = upload()
        grey = test_set("mnist").images[:1].astype(np.float32) / 255
        encoder = Encoder(autoencoder, 2, draw)
        flat = grey.reshape(1, -1)
        pixels = torch.from_numpy(flat)
        by_torch = torch_encoder(autoencoder, 2, draw)

        @torch.inference_mode()
        def encode() -> None:
            autoencoder.encoder(pixels)

        def batch() -> None:
            for start in range(0, BATCH, 64):
                draw(many[start : start + 64])

        def tiles() -> None:
            png.encode(draw(many[dice.permutation(64)]).reshape(224, 224))

        def enlarged() -> None:
            for image in draw(many[dice.permutation(16)]):
                png.encode_enlarged(image, 280)

        eager = torch_renderer(autoencoder, "cpu")
        self.calls: dict[str, tuple[Callable[[], object], int]] = {
            "an image's share of 16": (lambda: draw(many[:16]), 16),
            "the same by eager torch": (lambda: eager(many[:16]), 16),
            "a tile: forward, PNG": (tiles, 1),
            "a share of 16, enlarged PNG": (enlarged, 16),
            "1,024 in forwards of 64": (batch, 1),
            "PNG in JSON": (lambda: png.encode(image), 1),
            "Pillow reads the upload": (lambda: np.asarray(Image.open(io.BytesIO(uploaded))), 1),
            "the image of the upload": (lambda: prepare(uploaded, MNIST.form), 1),
            "bare encoder": (encode, 1),
            "posterior, ELBO, decode": (lambda: encoder.encode(grey), 1),
            "all three by eager torch": (lambda: by_torch.encode(flat), 1),
        }
        self.best = dict.fromkeys(self.calls, math.inf)

    def measure(self) -> None:
        for name, (call, shares) in self.calls.items():
            call()
            used = time.process_time()
            times = 0
            while time.process_time() - used < 0.1:
                call()
                times += 1
            cost = 1e6 * (time.process_time() - used) / times / shares
            self.best[name] = min(self.best[name], cost)


def upload() -> bytes:
    """A PNG such as a person sends: a digit, enlarged."""
    file = io.BytesIO()
    image = Image.fromarray(test_set("mnist").images[0]).resize((140, 140))
    image.save(file, "PNG")
    return file.getvalue()


def get(path: str, *headers: str) -> bytes:
    """A GET as browsers send it, at its shortest."""
    return "\r\n".join((f"GET {path} HTTP/1.1", "Host: 127.0.0.1", *headers, "", "")).encode()


def post(path: str, kind: str, body: bytes, *headers: str) -> bytes:
    """A POST, at its shortest."""
    head = (
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Content-Type: {kind}",
        f"Content-Length: {len(body)}",
        *headers,
    )
    return "\r\n".join((*head, "", "")).encode() + body


def decode(path: str, *headers: str) -> bytes:
    """The REST decode of one latent."""
    return post(path, "application/json", b'{"latents":[[0.5,-1.2]]}', *headers)


def form() -> tuple[str, bytes]:
    """The upload, as a form: its media type and its bytes."""
    request = httpx.Request("POST", "http://x", files={"file": ("7.png", upload(), "image/png")})
    return request.headers["content-type"], request.read()


def fresh(_: int) -> bytes:
    """decode.png of a latent that nobody asked for before."""
    return get(f"{API}/decode.png?z={random.uniform(-3, 3)},{random.uniform(-3, 3)}")


def fresh_tile(_: int) -> bytes:
    """A tile that nobody asked for before, or so long ago that it is forgotten."""
    place = next(PLACES)
    return get(f"{TILES}/8/{place % 256}/{place // 256 % 256}.png?v={place}")


def message(number: int) -> bytes:
    """A frame of a drag."""
    return struct.pack("<Iff", number, random.uniform(-3, 3), random.uniform(-3, 3))


def rows(ours: Server, bare: tuple[int, int], plain: tuple[int, int]) -> Iterator[Row]:
    """All comparisons, the bare server taught what to answer."""
    tile, image = f"{TILES}/2/1/1.png", f"{API}/decode.png?z=1,1"
    with httpx.Client(base_url=ours.url, trust_env=False) as client:
        client.get(tile), client.get(image)
        etag = client.get(tile).headers["etag"]
        unchanged = f"If-None-Match: {etag}"
        latents = [[random.uniform(-2, 2), random.uniform(-2, 2)] for _ in range(BATCH)]
        many = json.dumps({"latents": latents}).encode()
        batch = post(f"{API}/decode", "application/json", many, f"Accept: {NPY}")
        file = io.BytesIO()
        np.save(file, np.array(latents, np.float32))
        npy_batch = post(f"{API}/decode", NPY, file.getvalue(), f"Accept: {NPY}")
        media_type, content = form()

        one = {"latents": latents[:1]}
        decoded = client.post(f"{API}/decode", json=one).raise_for_status()
        kind = {"content-type": media_type}
        encoded = client.post(f"{API}/encode", content=content, headers=kind).raise_for_status()
        kind["accept"] = NPY
        code = client.post(f"{API}/encode", content=content, headers=kind).raise_for_status()
        teach(bare[1], "/tile", client.get(tile))
        teach(bare[1], "/image", client.get(image))
        teach(bare[1], "/unchanged", client.get(tile, headers={"If-None-Match": etag}))
        npy = {"content-type": NPY, "accept": NPY}
        answer = client.post(f"{API}/decode", content=file.getvalue(), headers=npy)
        teach(bare[1], "/batch", answer.raise_for_status())

    def we(request: Request, connections: int = 32, path: str | None = None) -> Asked:
        return Asked(ours.pid, ours.port, request, connections, path)

    def they(request: Request, connections: int = 32, path: str | None = None) -> Asked:
        return Asked(*bare, request, connections, path)

    share = "an image's share of 16"
    stream = we(message, 16, f"{API}/stream")
    yield Row("stream, 16 connections", 0.90, stream, they(message, 16, "/stream"), (share,))
    drawing: tuple[str, ...] = ("a share of 16, enlarged PNG",)
    yield Row("decode.png, fresh", 0.60, we(fresh), they(get("/image")), drawing)
    yield Row("decode.png, from cache", 0.65, we(get(image)), they(get("/image")))
    yield Row("tile, from cache", 0.65, we(get(tile)), they(get("/tile")))
    yield Row("tile, not changed (304)", 0.65, we(get(tile, unchanged)), they(get("/unchanged")))
    drawing = ("a tile: forward, PNG",)
    yield Row("tile, fresh", 0.65, we(fresh_tile, 8), they(get("/tile"), 8), drawing)
    nothing = they(decode(f"/fastapi/decode/{len(decoded.content)}"))
    drawing = (share, "PNG in JSON")
    yield Row("REST decode of one latent", 1.00, we(decode(f"{API}/decode")), nothing, drawing)
    forwards = ("1,024 in forwards of 64",)
    bulk = they(get("/batch"), 2)
    yield Row("1,024 as NPY, and back", 0.80, we(npy_batch, 2), bulk, forwards)
    yield Row("1,024 as JSON, back as NPY", 0.80, we(batch, 2), bulk, forwards)
    least = ("Pillow reads the upload", "bare encoder")
    encode = post(f"{API}/encode", media_type, content, f"Accept: {NPY}")
    nothing = they(post(f"/fastapi/encode/{len(code.content)}", media_type, content), 8)
    yield Row("encode to a code", 0.60, we(encode, 8), nothing, least)
    encode = post(f"{API}/encode", media_type, content)
    nothing = they(post(f"/fastapi/encode/{len(encoded.content)}", media_type, content), 8)
    yield Row("encode, bare encoder", 0.65, we(encode, 8), nothing, least)
    pictures = 6 * ("PNG in JSON",)  # of four steps, the input and its reconstruction
    all_of_it = ("the image of the upload", "posterior, ELBO, decode", *pictures)
    yield Row("encode, all that it answers", 0.65, we(encode, 8), nothing, all_of_it)
    one_latent = decode(f"{API}/decode")
    yield Row("REST decode, no gate", 0.85, we(one_latent), Asked(*plain, one_latent, 32))


def teach(port: int, path: str, answer: httpx.Response) -> None:
    """Have the bare server answer a path as ours did."""
    left_out = {"date", "transfer-encoding"}
    headers = {
        f"keep-{name}": value for name, value in answer.headers.items() if name not in left_out
    }
    httpx.post(
        f"http://127.0.0.1:{port}{path}",
        content=answer.content,
        headers={**headers, "keep-status": str(answer.status_code)},
        trust_env=False,
    ).raise_for_status()


@contextmanager
def other(which: str) -> Iterator[tuple[int, int]]:
    """A server of `benchmarks.bare`, ready: its process and its port."""
    port = free_port()
    serve = "from benchmarks.bare import main; main()"
    command = [sys.executable, "-c", serve, str(port), which]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        while True:
            try:
                httpx.post(f"http://127.0.0.1:{port}/ready", trust_env=False)
                break
            except httpx.TransportError:
                if process.poll() is not None:
                    raise SystemExit(f"{' '.join(command)} ended") from None
                time.sleep(0.1)
        yield process.pid, port
    finally:
        process.terminate()
        process.wait()


def main() -> None:
    """Start all, ask them in turns, print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", default="", metavar="WORD", help="rows whose title holds it")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=1.5, help="of a round of a row")
    parser.add_argument("--plot", type=Path, metavar="FOLDER", help="write limits.png there")
    options = parser.parse_args()
    torch.set_num_threads(1)
    work = Work()
    with ExitStack() as stack:
        with on_core(0):
            ours = stack.enter_context(
                Server(*("--models", MODEL, "--device", "cpu", "--max-wait-seconds", "30"))
            )
            bare, plain = (stack.enter_context(other(which)) for which in ("answers", "ours"))
        table = [row for row in rows(ours, bare, plain) if options.only in row.title]
        for _ in range(options.rounds):
            with on_core(0):  # one may be faster than the other
                work.measure()
            with on_core(1):
                for row in table:
                    row.bare.measure(options.seconds)
                    row.ours.measure(options.seconds)
    print_table(table, work)
    if options.plot:
        ratios = [(row.title, row.limit(work) / row.ours.best[0], row.at_least) for row in table]
        bars(options.plot / "limits.png", "the limit's processor time / ours", ratios)


def print_table(table: list[Row], work: Work) -> None:
    """Print microseconds of processor time a request, and how near they are."""
    print(f"{'us of CPU a request':28}     ours    limit  ratio  asked    per s  p50 ms  p99 ms")
    for row in table:
        cost, load = row.ours.best
        limit = row.limit(work)
        times = f"{1e3 * load.p50_seconds:7.2f} {1e3 * load.p99_seconds:7.2f}"
        print(
            f"{row.title:28} {cost:8.1f} {limit:8.1f} {limit / cost:6.2f} {row.at_least:6.2f} "
            f"{load.per_second:8.0f} {times}"
        )
    print("\nthe work itself, us")
    for name, cost in work.best.items():
        print(f"  {name:27} {cost:8.1f}")


if __name__ == "__main__":
    main()
