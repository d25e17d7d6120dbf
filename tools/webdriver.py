"""Firefox and WebKitGTK as Debian ships them, driven by WebDriver.

`python -m tools.webdriver` installs them, for root. Both protocols of WebDriver describe what hands
do in the same words: Firefox speaks the newer one, BiDi, by itself, and WebKit's driver the older
one, over HTTP. Both browsers prefer reduced motion here.
"""

import base64
import itertools
import json
import os
import re
import shutil
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import httpx
from websockets.sync.client import connect

from tools.chromium import IS_ROOT, apt_install
from tools.server import free_port

PACKAGES = {
    "firefox-esr": "firefox-esr",
    "WebKitWebDriver": "webkit2gtk-driver",
    "Xvfb": "xvfb",
}
"""The Debian package of each program."""

CALL = "async (given) => JSON.stringify(await ({function})(...JSON.parse(given))) ?? 'null'"
KEYS = {
    "ArrowLeft": "\ue012",
    "ArrowUp": "\ue013",
    "ArrowRight": "\ue014",
    "ArrowDown": "\ue015",
    "Home": "\ue011",
}

TRIES = 100
"""Of a window to take a size; it tells the page of it a little later."""

Place = tuple[float, float]


class DriverError(Exception):
    """A browser did not do what it was told; the message is the browser's."""


class Browser(ABC):
    """A browser with one page, open while its context is.

    Args:
        folder: An empty one, in which it keeps all that it writes.
    """

    name: str
    version: str

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.downloads = folder / "Downloads"
        self.downloads.mkdir()
        self.log = folder / "log"
        self._ends = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as ends:
            self._start(ends)
            self._ends = ends.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._ends.close()

    def evaluate(self, function: str, *arguments: Any) -> Any:
        """Call a JavaScript function in the page, and await what it returns."""
        return json.loads(self._call(CALL.format(function=function), json.dumps(arguments)))

    def drag(self, *places: Place, steps: int = 8) -> None:
        """Press the mouse at the first place, lead it through the others, and let it go."""
        # From the corner: WebKit leaves out a move to where it has left the mouse.
        down = {"type": "pointerDown", "button": 0}
        way: list[dict[str, Any]] = [_move((1, 1)), _move(places[0]), down]
        for (x0, y0), (x1, y1) in itertools.pairwise(places):
            parts = [step / steps for step in range(1, steps + 1)]
            way += [_move((x0 + (x1 - x0) * part, y0 + (y1 - y0) * part)) for part in parts]
        self._act("pointer", [*way, {"type": "pointerUp", "button": 0}])

    def click(self, place: Place) -> None:
        """Click at a place."""
        self.drag(place)

    def press(self, key: str) -> None:
        """Press and let go a key, by its name in `KEYS` or the character that it types."""
        value = KEYS.get(key, key)
        self._act("key", [{"type": kind, "value": value} for kind in ("keyDown", "keyUp")])

    def turn_wheel(self, place: Place, down: int) -> None:
        """Turn the wheel of the mouse over a place, by so many pixels."""
        x, y = map(round, place)
        self._act("wheel", [{"type": "scroll", "x": x, "y": y, "deltaX": 0, "deltaY": down}])

    def _act(self, kind: str, actions: list[dict[str, Any]]) -> None:
        self._perform([{"type": kind, "id": kind, "actions": actions}])

    @abstractmethod
    def _start(self, ends: ExitStack) -> None:
        """Start, and enter into `ends` what ends all that was started."""

    @abstractmethod
    def _call(self, function: str, given: str) -> str: ...

    @abstractmethod
    def _perform(self, sources: list[dict[str, Any]]) -> None: ...

    @abstractmethod
    def resize(self, width: int, height: int) -> None:
        """Make the page so large."""

    @abstractmethod
    def open(self, url: str) -> None:
        """Go to an address, and wait for its load event."""

    @abstractmethod
    def choose_file(self, selector: str, file: Path) -> None:
        """Choose a file in an input of the page."""

    @abstractmethod
    def screenshot(self) -> bytes:
        """Return what is seen of the page, as PNG."""


