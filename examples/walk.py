"""Walk through latent space from an image of yours to another digit, and save what you pass.

python examples/walk.py --image examples/seven.png --to 3 --out walk.gif
"""

# %% What to do, and where
import argparse
import io
import struct
from pathlib import Path

import httpx
import numpy as np
from PIL import Image

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--server", default="http://127.0.0.1:8000")
parser.add_argument("--model", default="mnist-vae-2d")
parser.add_argument("--image", type=Path, default=Path(__file__).with_name("seven.png"))
parser.add_argument("--to", default="3", help="name of a label: 3, or for clothes Dress")
parser.add_argument("--path", default="geodesic", choices=["linear", "spherical", "geodesic"])
parser.add_argument("--steps", type=int, default=24)
parser.add_argument("--out", type=Path, default=Path("walk.gif"), help="a GIF; the strip is a PNG")
args = parser.parse_args()

# A model's first geodesic takes a second or so, on a small machine a few.
client = httpx.Client(base_url=args.server, timeout=60)
model = f"/api/v1/models/{args.model}"

# %% Where does the model put the image?
with args.image.open("rb") as file:
    answer = client.post(f"{model}/encode", files={"file": file}).raise_for_status()
(item,) = answer.json()["items"]
start = item["mean"]
print("steps to 28 x 28:", ", ".join(step["name"] for step in item["steps"]))
print("code:", np.round(start, 2), " ELBO in nats:", item["elbo"]["total"])

# %% Where do the images of the other label lie? All codes come as bytes: counts, means, labels.
card = client.get(model).raise_for_status().json()
datasets = client.get("/api/v1/datasets").raise_for_status().json()["datasets"]
(names,) = (dataset["labels"] for dataset in datasets if dataset["id"] == card["dataset"])
if args.to not in names:
    raise SystemExit(f"There is no label {args.to}; there is {', '.join(names)}.")

content = client.get(f"{model}/codes").raise_for_status().content
count, dimensions = struct.unpack_from("<II", content)
codes = np.frombuffer(content, "<f4", count * dimensions, offset=8).reshape(count, dimensions)
labels = np.frombuffer(content, np.uint8, offset=8 + codes.nbytes)

there = codes[labels == names.index(args.to)]
middle = np.median(there, axis=0)
end = there[np.linalg.norm(there - middle, axis=1).argmin()].tolist()  # a real image's code
print(f"a typical {args.to}:", np.round(end, 2))

# %% How long is the way, and what does it look like to the decoder?
walk = {
    "start": {"latent": start},
    "end": {"latent": end},
    "steps": args.steps,
    "path": args.path,
}
path = client.post(f"{model}/interpolate", json=walk).raise_for_status().json()
print(f"{args.path} path, {sum(path['step_lengths']):.1f} long in the metric {path['metric']}")
print(f"the image changes by {sum(path['seen_lengths']):.1f} on the way")

# %% The same walk as pictures: the server makes them if asked for them.
film = client.post(f"{model}/interpolate", json=walk, headers={"Accept": "image/gif"})
args.out.write_bytes(film.raise_for_status().content)

strip = client.post(f"{model}/interpolate", json=walk, headers={"Accept": "image/png"})
picture = Image.open(io.BytesIO(strip.raise_for_status().content))
few = picture.resize((2 * picture.width, 2 * picture.height), Image.Resampling.NEAREST)
few.save(args.out.with_suffix(".png"))
print(f"{args.out} and {args.out.with_suffix('.png')} are written")
client.close()
