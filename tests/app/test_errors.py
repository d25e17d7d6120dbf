import asyncio
import re

import httpx
import pytest
from fastapi import FastAPI
from starlette.middleware import Middleware

from app import errors
from app.errors import Problem
from model.errors import ImageError, LatentError, UndecodableError
from tests.app.conftest import Refused


def answer_to(failure: Exception) -> httpx.Response:
    app = FastAPI(middleware=[Middleware(errors.Defects)])
    errors.install(app)

    @app.get("/")
    async def fail() -> None:
        raise failure

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
            return await client.get("/")

    return asyncio.run(ask())


@pytest.mark.parametrize("failure", [LatentError, ImageError])
def test_what_the_model_refuses_is_an_invalid_request_in_its_words(
    refused: Refused, failure: type[Exception]
) -> None:
    assert refused(answer_to(failure("It is too long.")), 422) == "It is too long."


def test_a_vector_for_a_model_without_vectors_is_a_conflict_in_the_models_words(
    refused: Refused,
) -> None:
    assert refused(answer_to(UndecodableError("It has none.")), 409) == "It has none."


def test_a_defect_is_answered_without_its_innards(refused: Refused) -> None:
    response = answer_to(RuntimeError("/home/secret"))
    refused(response, 500)
    assert "secret" not in response.text


def test_each_problem_has_a_type_of_its_own() -> None:
    kinds = [problem("It.").response().body for problem in Problem.__subclasses__()]
    types = [re.findall(rb'"urn:latent-explorer:[a-z-]+"', kind)[0] for kind in kinds]
    assert len(set(types)) == len(types)


def test_a_path_that_does_not_exist_is_answered_with_the_way_out(
    client: httpx.Client, refused: Refused
) -> None:
    assert "/docs" in refused(client.get("/api/v1/nothing"), 404)
    assert "/docs" in refused(client.get("/api/v1/models/"), 404)
