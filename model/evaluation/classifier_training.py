"""`python -m model.evaluation.classifier_training DATASET`: train and measure a classifier.

Shapes: B batch, N images, C classes.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

from model.checkpoint import sha256
from model.data.datasets import LabelledImages, find, test_set, train_set
from model.evaluation.classifier import (
    CLASSIFIERS,
    RECOGNISED,
    ClassifierNetwork,
    load_classifier,
)
from model.evaluation.lessons import distort, lessons, noise, shuffle_pieces
from model.evaluation.samples import compare

SEED = 0
BATCH = 128
HELD_OUT = 10_000
"""The last training images, for the temperature and the floor; they are never trained on."""


@dataclass(frozen=True)
class Plan:
    """How a classifier is trained on a data set."""

    epochs: int
    motion: float
    """See `distort`: digits may be anywhere and slanted, clothes lie straight."""
    mirror: bool


PLANS = {
    "mnist": Plan(epochs=9, motion=1.0, mirror=False),
    "fashion-mnist": Plan(epochs=12, motion=0.3, mirror=True),
}


def fit(examples: LabelledImages, plan: Plan) -> ClassifierNetwork:
    """Train a network on these images."""
    torch.manual_seed(SEED)
    rng = torch.Generator().manual_seed(SEED)
    network = ClassifierNetwork()
    image_NHW, label_N = _tensors(examples)
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=1e-3)
    steps = plan.epochs * math.ceil(len(image_NHW) / BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, steps)
    for epoch in range(plan.epochs):
        total = 0.0
        for part in torch.split(torch.randperm(len(image_NHW), generator=rng), BATCH):
            distorted_BHW = distort(image_NHW[part], rng, motion=plan.motion, mirror=plan.mirror)
            image_BHW, answer_BC = lessons(distorted_BHW, label_N[part], rng)
            loss = F.cross_entropy(network(image_BHW.flatten(1)), answer_BC)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
            total += loss.item() * len(part)
        print(f"epoch {epoch + 1}/{plan.epochs}: loss {total / len(image_NHW):.4f}", flush=True)
    network.eval()
    return network


@torch.no_grad()
def normalise_features(network: ClassifierNetwork, examples: LabelledImages) -> None:
    """Scale the features so that their mean square is 1, without changing the classifier's output.

    Distances between features have no natural unit, and the cubic kernel needs one.
    """
    image_NHW, _ = _tensors(examples)
    parts = torch.split(image_NHW, BATCH)
    features_NF = torch.cat([network.features(part.flatten(1)) for part in parts])
    size = features_NF.square().mean().sqrt()
    widening = network.body[-2]
    assert isinstance(widening, nn.Linear)
    widening.weight.div_(size)
    widening.bias.div_(size)
    network.head.weight.mul_(size)


@torch.no_grad()
def calibrate(network: ClassifierNetwork, examples: LabelledImages) -> float:
    """Divide the logits by the temperature that fits images never trained on; return it.

    Source: Guo et al. 2017, arXiv:1706.04599, section 4.2.
    """
    image_NHW, label_N = _tensors(examples)
    logits_NC = torch.cat([network(part.flatten(1)) for part in torch.split(image_NHW, BATCH)])
    temperatures = [math.exp(step / 50) for step in range(-100, 51)]
    losses = [F.cross_entropy(logits_NC / t, label_N).item() for t in temperatures]
    best = temperatures[int(np.argmin(losses))]
    network.head.weight.div_(best)
    network.head.bias.div_(best)
    return best


def measure(dataset: str) -> dict[str, Any]:
    """Measure the stored classifier on the test images, whole, blended and shuffled."""
    classifier = load_classifier.__wrapped__(dataset)
    image_NHW, label_N = _tensors(test_set(dataset))
    rng = torch.Generator().manual_seed(SEED)
    confidence_N, answer_N = classifier.probabilities(image_NHW.flatten(1)).max(-1)
    right_N, sure_N = answer_N == label_N, confidence_N >= RECOGNISED
    partner_N = torch.randperm(len(label_N), generator=rng)
    other_N = label_N != label_N[partner_N]
    blend_MHW = (image_NHW[other_N] + image_NHW[partner_N][other_N]) / 2

    def sure(image_NHW: Tensor) -> Tensor:
        return classifier.probabilities(image_NHW.flatten(1)).amax(-1) >= RECOGNISED

    shares = {
        "accuracy": right_N,
        "recognised": sure_N,
        "accuracy_of_recognised": right_N[sure_N],
        "blends_recognised": sure(blend_MHW),
        "shuffled_recognised": sure(shuffle_pieces(image_NHW, rng)),
        "noise_recognised": sure(noise(len(image_NHW), rng)),
    }
    gaps = [
        (right_N[part].float().mean() - confidence_N[part].mean()).abs() * len(part)
        for part in torch.split(confidence_N.argsort(), len(label_N) // 15 + 1)
    ]
    return {
        **{name: round(share.float().mean().item(), 4) for name, share in shares.items()},
        "calibration_error": round((torch.stack(gaps).sum() / len(label_N)).item(), 4),
        "protocol": (
            f"all {len(label_N):,} test images; recognised: confidence at least {RECOGNISED}; "
            "blends: the mean of two images of different classes; shuffled: sixteen pieces in any "
            "order, any paleness; noise: grains of 1, 2 and 4 pixels; "
            "calibration error: |accuracy - confidence| over 15 equal bins"
        ),
    }


def measure_floor(dataset: str, held_out: LabelledImages) -> dict[str, Any]:
    """Measure the distance of real images from real images, in the classifier's features."""
    classifier = load_classifier.__wrapped__(dataset)
    real_NP, other_NP = (
        _tensors(examples)[0].flatten(1) for examples in (test_set(dataset), held_out)
    )
    return {
        **compare(classifier.features(real_NP), classifier.features(other_NP)),
        "protocol": (
            f"the last {len(other_NP):,} training images, which the classifier was not trained "
            f"on, against {len(real_NP):,} test images; measured when it was trained"
        ),
    }