class Firefox(Browser):
    """Firefox ESR without a window, by WebDriver BiDi."""

    name = "Firefox"

    def _start(self, ends: ExitStack) -> None:
        preferences = {
            "browser.download.folderList": 2,
            "browser.download.dir": str(self.downloads),
            "ui.prefersReducedMotion": 1,
            # It asks nothing of any other host by itself.
            "app.normandy.enabled": False,
            "network.captive-portal-service.enabled": False,
            "network.connectivity-service.enabled": False,
        }
        lines = [f"user_pref({json.dumps(n)}, {json.dumps(v)});" for n, v in preferences.items()]
        (self.folder / "user.js").write_text("\n".join(lines))
        command = ["firefox-esr", "--headless", "--no-remote", "--remote-debugging-port", "0"]
        process = ends.enter_context(
            _running([*command, "--profile", str(self.folder)], self.log, os.environ)
        )
        address = _said(process, self.log, r"WebDriver BiDi listening on (ws://\S+)")
        self._numbers = itertools.count()
        self._socket = ends.enter_context(
            connect(f"{address}/session", max_size=None, proxy=None, close_timeout=1)
        )
        session = self._ask("session.new", capabilities={})
        self.version = session["capabilities"]["browserVersion"]
        self._page = self._ask("browsingContext.getTree")["contexts"][0]["context"]

    def _ask(self, method: str, **params: Any) -> Any:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            message = json.loads(self._socket.recv())
            if message.get("id") == number:
                if message["type"] == "error":
                    raise DriverError(message["message"])
                return message["result"]

    def _call(self, function: str, given: str) -> str:
        answer = self._ask(
            "script.callFunction",
            functionDeclaration=function,
            arguments=[{"type": "string", "value": given}],
            awaitPromise=True,
            target={"context": self._page},
        )
        if answer["type"] == "exception":
            raise DriverError(answer["exceptionDetails"]["text"])
        value: str = answer["result"]["value"]
        return value

    def _perform(self, sources: list[dict[str, Any]]) -> None:
        self._ask("input.performActions", context=self._page, actions=sources)

    def resize(self, width: int, height: int) -> None:
        size = {"width": width, "height": height}
        self._ask("browsingContext.setViewport", context=self._page, viewport=size)

    def open(self, url: str) -> None:
        self._ask("browsingContext.navigate", context=self._page, url=url, wait="complete")

    def choose_file(self, selector: str, file: Path) -> None:
        locator = {"type": "css", "value": selector}
        found = self._ask("browsingContext.locateNodes", context=self._page, locator=locator)
        element = {"sharedId": found["nodes"][0]["sharedId"]}
        self._ask("input.setFiles", context=self._page, element=element, files=[str(file)])

    def screenshot(self) -> bytes:
        taken = self._ask("browsingContext.captureScreenshot", context=self._page)
        return base64.b64decode(taken["data"])


