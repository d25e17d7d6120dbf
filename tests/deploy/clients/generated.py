"""What a program does with a client that openapi-python-client has made, as the package `made`."""

import json
import sys

from made import Client
from made.api.decode import decode
from made.api.inference import infer
from made.api.interpolate import interpolate
from made.models import (
    DecodeJsonBody,
    DecodeResponse,
    InferenceResponse,
    InferJsonBody,
    InterpolateBody,
    InterpolateResponse,
    Problem,
)

MODEL = "mnist-vae-2d"

client = Client(base_url=sys.argv[1])
images = decode.sync(
    MODEL, client=client, body=DecodeJsonBody.from_dict({"latents": [[0.5, -1.2], [0, 0]]})
)
assert isinstance(images, DecodeResponse)
walk = {"start": {"latent": [-1, 0]}, "end": {"latent": [1, 0]}, "steps": 5}
path = interpolate.sync(MODEL, client=client, body=InterpolateBody.from_dict(walk))
assert isinstance(path, InterpolateResponse)
tensor = {"name": "latents", "datatype": "FP32", "shape": [1, 2], "data": [0.5, -1.2]}
inferred = infer.sync(
    f"{MODEL}.decoder",
    client=client,
    body=InferJsonBody.from_dict({"inputs": [tensor]}),
)
assert isinstance(inferred, InferenceResponse)
refused = decode.sync("nope", client=client, body=DecodeJsonBody.from_dict({"latents": [[0, 0]]}))
assert isinstance(refused, Problem)
(output,) = inferred.outputs
print(json.dumps([len(images.images), path.latents, output.shape, refused.status]))
