"""GET /api/v1: where everything is."""

from fastapi import Request
from pydantic import BaseModel, Field

from app.openapi import API, feature

router = feature("", "index")


class Index(BaseModel):
    """Paths of this server from which everything else can be found."""

    name: str = "Latent Explorer"
    version: str
    models: str = Field(description="The models; `{models}/{id}` and what lies below it is one")
    datasets: str
    measures: str
    openapi: str = Field(description="The API for programs")
    docs: str = Field(description="The API for people")


@router.get("")
async def index(request: Request) -> Index:
    """Tell where the models, the data sets and the descriptions of this API are."""
    root = request.scope.get("root_path", "")
    lists = {name: f"{root}{API}/{name}" for name in ("models", "datasets", "measures")}
    described = {"openapi": f"{root}/openapi.json", "docs": f"{root}/docs"}
    return Index(version=request.app.version, **lists, **described)
