"""The models this server holds, by name."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import numpy as np
from fastapi import Depends, Path, Request
from jaxtyping import Float32

from app.batching import Batcher
from app.errors import NotFound
from model.card import Card
from model.engine import ELBO_SAMPLES, Encoding, Engine

ENCODED_TOGETHER = 8


@dataclass(frozen=True)
class ServedModel:
    """One loaded model and the one way to its engine."""

    engine: Engine
    batcher: Batcher

    @property
    def card(self) -> Card:
        return self.engine.card

    async def encode(self, images: Float32[np.ndarray, "images 28 28"]) -> list[Encoding]:
        """Encode images, a few at a time, behind the drags of the moment; one answer a piece.

        Raises:
            Overloaded: too much is waiting.
        """
        pieces = [images[i : i + ENCODED_TOGETHER] for i in range(0, len(images), ENCODED_TOGETHER)]
        calls = [partial(self.engine.encode, piece) for piece in pieces]
        return await self.batcher.run(calls, weight=ENCODED_TOGETHER * ELBO_SAMPLES)


class Registry:
    """What `lifespan` fills and the routes read.

    Args:
        default: Name of the model that the page opens.
    """

    def __init__(self, default: str) -> None:
        self.default = default
        self._served: dict[str, ServedModel] = {}

    def add(self, served: ServedModel) -> None:
        self._served[served.card.id] = served

    def __getitem__(self, name: str) -> ServedModel:
        """Give the model of that name.

        Raises:
            NotFound: there is none; the message names those there are.
        """
        served = self._served.get(name)
        if served is None:
            raise NotFound(
                f"There is no model of this name. There are {', '.join(self._served)}. "
                "See GET /api/v1/models"
            )
        return served

    def __iter__(self) -> Iterator[ServedModel]:
        return iter(self._served.values())

    def __len__(self) -> int:
        return len(self._served)


async def _registry(request: Request) -> Registry:
    registry = request.app.state.registry
    assert isinstance(registry, Registry)
    return registry


Models = Annotated[Registry, Depends(_registry)]
"""A route's parameter: all models."""


_NAME = Path(description="Id of a model", examples=["mnist-vae-2d"])


async def _served(model: Annotated[str, _NAME], registry: Models) -> ServedModel:
    return registry[model]


Served = Annotated[ServedModel, Depends(_served)]
"""A route's parameter: the model that `{model}` in its path names."""
