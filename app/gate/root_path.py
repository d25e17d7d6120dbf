"""Behind a proxy that shows the server under a path of its own, such as /explorer."""

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class UnderPath:
    """ASGI middleware: tells the app its `root_path`, whether or not the proxy took it away."""

    def __init__(self, app: ASGIApp, root_path: str) -> None:
        self.app = app
        self.root_path = root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        path = scope["path"]
        if path == self.root_path:  # the page's relative addresses need the slash
            return await RedirectResponse(path + "/", 308)(scope, receive, send)
        if not path.startswith(self.root_path + "/"):
            path = self.root_path + path
        scope = {**scope, "root_path": self.root_path, "path": path}
        return await self.app(scope, receive, send)
