import asyncio
import re

import httpx
import pytest
from fastapi import FastAPI

from app import errors
from app.errors import Overloaded, Problem, response_to
from model.errors import ImageError, LatentError, UndecodableError
from tests.app.conftest import Refused


def answer_to(failure: Exception) -> httpx.Response:
    app = FastAPI()
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
def test_a_refusal_of_the_model_is_an_invalid_request_in_its_words(
    refused: Refused, failure: type[Exception]
) -> None:
    assert refused(answer_to(failure("It is too long.")), 422) == "It is too long."


def test_a_latent_for_a_model_without_latents_is_a_conflict_in_the_models_words(
    refused: Refused,
) -> None:
    assert refused(answer_to(UndecodableError("It has none.")), 409) == "It has none."


def test_a_defect_is_answered_without_its_message(refused: Refused) -> None:
    response = answer_to(RuntimeError("/home/secret"))
    refused(response, 500)
    assert "secret" not in response.text


def test_a_lack_of_memory_is_told_with_the_seconds_after_which_to_try_again(
    refused: Refused,
) -> None:
    response = answer_to(MemoryError())
    assert "memory" in refused(response, 503)
    assert response.headers["retry-after"] == "5"


def test_each_problem_has_a_type_of_its_own() -> None:
    named = [problem for problem in Problem.__subclasses__() if problem.kind != "about:blank"]
    bodies = [response_to(problem("It.")).body for problem in named]
    types = [re.findall(rb'"urn:latent-explorer:[a-z-]+"', bytes(body))[0] for body in bodies]
    assert len(set(types)) == len(types) > 10


def test_at_most_ten_errors_are_told(client: httpx.Client, refused: Refused) -> None:
    body = {f"unknown_{index}": 0 for index in range(200)}
    answer = client.post("/api/v1/models/mnist-vae-2d/decode", json=body)
    refused(answer, 422)
    assert len(answer.json()["errors"]) == 10


def test_below_v2_a_problem_has_the_form_of_the_protocol() -> None:
    problem = Overloaded("Come again.")
    response = response_to(problem, {"path": "/explorer/v2/models/x", "root_path": "/explorer"})
    assert bytes(response.body) == b'{"error": "Come again."}'
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert response.headers["content-type"] == "application/json"


def test_a_path_that_does_not_exist_is_refused_with_the_way_out(
    client: httpx.Client, refused: Refused
) -> None:
    assert "/docs" in refused(client.get("/api/v1/nothing"), 404)
    assert "/docs" in refused(client.get("/api/v1/models/"), 404)


@pytest.mark.parametrize(
    "path",
    [
        "models/mnist-vae-2d/planes/latent/fields/nope.png",
        "datasets/mnist/images/abc.png",
        "datasets/mnist/sprites/-1.png",
        "models/mnist-vae-2d/planes/latent/tiles/0/a/0.png",
        "nothing",
    ],
)
def test_a_path_to_nothing_is_not_found_whichever_part_is_wrong(
    api: httpx.Client, refused: Refused, path: str
) -> None:
    refused(api.get(path), 404)


@pytest.mark.parametrize(
    ("path", "body", "pointer", "said"),
    [
        ("decode", {"latent": [[0, 0]]}, "#/latent", "did you mean latents? There is latents."),
        ("sample", {"n": 3}, "#/n", "n is no field here. There is count, seed, temperature."),
        ("interpolate", {"start": {"latent": [0, 0]}, "end": [1, 1]}, "#/end", "be an object"),
        ("interpolate", {"start": 3, "end": {"latent": [0, 0]}}, "#/start", "be an object, not 3"),
        (
            "interpolate",
            {"start": {"laten": [0, 0]}, "end": {"latent": [0, 0]}},
            "#/start/laten",
            "did you mean latent? There is latent, image.",
        ),
    ],
)
def test_what_a_body_should_not_hold_is_named_with_what_it_should(
    api: httpx.Client, path: str, body: dict[str, object], pointer: str, said: str
) -> None:
    answer = api.post(f"models/mnist-vae-2d/{path}", json=body)
    assert answer.status_code == 422
    details = {error["pointer"]: error["detail"] for error in answer.json()["errors"]}
    assert details[pointer].endswith(said)


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/api/v1/models", "GET, HEAD, OPTIONS"),
        ("/api/v1/models/mnist-vae-2d/decode", "OPTIONS, POST"),
        ("/api/v1/models/mnist-vae-2d/decode.png", "GET, HEAD, OPTIONS"),
        ("/api/v1/models/mnist-vae-2d/sample", "OPTIONS, POST"),
        ("/v2/models/mnist-vae-2d.decoder/infer", "OPTIONS, POST"),
        ("/healthz", "GET, HEAD, OPTIONS"),
        ("/", "GET, HEAD, OPTIONS"),
    ],
)
def test_options_and_a_refused_method_name_all_that_a_path_takes(
    client: httpx.Client, path: str, allowed: str
) -> None:
    asked = client.options(path)
    assert (asked.status_code, asked.content, asked.headers["allow"]) == (204, b"", allowed)
    refusal = client.delete(path)
    assert (refusal.status_code, refusal.headers["allow"]) == (405, allowed)
    assert client.options("/api/v1/nothing").status_code == 404
