"""The API's types for the page: `python -m tools.api_types` writes them, `--check` compares.

They come from the OpenAPI document of the server itself, so page and server cannot drift apart.
"""

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from app.main import create_app
from app.settings import Settings

TYPES = Path("static/js/api-types.d.ts")


def generate(folder: Path) -> str:
    """Return the TypeScript declarations of all that the server takes and answers."""
    document, types = folder / "openapi.json", folder / "types.d.ts"
    document.write_text(json.dumps(create_app(Settings()).openapi()))
    translate = [sys.executable, "-m", "tools.node", "openapi-typescript", str(document)]
    subprocess.run([*translate, "--output", str(types)], check=True, stdout=subprocess.DEVNULL)
    return types.read_text()


def main() -> None:
    """Write the file, or with `--check` fail if it is not what would be written."""
    with TemporaryDirectory() as folder:
        wanted = generate(Path(folder))
    if "--check" not in sys.argv:
        TYPES.write_text(wanted)
    elif not TYPES.exists() or TYPES.read_text() != wanted:
        raise SystemExit(f"{TYPES} is not what the API says. Run `make fix` and commit it.")


if __name__ == "__main__":
    main()
