"""What the codes preserve of the images: their classes and their neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.manifold import trustworthiness
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from model.data.datasets import LabelledImages
from model.evaluation.space import encode, intensities
from model.vae.autoencoder import Autoencoder

NEIGHBOURS = 15
FOLDS = 10
TRUSTED_NEIGHBOURS = 12
TRUSTED_IMAGES = 2000
SEED = 0


def measure_codes(autoencoder: Autoencoder, examples: LabelledImages) -> dict[str, Any]:
    """Measure how well codes predict the classes, and whether near codes mean near images.

    Returns:
        `knn_accuracy` and `linear_accuracy`, cross-validated over the codes; `trustworthiness`,
        1 if the nearest codes are of the nearest images, about 0.5 if they are of random ones.

    Source: Venna & Kaski 2001, "Neighborhood preservation in nonlinear projection methods"
    (trustworthiness).
    """
    image_NP = intensities(examples.images)
    code_ND = encode(autoencoder, image_NP).numpy()
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    neighbours = KNeighborsClassifier(NEIGHBOURS)
    linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    knn = cross_val_score(neighbours, code_ND, examples.labels, cv=folds)
    probe = cross_val_score(linear, code_ND, examples.labels, cv=folds)
    few = slice(TRUSTED_IMAGES)
    trust = trustworthiness(image_NP[few].numpy(), code_ND[few], n_neighbors=TRUSTED_NEIGHBOURS)
    return {
        "knn_accuracy": round(float(np.mean(knn)), 4),
        "linear_accuracy": round(float(np.mean(probe)), 4),
        "trustworthiness": round(float(trust), 4),
        "protocol": (
            f"{len(code_ND):,} test codes, {FOLDS} stratified folds, seed {SEED}: "
            f"{NEIGHBOURS} nearest neighbours by Euclidean distance, and a logistic regression on "
            f"standardised codes; trustworthiness: {TRUSTED_NEIGHBOURS} neighbours among the "
            f"first {len(code_ND[few]):,} images, Euclidean"
        ),
    }
