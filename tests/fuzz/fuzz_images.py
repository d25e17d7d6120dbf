"""Search for image files that the server fails on: `python -m tests.fuzz.fuzz_images --seconds N`.

Guided by what each file reaches in our code and in Pillow's. Starts from the files of `make` and
those in `images`, and adds to these the ones that reached more. Needs `pip install atheris`, which
has wheels for Linux; `make test` does not, and only replays what was found.
"""

import argparse
import importlib.util
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.fuzz.make import harmful, strange

FOUND = Path(__file__).parent / "images"
MOST_BYTES = 20_000
"""Of a file that the fuzzer makes; small ones are tried more often."""
LIMITS = (f"-max_len={MOST_BYTES}", "-timeout=20", "-rss_limit_mb=2048", "-print_final_stats=1")


def seeds() -> dict[str, bytes]:
    """The files to start from, by name."""
    made = {**strange(), **{name: content for name, (content, _) in harmful().items()}}
    small = {name: content for name, content in made.items() if len(content) <= MOST_BYTES}
    return {**small, **{path.name: path.read_bytes() for path in sorted(FOUND.glob("*"))}}


def search(folder: Path, seconds: int) -> None:
    """Fuzz, then keep in `FOUND` the fewest files that reach what the seeds do not."""
    grown, least = folder / "grown", folder / "least"
    for place in (grown, least):
        place.mkdir()
        for name, content in seeds().items():
            (place / name).write_bytes(content)
    program = folder / "target"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m tests.fuzz.image_target "$0" "$@"\n')
    program.chmod(0o700)
    target = [str(program), *LIMITS]
    failure = f"-artifact_prefix={Path.cwd()}/"
    subprocess.run([*target, f"-max_total_time={seconds}", failure, str(grown)], check=True)
    subprocess.run(
        [*target, "-set_cover_merge=1", "-use_counters=0", str(least), str(grown)], check=True
    )
    for path in least.iterdir():
        if path.name not in seeds():
            (FOUND / path.name[:12]).write_bytes(path.read_bytes())


def main() -> None:
    """Read the command line and search."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=300)
    seconds = parser.parse_args().seconds
    if importlib.util.find_spec("atheris") is None:
        raise SystemExit("The search needs atheris: .venv/bin/pip install atheris")
    with TemporaryDirectory() as folder:
        search(Path(folder), seconds)


if __name__ == "__main__":
    main()
