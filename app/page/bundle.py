"""The bundler: joins the page's modules into a few scripts, so that a first visit loads fewer.

Each request costs a browser milliseconds, however small the response. A module is joined as it was
written but for the comments on lines of their own, as a constant that holds its exports, after all
the modules that it imports:

    const $camera = (() => { ...the module...; return { pan, zoomAbout }; })();

A module that is imported dynamically becomes a script of its own. It holds what the first script
lacks, and imports the rest from there. Only those forms of `import` and `export` are understood
that this project's modules use; any other is refused, never served broken.
"""

import posixpath
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import chain

_IMPORT = re.compile(r"^import \{([^}]*)\} from '([^']+)';\n?", re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?function|const|class) (\w+)", re.MULTILINE)
_LATER = re.compile(r"(?<=await import\(')([^']+)(?='\))")
_COMMENT = re.compile(r"^ *(?:/\*(?:(?!\*/)[\s\S])*\*/|//.*) *\n", re.MULTILINE)
_STRANGE = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


class ScriptError(Exception):
    """A module cannot be joined; the message names it and says why."""


def join(modules: Mapping[str, str], start: str) -> dict[str, str]:
    """Join modules by their paths: into the script `start`, and one for each dynamic import.

    Raises:
        ScriptError: A module is missing, imports itself by way of others, or has an unknown form.
    """
    entries = [start]
    for entry in entries:
        for path in _all(modules, [entry]):
            later = [_resolve(path, name) for name in _LATER.findall(modules[path])]
            entries += [found for found in later if found not in entries]
    needs = {entry: _all(modules, [entry]) for entry in entries}
    counts = Counter(chain.from_iterable(needs[entry] for entry in entries[1:]))
    shared = [path for path, count in counts.items() if count > 1]
    first = list(dict.fromkeys([*_all(modules, sorted(shared)), *needs[start]]))
    joined = {start: _script(modules, first, start)}
    joined[start] += f"export {{ {', '.join(map(_name, first))} }};\n"
    for entry in entries[1:]:
        taken = [_name(path) for path in needs[entry] if path in first]
        own = [path for path in needs[entry] if path not in first]
        joined[entry] = (
            f"import {{ {', '.join(taken)} }} from '{_relative(start, entry)}';\n"
            + _script(modules, own, entry)
            + f"export const {{ {', '.join(_exports(modules[entry]))} }} = {_name(entry)};\n"
        )
    return joined


def _all(modules: Mapping[str, str], starts: Iterable[str]) -> list[str]:
    """Return modules and all that they import, each after those that it needs."""
    found: dict[str, None] = {}
    under_way: list[str] = []

    def visit(path: str) -> None:
        if path in found:
            return
        if path in under_way:
            raise ScriptError(f"{path} imports itself, by way of {', '.join(under_way)}")
        if path not in modules:
            whose = under_way[-1] if under_way else "the page"
            raise ScriptError(f"{whose} imports {path}, and there is no such module")
        under_way.append(path)
        for _, name in _IMPORT.findall(modules[path]):
            visit(_resolve(path, name))
        under_way.pop()
        found[path] = None

    for start in starts:
        visit(start)
    return list(found)


def _script(modules: Mapping[str, str], paths: Iterable[str], script: str) -> str:
    return "".join(_constant(path, modules[path], script) for path in paths)


def _constant(path: str, source: str, script: str) -> str:
    def take(match: re.Match[str]) -> str:
        names = match[1].replace(" as ", ": ")
        return f"const {{{names}}} = {_name(_resolve(path, match[2]))};\n"

    def later(match: re.Match[str]) -> str:
        return _relative(_resolve(path, match[1]), script)

    body = _EXPORT.sub(r"\1 \2", _LATER.sub(later, _IMPORT.sub(take, _COMMENT.sub("", source))))
    if strange := _STRANGE.search(body):
        raise ScriptError(f"{path}: {strange[0]!r} is a form that cannot be joined")
    exported = ", ".join(_exports(source))
    return f"// {path}\nconst {_name(path)} = (() => {{\n{body}\nreturn {{ {exported} }};\n}})();\n"


def _exports(source: str) -> list[str]:
    return [name for _, name in _EXPORT.findall(source)]


def _name(path: str) -> str:
    return "$" + re.sub(r"\W", "_", path.removesuffix(".js"))


def _resolve(path: str, name: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), name))


def _relative(path: str, script: str) -> str:
    """Return the name by which a script imports another."""
    name = posixpath.relpath(path, posixpath.dirname(script))
    return name if name.startswith(".") else f"./{name}"
