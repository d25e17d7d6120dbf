import httpx
import pytest

from app.main import API_ROUTES, create_app
from app.openapi import API
from tests.app.conftest import Refused
from tests.app.test_request_examples import address

OPERATIONS = {
    path: operation
    for path, operations in create_app().openapi()["paths"].items()
    for method, operation in operations.items()
    if method == "get" and path.startswith(API)
}


@pytest.mark.parametrize("path", OPERATIONS)
def test_no_route_ignores_a_parameter_that_it_does_not_have(
    client: httpx.Client, refused: Refused, path: str
) -> None:
    url = address(path, OPERATIONS[path])
    answer = client.get(url + ("&" if "?" in url else "?") + "sise=56")
    assert "sise is no query parameter here" in refused(answer, 422)
    assert answer.json()["errors"][0]["pointer"] == "?sise"


@pytest.mark.parametrize("name", ["decode", "encode", "interpolate", "sample"])
def test_neither_does_one_that_takes_a_body(api: httpx.Client, refused: Refused, name: str) -> None:
    refused(api.post(f"models/mnist-vae-2d/{name}?includes=mean", json={}), 422)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("decode.png?z=0,0&sise=56", "did you mean size? There is z, size."),
        ("neighbours?z=0,0&count=5", "count is no query parameter here. There is z, k."),
        ("planes?v=1", "v is no query parameter here. There is none."),
        ("codes?strat=5", "did you mean start?"),
        ("codes?%ff%0a=5", "There is plane, start, count."),
    ],
)
def test_a_refusal_names_what_is_meant_and_what_there_is(
    api: httpx.Client, refused: Refused, path: str, said: str
) -> None:
    assert said in refused(api.get(f"models/mnist-vae-2d/{path}"), 422)


@pytest.mark.parametrize("query", ["z=0,0&k=5&k=6", "z=0,0&k=5&%6b=5", "z=0,0&k=5&k"])
def test_a_parameter_that_comes_twice_is_refused(
    api: httpx.Client, refused: Refused, query: str
) -> None:
    answer = api.get(f"models/mnist-vae-2d/neighbours?{query}")
    assert "k comes more than once" in refused(answer, 422)
    assert answer.json()["errors"][0]["pointer"] == "?k"


def test_a_name_may_be_written_with_escapes(api: httpx.Client) -> None:
    plain = api.get("models/mnist-vae-2d/decode.png?z=0,0&size=28").content
    assert api.get("models/mnist-vae-2d/decode.png?%7A=0,0&s%69ze=28&").content == plain


def test_every_route_of_the_api_is_guarded() -> None:
    described = {route.path for route in API_ROUTES}
    assert described == {path for path in create_app().openapi()["paths"] if path.startswith(API)}
