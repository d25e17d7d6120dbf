"""A client of a Latent Explorer in one file, with NumPy arrays in and out: copy it, or import it.

    model = Explorer("http://127.0.0.1:8000").model("mnist-vae-2d")
    codes = model.encode(images)  # N x H x W in, N x D out
    again = model.decode(codes)  # N x 28 x 28, uint8, 0 = background
    path = model.walk(codes[0], codes[1], steps=24)

Any number of images or latents goes, in as many requests as it takes. A server that is busy is
asked again when it says. `AsyncExplorer` has the same methods, to await. It needs httpx and numpy.
"""

from __future__ import annotations

import asyncio
import io
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, Literal, Self, TypeVar

import httpx
import numpy as np
from numpy.typing import ArrayLike, NDArray

IMAGES, LATENTS = 64, 1024
"""Of one request, at most."""
BODY_BYTES = 8 * 2**20
"""Of one request, about; half of what a server takes by default."""
AT_ONCE = 4
"""Requests of one call that an `AsyncExplorer` has under way."""
PATIENCE_SECONDS = 300.0
"""For how long a busy server is asked again."""
NPY, NPZ, RAW = "application/x-npy", "application/x-npz", "application/octet-stream"

PathKind = Literal["linear", "spherical", "geodesic"]
Result = TypeVar("Result")


class Refused(Exception):
    """The server refused a request; the message is its own sentence."""

    def __init__(self, answer: httpx.Response) -> None:
        try:
            self.problem: dict[str, Any] = answer.json()
        except ValueError:
            self.problem = {}
        self.status = answer.status_code
        super().__init__(self.problem.get("detail", f"The server answered {self.status}."))


@dataclass(frozen=True)
class Codes:
    """The codes of a model's test images, in the data set's order."""

    codes: NDArray[np.float32]
    """N x D, in latent units."""
    labels: NDArray[np.uint8]
    """N."""


@dataclass(frozen=True)
class Walk:
    """A path between two latents."""

    latents: NDArray[np.float64]
    """Steps x D."""
    images: NDArray[np.uint8]
    """Steps x 28 x 28."""
    step_lengths: NDArray[np.float64]
    """Steps - 1, in the path's own metric."""
    seen_lengths: NDArray[np.float64]
    """Steps - 1: how much the image changes."""


@dataclass(frozen=True)
class Draw:
    """Images drawn at random."""

    latents: NDArray[np.float64]
    """N x D."""
    images: NDArray[np.uint8]
    """N x 28 x 28."""
    seed: int
    """With which the same are drawn again."""


@dataclass(frozen=True)
class _Asked(Generic[Result]):
    """What a call asks of the server, and how it reads the answers."""

    method: str
    path: str
    read: Callable[[list[httpx.Response]], Result]
    bodies: Sequence[dict[str, Any]] = ({},)
    """Of one request each, as keyword arguments of httpx."""
    accept: str = "application/json"

    def requests(self, client: httpx.Client | httpx.AsyncClient) -> Iterator[httpx.Request]:
        for body in self.bodies:
            request = client.build_request(self.method, f"/api/v1/{self.path}", **body)
            request.headers["Accept"] = self.accept
            yield request


def _pause(answer: httpx.Response, waited: float) -> float | None:
    """Return the seconds after which to ask again, or None for an answer; raises Refused."""
    if answer.is_success:
        return None
    seconds = answer.headers.get("Retry-After")
    if answer.status_code == 503 and seconds is not None and waited < PATIENCE_SECONDS:
        return float(seconds)
    raise Refused(answer)


def _saved(array: NDArray[Any]) -> dict[str, Any]:
    file = io.BytesIO()
    np.save(file, array)
    return {"content": file.getvalue(), "headers": {"Content-Type": NPY}}


def _loaded(answer: httpx.Response) -> Any:
    return np.load(io.BytesIO(answer.content))


def _joined(answers: list[httpx.Response]) -> NDArray[Any]:
    return np.concatenate([_loaded(answer) for answer in answers])


