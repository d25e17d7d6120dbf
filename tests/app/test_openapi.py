import json
import re
from typing import Any

import httpx
from fastapi.routing import APIRoute
from starlette.routing import Route, WebSocketRoute

from app.openapi import API
from tests.app.live_server import Serving

CONTRACT = {
    "": "get",
    "/models": "get",
    "/models/{model}": "get",
    "/measures": "get",
    "/models/{model}/encode": "post",
    "/models/{model}/decode": "post",
    "/models/{model}/decode.png": "get",
    "/models/{model}/preview.png": "get",
    "/models/{model}/interpolate": "post",
    "/models/{model}/sample": "post",
    "/models/{model}/traverse": "post",
    "/models/{model}/planes": "get",
    "/models/{model}/planes/{plane}": "get",
    "/models/{model}/planes/{plane}/tiles/{zoom}/{x}/{y}.png": "get",
    "/models/{model}/planes/{plane}/fields/{field}.png": "get",
    "/models/{model}/codes": "get",
    "/models/{model}/neighbours": "get",
    "/models/{model}/distances": "get",
    "/models/{model}/attributes": "get",
    "/models/{model}/directions": "post",
    "/models/{model}/projections": "get",
    "/models/{model}/projections/{projection}": "get",
    "/models/{model}/history": "get",
    "/models/{model}/stream": "get",
    "/datasets": "get",
    "/datasets/{dataset}": "get",
    "/datasets/{dataset}/labels": "get",
    "/datasets/{dataset}/images/{index}.png": "get",
    "/datasets/{dataset}/sprites/{n}.png": "get",
}

OF_LATENTS = {
    *("decode", "decode_png", "preview_png", "interpolate", "sample", "planes", "plane", "tile"),
    *("codes", "neighbours", "distances", "attributes", "directions", "traverse", "field"),
    *("projections", "projection", "stream"),
}
"""Operations that refuse a model without latents: 409."""
NAMED = "/v2/models/{name}"
INFERENCE = {
    "/v2": "get",
    "/v2/health/live": "get",
    "/v2/health/ready": "get",
    **{
        path + end: "post" if end == "/infer" else "get"
        for path in (NAMED, NAMED + "/versions/{version}")
        for end in ("", "/ready", "/infer")
    },
}


def test_every_route_of_the_contract_is_in_the_document(client: httpx.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    found = {path: "".join(operations) for path, operations in paths.items()}
    expected = {API + path: method for path, method in CONTRACT.items()}
    assert found == {**expected, **INFERENCE, "/healthz": "get", "/readyz": "get"}


def test_no_raw_route_is_left_out(server: Serving, client: httpx.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    raw = [
        route.path_format
        for route in server.app.router.routes
        if isinstance(route, Route | WebSocketRoute) and not isinstance(route, APIRoute)
    ]
    assert set(raw) - {"/", "/openapi.json", "/static/{path}"} <= set(paths)
    assert len(raw) == 4  # the stream is documented by its GET without the upgrade


def refused_by(path: str, operation: dict[str, Any]) -> set[int]:
    """Return the statuses with which an operation may refuse: common ones, and its own."""
    name, found = operation["operationId"], {400, 408, 413, 421, 431, 503}
    if "{" in path:
        found.add(404)
    if name in OF_LATENTS:
        found.add(409)
    if name == "stream":
        found |= {403, 426}
    if "requestBody" in operation:
        found.add(415)
        if name != "directions":  # it has one form
            found.add(406)
    if name in ("codes", "projection", "dataset_labels"):
        found.add(406)
    if path.startswith(API):
        found.add(422)
    return found


def test_every_refusal_is_a_problem_document(client: httpx.Client) -> None:
    refusals = client.get("/openapi.json").json()["components"]["responses"]
    assert {name.removeprefix("Problem") for name in refusals} >= {"404", "422", "503"}
    for refusal in refusals.values():
        assert refusal["description"]
        assert list(refusal["content"]) == ["application/problem+json"]


def test_every_operation_that_may_be_refused_for_a_while_documents_retry_after(
    client: httpx.Client,
) -> None:
    document = client.get("/openapi.json").json()
    for path, operations in document["paths"].items():
        for operation in operations.values():
            answers = operation["responses"]
            later = [answers[one] for one in ("429", "503", "default") if one in answers]
            assert later, path
            for answer in later:
                name = answer.get("$ref", "").rpartition("/")[2]
                headers = document["components"]["responses"].get(name, answer)["headers"]
                assert headers["Retry-After"]["schema"] == {"type": "integer", "minimum": 1}, path


def test_every_operation_says_what_it_does_and_how_it_refuses(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    names = []
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation.get("description") or operation.get("summary"), path
            refusals = {status for status in operation["responses"] if status >= "4"}
            if path.startswith("/v2"):
                assert list(operation["responses"]["default"]["content"]) == ["application/json"]
            else:
                assert refusals == set(map(str, refused_by(path, operation))), path
            names.append(operation["operationId"])
            parameters = {entry["name"] for entry in operation.get("parameters", [])}
            assert set(re.findall(r"{(\w+)}", path)) <= parameters
    assert len(set(names)) == len(names)


def test_every_reference_in_the_document_resolves(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    for kind, name in re.findall(r'"#/components/(schemas|responses)/(\w+)"', json.dumps(document)):
        assert name in document["components"][kind]


def test_a_response_in_several_forms_lists_them_all(client: httpx.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]

    def forms(action: str) -> set[str]:
        return set(paths[f"{API}/models/{{model}}/{action}"]["post"]["responses"]["200"]["content"])

    batch = {"application/json", "image/png", "application/x-npy", "application/octet-stream"}
    batch.add("application/x-npz")
    assert forms("decode") == forms("sample") == batch
    film = {"application/json", "image/png", "image/gif", "image/webp"}
    film |= {"application/x-npy", "application/x-npz"}
    assert forms("interpolate") == film
    assert forms("encode") == {"application/json", "application/x-npy"}


def test_each_json_response_is_described_by_its_own_schema(client: httpx.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    for action in ("encode", "decode", "interpolate", "sample"):
        answer = paths[f"{API}/models/{{model}}/{action}"]["post"]["responses"]["200"]["content"]
        name = f"{action.capitalize()}Response"
        assert answer["application/json"]["schema"]["$ref"].endswith(f"/{name}")


def test_an_inference_that_is_json_alone_is_described_without_bytes_after_it(
    client: httpx.Client,
) -> None:
    path = f"{NAMED}/infer"
    content = client.get("/openapi.json").json()["paths"][path]["post"]["requestBody"]["content"]
    given = content["application/json"]["schema"]["properties"]["inputs"]["items"]
    assert "data" in given["required"]
    assert given["properties"]["data"]["type"] == "array"
    (fields, _) = given["properties"]["parameters"]["anyOf"]  # or null
    size = fields["properties"]["binary_data_size"]
    assert size["type"] == "null"
    sent = {"name": "latents", "datatype": "FP32", "shape": [1, 2]}
    for refused in (sent, {**sent, "parameters": {"binary_data_size": 8}}):
        answer = client.post(
            path.replace("{name}", "mnist-vae-2d.decoder"), json={"inputs": [refused]}
        )
        assert answer.status_code == 422
