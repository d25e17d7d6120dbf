"""A proxy that shows the server under a path of its own, such as /explorer."""

from starlette.responses import RedirectResponse, Response
from starlette.types import Scope


def enter_root_path(scope: Scope, root_path: str) -> Response | None:
    """Write `root_path` into a scope, whether or not the proxy has removed it from the path.

    Return a redirect where the slash is missing that the page's relative addresses need.
    """
    path = scope["path"]
    if path == root_path:
        return RedirectResponse(path + "/", 308)
    if not path.startswith(root_path + "/"):
        scope["path"] = root_path + path
    scope["root_path"] = root_path
    return None
