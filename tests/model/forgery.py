"""Checkpoints whose files are exchanged, and whose cards say so: their content is looked at."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

HASHES = {"model.safetensors": "sha256", "atlas.npz": "atlas_sha256"}
"""Of files whose hash stands in the card, the field."""


def rewrite_card(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change what the card of a checkpoint says."""
    path = folder / "card.json"
    card = json.loads(path.read_text(encoding="utf-8"))
    change(card)
    path.write_text(json.dumps(card), encoding="utf-8")


def forge(folder: Path, name: str, content: bytes) -> None:
    """Exchange a file, and put its hash into the card, as one would who wants to be believed."""
    (folder / name).write_bytes(content)
    if name in HASHES:
        digest = hashlib.sha256(content).hexdigest()
        rewrite_card(folder, lambda card: card.update({HASHES[name]: digest}))
