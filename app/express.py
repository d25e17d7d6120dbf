"""The express lane: what can be answered without FastAPI is, before that so much as begins.

Five kinds of request make up nearly all that a busy server sees besides streams, and to take them
through every layer costs as much as their answer does, or several times that:

- a GET of a finished picture, or the word that it has not changed: the whole answer is on the rack,
  under its target.
- a GET of a picture that is still to be drawn.
- a decode of one latent or a few.
- a decode of many into bare numbers.
- an encode of a single small upload.

They are answered in the calls in which they came and in which they were decoded, without a task,
if everything about the request is as it should be. Whatever is not so plain goes the ordinary way,
and is answered or refused there; to a client there is no difference. Nothing passes here that would
be refused there.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app.errors import Overloaded, answer_to
from app.gate.limits import Room, host_is_allowed, late
from app.server.http_protocol import Headers, Question, Way, Whole
from app.serving.queues import Answer
from app.serving.response_cache import Rack, whole_of, with_id
from app.telemetry.access_log import ID_HEADER, Ledger, id_of

LONGEST_BODY = 64 * 1024
"""Bytes; 1,024 latents of two numbers take 40,000 in JSON."""


class Soon(NamedTuple):
    """An answer that has to be worked out.

    Attributes:
        ask: Has it worked out; may raise Overloaded.
        write: Makes the answer of what came of it.
        model: The one that has to stay in memory meanwhile.
    """

    ask: Callable[[Answer], None]
    write: Callable[[Any], Whole]
    model: str


class Shortcut(Protocol):
    """A route whose plain requests are answered here."""

    route: str

    def answer(self, question: Question, path: str, query: str) -> Whole | Soon | None:
        """Answer, if the request is this route's own and plain; its target comes in two parts.

        Whatever it raises, the ordinary way has the words for.
        """


class Reader(Shortcut, Protocol):
    """The same of a route that takes bodies."""

    def reads(self, target: bytes, headers: Headers, length: int) -> bool:
        """Tell of a target that ends as the route whether its body is worth waiting for."""


class Express:
    """Answers what it can; see `wire.Express`.

    Args:
        rack: The pictures' answers.
        shortcuts: Of GET.
        readers: Of POST.
        hold: Keeps a model in memory, until what this gives is called.
        ledger: Where what is answered here is noted.
        room: Shared with `Limits`.
        max_body_bytes: As in `Limits`.
        timeout_seconds: As in `Limits`.
        hosts: As in `AllowedSites`.
        proxies: Whose word about the client is believed.
        root_path: The path under which a proxy shows the server; it may have been taken away.
    """

    def __init__(
        self,
        rack: Rack,
        shortcuts: Sequence[Shortcut],
        readers: Sequence[Reader],
        hold: Callable[[str], Callable[[], None]],
        ledger: Ledger,
        room: Room,
        max_body_bytes: int,
        timeout_seconds: float,
        hosts: Sequence[str],
        proxies: Sequence[str],
        root_path: str,
    ) -> None:
        self.rack = rack
        self.readers = {reader.route.rpartition("/")[2].encode(): reader for reader in readers}
        self.shortcuts: Mapping[str, Sequence[Shortcut]] = {"GET": shortcuts, "POST": readers}
        self.hold = hold
        self.ledger = ledger
        self.room = room
        self.longest = min(LONGEST_BODY, max_body_bytes)
        self.timeout_seconds = timeout_seconds
        self._waiting: dict[_Reply, None] = {}  # the oldest first
        self._is_watched = False
        self.hosts = None if "*" in hosts else hosts
        self.proxies = ProxyHeadersMiddleware(_nowhere, list(proxies)).trusted_hosts
        self.root_path = root_path

    def reads(self, target: bytes, headers: Headers) -> bool:
        """Tell by the head of a POST whether its body is of interest here."""
        reader = self.readers.get(target[target.rfind(b"/") + 1 :])
        text = headers.get(b"content-length", b"")
        if reader is None or not self._is_plain(headers) or not text.isdigit() or len(text) > 8:
            return False
        length = int(text)
        return length <= self.longest and reader.reads(target, headers, length)

    def answer(self, question: Question, way: Way) -> Whole | Way | None:
        """Answer at once, or take the way by which the answer will come; None is no answer."""
        begun = time.perf_counter()
        headers = question.headers
        if self.room.is_full() or not self._is_plain(headers):
            return None
        found: tuple[str, Whole | Soon] | None = None
        if question.method == "GET":
            found = self.rack.find(question.target, headers)
        found = found or self._shortcut(question)
        if found is None:
            return None
        route, answer = found
        reply = _Reply(self, question, way, route, begun)
        if isinstance(answer, Whole):
            return reply.noted(answer)
        try:
            answer.ask(reply)
        except Overloaded as refusal:
            return reply.noted(whole_of(refusal.response()))
        reply.wait(answer)
        return way

    def begin(self, reply: "_Reply") -> None:
        """Hear that a reply waits from now on."""
        self.room.open += 1
        self._waiting[reply] = None
        if not self._is_watched:
            self._watch(self.timeout_seconds)

    def end(self, reply: "_Reply") -> None:
        """Hear that a reply waits no longer."""
        self.room.open -= 1
        del self._waiting[reply]

    def _watch(self, seconds: float) -> None:
        self._is_watched = True
        asyncio.get_running_loop().call_later(seconds, self._refuse_late)

    def _refuse_late(self) -> None:
        """Refuse what waits for too long, as `Limits` does, and look again when the next might."""
        self._is_watched = False
        latest = time.perf_counter() - self.timeout_seconds
        for reply in list(self._waiting):
            if reply.begun > latest:
                self._watch(reply.begun - latest)
                return
            reply.set_exception(late(self.timeout_seconds))

    def _is_plain(self, headers: Headers) -> bool:
        if b"origin" in headers:
            return False
        if self.hosts is None:
            return True
        return host_is_allowed(headers.get(b"host", b"").decode("latin-1"), self.hosts)

    def _parts(self, target: bytes) -> tuple[str, str]:
        """The path and the query of a target, as the routes know them."""
        path, _, query = target.decode("latin-1").partition("?")
        if self.root_path and path.startswith(self.root_path + "/"):
            path = path[len(self.root_path) :]
        return path, query

    def _shortcut(self, question: Question) -> tuple[str, Whole | Soon] | None:
        path, query = self._parts(question.target)
        if "%" in path or "#" in query:
            return None
        for shortcut in self.shortcuts[question.method]:
            try:
                answer = shortcut.answer(question, path, query)
            except Exception:  # whatever it is, the ordinary way comes upon it too
                return None
            if answer is not None:
                return shortcut.route, answer
        return None

    def client_of(self, question: Question) -> tuple[str, int] | None:
        """Give who asked, by the word of a proxy that is believed."""
        client, forwarded = question.client, question.headers.get(b"x-forwarded-for")
        if forwarded is None or client is None or client[0] not in self.proxies:
            return client
        host, port = self.proxies.get_trusted_client_address(forwarded.decode("latin-1"))
        return (host, port) if host else client


class _Reply:
    """One answer on its way: what waits for it in a queue takes it for its `Answer`."""

    __slots__ = (
        "_done",
        "_release",
        "_write",
        "begun",
        "express",
        "known",
        "question",
        "route",
        "way",
    )

    def __init__(
        self, express: Express, question: Question, way: Way, route: str, begun: float
    ) -> None:
        self.express, self.question, self.way = express, question, way
        self.route, self.begun = route, begun
        self.known = id_of(question.headers.get(ID_HEADER))
        self._done = False

    def wait(self, soon: Soon) -> None:
        """Be told of the result later."""
        self._write, self._release = soon.write, self.express.hold(soon.model)
        self.way.cut = self._cut
        self.express.begin(self)

    def done(self) -> bool:
        return self._done

    def set_result(self, result: object, /) -> None:
        try:
            whole = self._write(result)
        except Exception as error:
            self.set_exception(error)
            return
        self._send(whole)

    def set_exception(self, error: Exception, /) -> None:
        self._send(whole_of(answer_to(error, self.question.method)))

    def noted(self, whole: Whole) -> Whole:
        """Note that this is the answer, and give it with the request's id."""
        client = self.express.client_of(self.question)
        method = self.question.method
        self.express.ledger.enter(client, method, self.known, self.route, whole.status, self.begun)
        return with_id(whole, self.known)

    def _send(self, whole: Whole) -> None:
        self._end()
        self.way.send(self.noted(whole))

    def _cut(self) -> None:
        if not self._done:
            self._end()
            self.noted(Whole(GONE, b"", b""))

    def _end(self) -> None:
        self._done = True
        self.way.cut = None  # which holds this, and this holds that
        self._release()
        self.express.end(self)


async def _nowhere(*_: object) -> None:
    """Be the app of a middleware that is not called."""


GONE = 499
"""What the log says of a request whose client went before its answer."""
