import re

import pytest

from app.page.bundle import ScriptError, join
from app.page.routes import STATIC

MODULES = {
    "main.js": "import { a as first } from './a.js';\nimport { hold } from './deep/b.js';\n"
    "first(hold);",
    "a.js": "export const a = (b) => b;\nexport class Unused {}\n",
    "deep/b.js": "import {\n  a,\n} from '../a.js';\n"
    "export async function hold() {\n  return await import('../later/c.js');\n}",
    "later/c.js": "import { a } from '../a.js';\nimport { own } from '../own.js';\n"
    "export function run() { return a(own); }",
    "own.js": "export const own = 1;",
}


def test_each_module_comes_once_and_after_what_it_imports() -> None:
    joined = join(MODULES, "main.js")
    assert re.findall(r"^// (.*)", joined["main.js"], re.M) == ["a.js", "deep/b.js", "main.js"]
    assert "const { a: first } = $a;" in joined["main.js"]
    assert "return { a, Unused };" in joined["main.js"]


def test_what_is_imported_later_has_a_script_that_takes_the_rest_from_the_first() -> None:
    joined = join(MODULES, "main.js")
    assert list(joined) == ["main.js", "later/c.js"]
    assert "await import('./later/c.js')" in joined["main.js"], "from where the script is"
    assert re.findall(r"^// (.*)", joined["later/c.js"], re.M) == ["own.js", "later/c.js"]
    assert joined["later/c.js"].startswith("import { $a } from '../main.js';")
    assert joined["later/c.js"].endswith("export const { run } = $later_c;\n")


def test_what_two_later_scripts_need_is_with_the_first() -> None:
    """Otherwise each script would have a copy, and would not see the state of the other's."""
    second = "await import('./later/c.js'); await import('./later/d.js');"
    other = "import { own } from '../own.js';\nexport const d = own;"
    joined = join({**MODULES, "main.js": second, "later/d.js": other}, "main.js")
    assert "const $own" in joined["main.js"]
    assert "const $own" not in joined["later/c.js"] + joined["later/d.js"]


def test_comments_on_lines_of_their_own_are_left_out_and_code_beside_them_is_not() -> None:
    source = (
        "/**\n * Says what it is.\n */\nexport const own = /** @type {1} */ (1); // stays\n"
        "// goes\n/** @type {any} */ (globalThis).name = `\n`;\n  /* goes too */\nown;\n"
    )
    joined = join({"main.js": source}, "main.js")["main.js"]
    assert "const own = /** @type {1} */ (1); // stays\n" in joined
    assert "/** @type {any} */ (globalThis).name = `\n`;\nown;\n" in joined
    assert "Says" not in joined
    assert "goes" not in joined


@pytest.mark.parametrize(
    ("name", "source", "says"),
    [
        ("a.js", "import { hold } from './deep/b.js';", "imports itself"),
        ("a.js", "import { x } from './none.js';", "a.js imports none.js"),
        ("a.js", "import x from './own.js';", "a.js: .* cannot be joined"),
        ("a.js", "import './own.js';", "cannot be joined"),
        ("a.js", "export default 1;", "cannot be joined"),
        ("a.js", "export let changing = 1;", "cannot be joined"),
        ("a.js", "export { own } from './own.js';", "cannot be joined"),
    ],
)
def test_a_form_that_it_does_not_know_is_refused(name: str, source: str, says: str) -> None:
    with pytest.raises(ScriptError, match=says):
        join({**MODULES, name: source}, "main.js")


def test_no_module_of_the_page_is_left_out() -> None:
    modules = {
        path.relative_to(STATIC).as_posix(): path.read_text() for path in STATIC.rglob("*.js")
    }
    text = "\n".join(join(modules, "js/main.js").values())
    assert sorted(re.findall(r"^// (js/.*)", text, re.M)) == sorted(modules)