def _batches(array: NDArray[Any], most: int) -> list[dict[str, Any]]:
    """Return an array in bodies of at most so many of its first dimension."""
    if len(array) == 0:
        raise ValueError("There is nothing in the array.")
    size = max(1, min(most, BODY_BYTES // max(1, array[0].nbytes)))
    return [_saved(array[start : start + size]) for start in range(0, len(array), size)]


def _encode(model: str, images: ArrayLike) -> _Asked[NDArray[Any]]:
    array = np.asarray(images)
    if array.dtype.kind == "f":
        array = array.astype(np.float32)
    return _Asked("POST", f"{model}/encode", _joined, _batches(array, IMAGES), NPY)


def _decode(model: str, latents: ArrayLike) -> _Asked[NDArray[np.uint8]]:
    array = np.asarray(latents, np.float32)
    return _Asked("POST", f"{model}/decode", _joined, _batches(array, LATENTS), NPY)


def _walk(model: str, start: ArrayLike, end: ArrayLike, steps: int, path: PathKind) -> _Asked[Walk]:
    ends = {
        name: {"latent": np.asarray(latent, np.float64).tolist()}
        for name, latent in (("start", start), ("end", end))
    }

    def read(answers: list[httpx.Response]) -> Walk:
        (found,) = map(_loaded, answers)
        names = ("latents", "images", "step_lengths", "seen_lengths")
        return Walk(*(found[name] for name in names))

    body = {"json": {**ends, "steps": steps, "path": path}}
    return _Asked("POST", f"{model}/interpolate", read, [body], NPZ)


def _sample(model: str, count: int, seed: int | None, temperature: float) -> _Asked[Draw]:
    def read(answers: list[httpx.Response]) -> Draw:
        (found,) = map(_loaded, answers)
        return Draw(found["latents"], found["images"], int(found["seed"]))

    body = {"json": {"count": count, "seed": seed, "temperature": temperature}}
    return _Asked("POST", f"{model}/sample", read, [body], NPZ)


def _codes(model: str) -> _Asked[Codes]:
    def read(answers: list[httpx.Response]) -> Codes:
        (content,) = (answer.content for answer in answers)
        count, dimensions = struct.unpack_from("<II", content)
        codes = np.frombuffer(content, "<f4", count * dimensions, offset=8)
        labels = np.frombuffer(content, np.uint8, offset=8 + codes.nbytes)
        return Codes(codes.reshape(count, dimensions), labels)

    return _Asked("GET", f"{model}/codes", read, accept=RAW)


def _json(path: str) -> _Asked[dict[str, Any]]:
    return _Asked("GET", path, lambda answers: answers[0].json())


class Explorer:
    """A server, such as `http://127.0.0.1:8000`; any method raises Refused, or what httpx does."""

    def __init__(self, url: str, *, timeout: float = 60.0) -> None:
        self._client = httpx.Client(base_url=url, timeout=timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def models(self) -> dict[str, Any]:
        """Return what `GET /models` answers: the cards of all models, and which is the default."""
        return self.ask(_json("models"))

    def model(self, name: str) -> Model:
        """Return one model, without asking whether there is one of this name."""
        return Model(self, name)

    def ask(self, asked: _Asked[Result]) -> Result:
        """Send the requests of a call one after the other, and read the answers."""
        return asked.read([self._send(request) for request in asked.requests(self._client)])

    def _send(self, request: httpx.Request) -> httpx.Response:
        waited = 0.0
        while True:
            answer = self._client.send(request)
            pause = _pause(answer, waited)
            if pause is None:
                return answer
            time.sleep(pause)
            waited += pause


@dataclass(frozen=True)
class Model:
    """A model of a server."""

    explorer: Explorer
    name: str

    @property
    def path(self) -> str:
        """Below /api/v1."""
        return f"models/{self.name}"

    def card(self) -> dict[str, Any]:
        """Return what the model says of itself."""
        return self.explorer.ask(_json(self.path))

    def encode(self, images: ArrayLike) -> NDArray[Any]:
        """Return the code of each image: N x D, or of a model with a codebook N x 7 x 7.

        Args:
            images: N x H x W, whole numbers from 0 to 255 or floats from 0 to 1.
        """
        return self.explorer.ask(_encode(self.path, images))

    def decode(self, latents: ArrayLike) -> NDArray[np.uint8]:
        """Return the images of latents, N x D: N x 28 x 28, 0 = background."""
        return self.explorer.ask(_decode(self.path, latents))

    def walk(
        self, start: ArrayLike, end: ArrayLike, *, steps: int = 16, path: PathKind = "linear"
    ) -> Walk:
        """Return a path between two latents, both among its steps."""
        return self.explorer.ask(_walk(self.path, start, end, steps, path))

    def sample(self, count: int, *, seed: int | None = None, temperature: float = 1.0) -> Draw:
        """Draw up to 1,024 images at random."""
        return self.explorer.ask(_sample(self.path, count, seed, temperature))

    def codes(self) -> Codes:
        """Return the codes and the labels of all test images."""
        return self.explorer.ask(_codes(self.path))


class AsyncExplorer:
    """The same as `Explorer`, to await."""

    def __init__(self, url: str, *, timeout: float = 60.0) -> None:
        self._client = httpx.AsyncClient(base_url=url, timeout=timeout)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, *_: type[BaseException] | BaseException | TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def models(self) -> dict[str, Any]:
        """See `Explorer.models`."""
        return await self.ask(_json("models"))

    def model(self, name: str) -> AsyncModel:
        """See `Explorer.model`."""
        return AsyncModel(self, name)

    async def ask(self, asked: _Asked[Result]) -> Result:
        """Send the requests of a call, a few at once, and read the answers."""
        turns = asyncio.Semaphore(AT_ONCE)

        async def send(request: httpx.Request) -> httpx.Response:
            async with turns:
                return await self._send(request)

        return asked.read(
            await asyncio.gather(*(send(request) for request in asked.requests(self._client)))
        )

    async def _send(self, request: httpx.Request) -> httpx.Response:
        waited = 0.0
        while True:
            answer = await self._client.send(request)
            pause = _pause(answer, waited)
            if pause is None:
                return answer
            await asyncio.sleep(pause)
            waited += pause


@dataclass(frozen=True)
class AsyncModel:
    """The same as `Model`, to await."""

    explorer: AsyncExplorer
    name: str

    @property
    def path(self) -> str:
        """Below /api/v1."""
        return f"models/{self.name}"

    async def card(self) -> dict[str, Any]:
        """See `Model.card`."""
        return await self.explorer.ask(_json(self.path))

    async def encode(self, images: ArrayLike) -> NDArray[Any]:
        """See `Model.encode`."""
        return await self.explorer.ask(_encode(self.path, images))

    async def decode(self, latents: ArrayLike) -> NDArray[np.uint8]:
        """See `Model.decode`."""
        return await self.explorer.ask(_decode(self.path, latents))

    async def walk(
        self, start: ArrayLike, end: ArrayLike, *, steps: int = 16, path: PathKind = "linear"
    ) -> Walk:
        """See `Model.walk`."""
        return await self.explorer.ask(_walk(self.path, start, end, steps, path))

    async def sample(
        self, count: int, *, seed: int | None = None, temperature: float = 1.0
    ) -> Draw:
        """See `Model.sample`."""
        return await self.explorer.ask(_sample(self.path, count, seed, temperature))

    async def codes(self) -> Codes:
        """See `Model.codes`."""
        return await self.explorer.ask(_codes(self.path))
