"""GET /docs: Swagger UI for the OpenAPI document, from an installed package.

Nothing is loaded from other hosts and nothing is inline, so that the page works offline and under
our Content-Security-Policy.
"""

from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

SWAGGER_UI = StaticFiles(packages=[("fastapi_offline", "static")])

_PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Latent Explorer: the API</title>
<link rel="stylesheet" href="docs/ui/swagger-ui.css">
<link rel="icon" href="docs/ui/favicon.png">
<main id="api"></main>
<script src="docs/ui/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
"""

_START = """\
SwaggerUIBundle({ url: "openapi.json", dom_id: "#api", deepLinking: true, validatorUrl: null });
"""

router = APIRouter(include_in_schema=False)


@router.get("/docs")
async def docs() -> Response:
    return HTMLResponse(_PAGE)


@router.get("/docs/start.js")
async def start() -> Response:
    return Response(_START, media_type="text/javascript")
