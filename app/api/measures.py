"""What the numbers in a card's `metrics` mean."""

from typing import Literal

from pydantic import BaseModel, Field

from app.openapi import feature
from model.engine import MEASURES

router = feature("/measures", "measures")


class MeasureJson(BaseModel):
    """One number that a card may hold."""

    key: str = Field(description="Its path in `metrics`", examples=["completeness.recognised"])
    title: str
    unit: str
    digits: int = Field(description="Decimals that are worth showing")
    better: Literal["higher", "lower"] | None = Field(description="Null where neither is")
    about: str = Field(description="One line for a learner")


class MeasureList(BaseModel):
    """All measures, in the order in which to show them."""

    measures: list[MeasureJson]


@router.get("")
async def list_measures() -> MeasureList:
    """What each number in a card's `metrics` is, and whether more of it is better."""
    return MeasureList(measures=[MeasureJson(**vars(measure)) for measure in MEASURES])