class WebKit(Browser):
    """WebKitGTK's MiniBrowser on a display that nobody sees, by WebDriver."""

    name = "WebKitGTK"

    def _start(self, ends: ExitStack) -> None:
        config = self.folder / ".config"
        (config / "gtk-3.0").mkdir(parents=True)
        # Else the buttons above the page keep the window wider than a phone.
        (config / "gtk-3.0" / "gtk.css").write_text("* { min-width: 0; padding: 0; margin: 0; }")
        still = "[Settings]\ngtk-enable-animations=0\n"
        (config / "gtk-3.0" / "settings.ini").write_text(still)
        (config / "user-dirs.dirs").write_text(f'XDG_DOWNLOAD_DIR="{self.downloads}"')
        screen = ["Xvfb", "-displayfd", "1", "-screen", "0", "1920x1400x24", "-nolisten", "tcp"]
        display = self.folder / "display"
        process = ends.enter_context(_running(screen, display, os.environ))
        number = _said(process, display, r"(\d+)\n")
        environment = os.environ | {
            "DISPLAY": f":{number}",
            "HOME": str(self.folder),
            "XDG_CONFIG_HOME": str(config),
        }
        port = free_port()
        command = ["WebKitWebDriver", f"--port={port}"]
        ends.enter_context(_running(command, self.log, environment))
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=300)
        self._client = ends.enter_context(client)
        self._session = ""
        self._turned = 0
        browser = next(Path("/usr/lib").glob("*/webkit2gtk-4.1/MiniBrowser"))
        options = {"binary": str(browser), "args": ["--automation"]}
        wanted = {"alwaysMatch": {"webkitgtk:browserOptions": options}}
        session = self._ask("POST", "session", capabilities=wanted)
        self._session = f"session/{session['sessionId']}/"
        ends.callback(self._ask, "DELETE", "")
        self.version = session["capabilities"]["browserVersion"]
        self._ask("POST", "timeouts", script=300_000)

    def _ask(self, method: str, path: str, **body: Any) -> Any:
        address = f"{self._session}{path}".rstrip("/")
        answer = self._client.request(method, address, json=body or None).json()["value"]
        if isinstance(answer, dict) and "error" in answer:
            raise DriverError(f"{answer['error']}: {answer['message']}")
        return answer

    def _call(self, function: str, given: str) -> str:
        script = f"""
            const done = arguments[1];
            ({function})(arguments[0]).then(done, (error) => done({{ error: String(error) }}));
        """
        answer = self._ask("POST", "execute/async", script=script, args=[given])
        if isinstance(answer, dict):
            raise DriverError(answer["error"])
        value: str = answer
        return value

    def _perform(self, sources: list[dict[str, Any]]) -> None:
        self._ask("POST", "actions", actions=sources)

    def turn_wheel(self, place: Place, down: int) -> None:
        # It takes the figure for how far the wheel has turned since the session began.
        self._turned += down
        super().turn_wheel(place, self._turned)

    def resize(self, width: int, height: int) -> None:
        outer = {"width": width, "height": height}
        for _ in range(TRIES):
            self._ask("POST", "window/rect", **outer)
            now = self.evaluate("() => [innerWidth, innerHeight, outerWidth, outerHeight]")
            if now[:2] == [width, height]:
                return
            outer = {"width": width + now[2] - now[0], "height": height + now[3] - now[1]}
        raise DriverError(f"the page is {now[0]} x {now[1]} and will not be {width} x {height}")

    def open(self, url: str) -> None:
        self._ask("POST", "url", url=url)

    def choose_file(self, selector: str, file: Path) -> None:
        found = self._ask("POST", "element", using="css selector", value=selector)
        [element] = found.values()
        self._ask("POST", f"element/{element}/value", text=str(file))

    def screenshot(self) -> bytes:
        return base64.b64decode(self._ask("GET", "screenshot"))


def _move(place: Place) -> dict[str, Any]:
    x, y = map(round, place)
    return {"type": "pointerMove", "x": x, "y": y, "duration": 16}


@contextmanager
def _running(
    command: list[str], log: Path, environment: dict[str, str] | os._Environ[str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program that writes to a file, until the context is left."""
    with (
        log.open("wb") as output,
        subprocess.Popen(command, stdout=output, stderr=output, env=environment) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()


def _said(process: subprocess.Popen[bytes], log: Path, pattern: str) -> str:
    """Wait until a program has written what matches a pattern; return its group.

    Raises:
        DriverError: It ended before.
    """
    while not (found := re.search(pattern, log.read_text())):
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.02)
            raise DriverError(f"{process.args!r} ended: {log.read_text()}")
    return found[1]


def get() -> None:
    """Install what is missing, where that asks nobody.

    Raises:
        SystemExit: Something is still missing; the message names it.
    """
    missing = [package for program, package in PACKAGES.items() if not shutil.which(program)]
    if missing and IS_ROOT and shutil.which("apt-get"):
        apt_install(*missing, "fonts-dejavu-core")
    if missing := [program for program in PACKAGES if not shutil.which(program)]:
        raise SystemExit(
            f"There is no {', no '.join(missing)}. On Debian, as root: "
            f"apt-get install {' '.join(PACKAGES[program] for program in missing)}"
        )


if __name__ == "__main__":
    get()