def _tensors(examples: LabelledImages) -> tuple[Tensor, Tensor]:
    images = torch.from_numpy(examples.images.copy()).float() / 255
    return images, torch.from_numpy(examples.labels.copy()).long()


def main(arguments: list[str] | None = None) -> None:
    """Train, calibrate, store and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", choices=PLANS)
    parser.add_argument("--only-measure", action="store_true", help="keep the stored weights")
    parsed = parser.parse_args(arguments)
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    whole = train_set(parsed.dataset)
    kept = LabelledImages(whole.images[:-HELD_OUT], whole.labels[:-HELD_OUT])
    held_out = LabelledImages(whole.images[-HELD_OUT:], whole.labels[-HELD_OUT:])
    path = CLASSIFIERS / f"{parsed.dataset}.json"
    if parsed.only_measure:
        facts = json.loads(path.read_text(encoding="utf-8"))
    else:
        facts = train(parsed.dataset, kept, held_out, PLANS[parsed.dataset])
    facts["test"] = measure(parsed.dataset)
    facts["floor"] = measure_floor(parsed.dataset, held_out)
    path.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(facts, indent=1))


def train(
    dataset: str,
    kept: LabelledImages,
    held_out: LabelledImages,
    plan: Plan,
    folder: Path = CLASSIFIERS,
) -> dict[str, Any]:
    """Fit and calibrate a classifier; store its weights, return and store its first facts."""
    source, start = find(dataset), time.monotonic()
    network = fit(kept, plan)
    normalise_features(network, held_out)
    temperature = calibrate(network, held_out)
    tensors = {name: t.half().contiguous() for name, t in network.state_dict().items()}
    weights = save_tensors(tensors)
    facts = {
        "dataset": dataset,
        "sha256": sha256(weights),
        "training": {
            "images": f"the first {len(kept.images):,} training images; temperature by the rest",
            "data_sha256": {n: h for n, h in source.sha256.items() if n.startswith("train")},
            **asdict(plan),
            "seed": SEED,
            "temperature": round(temperature, 4),
            "torch": torch.__version__,
            "seconds": round(time.monotonic() - start),
        },
    }
    folder.mkdir(exist_ok=True)
    (folder / f"{dataset}.safetensors").write_bytes(weights)
    (folder / f"{dataset}.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    return facts


if __name__ == "__main__":
    main()
