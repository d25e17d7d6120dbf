import json
import re

import httpx
from fastapi.routing import APIRoute
from starlette.routing import Route, WebSocketRoute

from app.openapi import API
from tests.app.serving import Serving

CONTRACT = {
    "/models": "get",
    "/models/{model}": "get",
    "/measures": "get",
    "/models/{model}/encode": "post",
    "/models/{model}/decode": "post",
    "/models/{model}/decode.png": "get",
    "/models/{model}/interpolate": "post",
    "/models/{model}/sample": "post",
    "/models/{model}/planes": "get",
    "/models/{model}/planes/{plane}": "get",
    "/models/{model}/planes/{plane}/tiles/{zoom}/{x}/{y}.png": "get",
    "/models/{model}/planes/{plane}/fields/{field}.png": "get",
    "/models/{model}/codes": "get",
    "/models/{model}/neighbours": "get",
    "/models/{model}/distances": "get",
    "/models/{model}/history": "get",
    "/models/{model}/stream": "get",
    "/datasets/{dataset}/images/{index}.png": "get",
    "/datasets/{dataset}/sprites/{n}.png": "get",
}


def test_every_route_of_the_contract_stands_in_the_document(client: httpx.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    found = {path: "".join(operations) for path, operations in paths.items()}
    expected = {API + path: method for path, method in CONTRACT.items()}
    assert found == {**expected, "/healthz": "get", "/readyz": "get"}


def test_no_raw_route_is_left_out(server: Serving, client: httpx.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    raw = [
        route.path_format
        for route in server.app.router.routes
        if isinstance(route, Route | WebSocketRoute) and not isinstance(route, APIRoute)
    ]
    assert set(raw) - {"/", "/openapi.json", "/static/{path}"} <= set(paths)
    assert len(raw) == 6


def test_every_operation_says_what_it_does_and_how_it_refuses(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    names = []
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation.get("description") or operation.get("summary"), path
            refusal = operation["responses"]["default"]["content"]
            assert list(refusal) == ["application/problem+json"]
            assert "422" not in operation["responses"]
            names.append(operation["operationId"])
            parameters = {entry["name"] for entry in operation.get("parameters", [])}
            assert set(re.findall(r"{(\w+)}", path)) <= parameters
    assert len(set(names)) == len(names)


def test_every_reference_of_the_document_leads_somewhere(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    for name in re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)):
        assert name in document["components"]["schemas"]


def test_an_answer_in_several_forms_lists_them_all(client: httpx.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]

    def forms(action: str) -> set[str]:
        return set(paths[f"{API}/models/{{model}}/{action}"]["post"]["responses"]["200"]["content"])

    batch = {"application/json", "image/png", "application/x-npy", "application/octet-stream"}
    assert forms("decode") == forms("sample") == batch
    film = {"application/json", "image/png", "image/gif", "image/webp"}
    assert forms("interpolate") == film
    assert forms("encode") == {"application/json"}


def test_each_json_answer_is_described_by_its_own_schema(client: httpx.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    for action in ("encode", "decode", "interpolate", "sample"):
        answer = paths[f"{API}/models/{{model}}/{action}"]["post"]["responses"]["200"]["content"]
        name = f"{action.capitalize()}Answer"
        assert answer["application/json"]["schema"]["$ref"].endswith(f"/{name}")
