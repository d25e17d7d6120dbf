"""What an operator can set. The only reader of the environment.

Every setting has a default, an environment variable `EXPLORER_<NAME>` and a flag `--<name>`.
"""

import difflib
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import Field, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, get_origin

PREFIX = "EXPLORER_"
ROOT = Path(__file__).resolve().parent.parent
"""The checkout: where `checkpoints`, `static` and `templates` lie."""


class SettingsError(ValueError):
    """A setting has a value that cannot work; the message is a sentence for the operator."""


def _setting(default: Any, meaning: str) -> Any:
    return field(default=default, metadata={"meaning": meaning})


Rule = tuple[Callable[[Any], bool], str]
"""Whether a value, or a part of a tuple, is allowed, and what is allowed."""

_ANY: Rule = (lambda _: True, "")
_ORIGIN: Rule = (
    lambda origin: origin == "*" or re.fullmatch("https?://[^/]*", origin) is not None,
    "give https://example.org, no path, or *",
)
_BY_TYPE: dict[object, Rule] = {
    int: (lambda value: value >= 1, "it must be at least 1"),
    float: (lambda value: 0 < value < math.inf, "it must be above 0 and finite"),
}
_RULES: dict[str, Rule] = {
    "port": (lambda port: 0 <= port <= 65535, "a port lies in 0..65535"),
    "workers": (lambda count: count >= 1, "at least 1 process must run"),
    "root_path": (
        lambda path: path == "" or (path[0] == "/" and path[-1] != "/"),
        "it starts with a slash and does not end with one, such as /explorer",
    ),
    "drain_seconds": (lambda value: 0 <= value < math.inf, "it must be at least 0 and finite"),
    "allowed_hosts": (
        lambda host: host == "*" or "*" not in host.removeprefix("*."),
        "give example.org, *.example.org or *",
    ),
    "allowed_origins": _ORIGIN,
    "cors_origins": _ORIGIN,
    "frame_ancestors": (
        lambda origin: origin == "*" or re.fullmatch(r"https?://[^/;\s]+", origin) is not None,
        "give https://example.org, https://*.example.org, no path, or *",
    ),
    "log_format": (lambda form: form in ("text", "json"), "text or json"),
    "log_level": (
        lambda level: level in ("debug", "info", "warning", "error"),
        "debug, info, warning or error",
    ),
    "follow": (lambda value: value in ("on", "off"), "on or off"),
    "metrics": (lambda value: value in ("on", "off"), "on or off"),
}
"""Of settings for which their type's rule does not do."""


@dataclass(frozen=True)
class Settings:
    """All settings of one server; `meaning` in a field's metadata says what it does."""

    host: str = _setting("127.0.0.1", "address to listen on; 0.0.0.0 is every interface")
    port: int = _setting(8000, "port to listen on; 0 takes any free one")
    device: str = _setting(
        "auto", "auto, cpu, cuda, cuda:N or mps; auto takes a GPU if there is one"
    )
    checkpoints: Path = _setting(ROOT / "checkpoints", "folder that holds one folder a model")
    default_model: str = _setting(
        "mnist-vae-2d", "model the page opens; must load, or nothing starts"
    )
    models: tuple[str, ...] = _setting((), "models to offer, by name; empty offers all there are")
    follow: str = _setting(
        "off", "on or off; on reloads the default model whenever its checkpoint is replaced"
    )
    workers: int = _setting(1, "processes; each loads its own models")
    trusted_proxies: tuple[str, ...] = _setting(
        ("127.0.0.1",),
        "addresses or networks whose X-Forwarded-For, -Host and -Proto are believed; * all",
    )
    root_path: str = _setting("", "path under which a proxy shows the server, such as /explorer")
    max_body_bytes: int = _setting(16 * 2**20, "largest request body")
    max_bodies_bytes: int = _setting(
        128 * 2**20, "memory for all request bodies above 64 KiB together, in each worker"
    )
    max_connections: int = _setting(1000, "most requests and streams open at once, in each worker")
    max_streams: int = _setting(500, "most streams open at once, in each worker")
    max_queue: int = _setting(
        8192, "most latents of small requests waiting, for each model in each worker"
    )
    max_wait_seconds: float = _setting(
        5.0, "longest that a request may have to wait for others, as foreseen when it comes"
    )
    model_memory_bytes: int = _setting(
        320 * 2**20, "memory for loaded models in each worker; the longest idle make room"
    )
    tile_cache_bytes: int = _setting(
        64 * 2**20, "memory for finished tiles and fields in each worker; the longest unused go"
    )
    request_timeout_seconds: float = _setting(
        30.0, "longest time from a request's head to its answer's"
    )
    stream_idle_seconds: float = _setting(
        600.0, "a stream on which nothing came for so long is closed; the page opens it again"
    )
    allowed_hosts: tuple[str, ...] = _setting(
        ("*",), "Host headers answered; *.example.org takes subdomains"
    )
    allowed_origins: tuple[str, ...] = _setting(
        (), "origins that may open streams besides the own; * is all"
    )
    cors_origins: tuple[str, ...] = _setting(
        (), "origins whose scripts may call the REST API; * is all"
    )
    frame_ancestors: tuple[str, ...] = _setting(
        (), "origins whose pages may show the explorer in a frame besides the own; * is all"
    )
    log_format: str = _setting("text", "text or json")
    log_level: str = _setting(
        "info", "debug, info, warning or error; warning logs only refused and failed requests"
    )
    metrics: str = _setting("on", "on or off; on counts, and answers /metrics")
    metrics_folder: str = _setting(
        "", "folder in which workers add up their metrics; empty makes one for the run"
    )
    drain_seconds: float = _setting(
        0.0, "how long a SIGTERM lets requests in, with /readyz at 503, before the port closes"
    )

    def __post_init__(self) -> None:
        for setting in fields(self):
            name, value = setting.name, getattr(self, setting.name)
            holds, rule = _RULES.get(name) or _BY_TYPE.get(setting.type, _ANY)
            for part in value if isinstance(value, tuple) else (value,):
                if not holds(part):
                    raise SettingsError(f"{variable(name)} is {part!r}; {rule}.")

    @classmethod
    def read(cls, environment: Mapping[str, str], **flags: str | None) -> "Settings":
        """Take each setting from its flag, else from the environment, else its default.

        Raises:
            SettingsError: a value is of the wrong kind, or out of bounds.
        """
        values = {}
        for setting in fields(cls):
            text = flags.get(setting.name)
            if text is None:
                text = environment.get(variable(setting.name))
            if text is not None:
                values[setting.name] = _parse(setting, text.strip())
        return cls(**values)

    def as_environment(self) -> dict[str, str]:
        """Give the variables from which `read` makes these settings again, in a worker."""
        return {
            variable(name): ",".join(value) if isinstance(value, tuple) else str(value)
            for name, value in asdict(self).items()
        }


def variable(name: str) -> str:
    """Name the environment variable of a setting."""
    return PREFIX + name.upper()


def unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """Say of each `EXPLORER_` variable that is no setting what may have been meant."""
    known = [variable(setting.name) for setting in fields(Settings)]
    sentences = []
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            sentences.append(f"{name} is not a setting{hint}")
    return sentences


def _parse(setting: Field[Any], text: str) -> Any:
    if get_origin(setting.type) is tuple:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    assert isinstance(setting.type, type)
    try:
        return setting.type(text)
    except ValueError:
        kind = "a whole number" if setting.type is int else "a number"
        raise SettingsError(f"{variable(setting.name)} is {text!r}; it must be {kind}.") from None
