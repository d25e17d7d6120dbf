"""A real HTTP server on this machine, as good or as bad as a test wants its mirror to be."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


class Mirror:
    """Files by name, the faults of the server that gives them, and what it was asked."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.url = ""
        self.answers_ranges = True
        self.fails_with = 0
        """An HTTP status for every request; 0 for none."""
        self.stops_after: int | None = None
        """How many bytes of a body it sends before it hangs up."""
        self.tells_length = True
        self.before_hanging_up: Callable[[str], None] = lambda name: None
        self.asked: list[tuple[str, str | None]] = []
        """Name of the file and Range header of each request."""

    def __call__(self, *arguments: object) -> None:
        """Answer one connection, as `socketserver` has it done."""
        _Handler(self, *arguments)

    @contextmanager
    def serving(self) -> Iterator["Mirror"]:
        """Serve on a free port until the block ends."""
        with ThreadingHTTPServer(("127.0.0.1", 0), self) as server:  # type: ignore[arg-type]
            self.url = f"http://127.0.0.1:{server.server_port}/"
            thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            try:
                yield self
            finally:
                server.shutdown()
                thread.join()


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, mirror: Mirror, *arguments: object) -> None:
        self.mirror = mirror
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        name, mirror = self.path.removeprefix("/"), self.mirror
        wanted = self.headers["Range"]
        mirror.asked.append((name, wanted))
        if mirror.fails_with or name not in mirror.files:
            self.send_error(mirror.fails_with or 404)
            return
        content, start = mirror.files[name], 0
        if wanted and mirror.answers_ranges:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if start >= len(content):
                self.send_error(416)
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        body = content[start:]
        if mirror.tells_length:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: mirror.stops_after])
        if mirror.stops_after is not None:
            mirror.before_hanging_up(name)

    def log_message(self, *arguments: object) -> None:
        pass
