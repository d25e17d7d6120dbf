"""Two models of Keras 3 as two ONNX files.

    KERAS_BACKEND=torch python examples/export/keras_model.py --encoder e.keras --decoder d.keras
    --to my-vae

Keras has its channels last, the explorer first, so a `Permute` is put around each. Without
--encoder and --decoder small ones with fresh weights go the same way. It needs keras, and what
`Model.export` needs for ONNX: with PyTorch, torch, onnx and onnxscript.
"""

import argparse
from pathlib import Path

import keras
from keras import layers

LATENTS = 4


def small() -> tuple[keras.Model, keras.Model]:
    """Return an encoder, of a mean and a log-variance, and a decoder, of fresh weights."""
    image, latent = keras.Input((28, 28, 1)), keras.Input((LATENTS,))
    found = layers.Dense(32, "relu")(layers.Flatten()(image))
    encoder = keras.Model(image, [layers.Dense(LATENTS)(found), layers.Dense(LATENTS)(found)])
    drawn = layers.Dense(784, "sigmoid")(layers.Dense(32, "relu")(latent))
    return encoder, keras.Model(latent, layers.Reshape((28, 28, 1))(drawn))


def main() -> None:
    """Read the models and write them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoder", help="images -> mean and log-variance; a .keras file")
    parser.add_argument("--decoder", help="latents -> images from 0 to 1; a .keras file")
    parser.add_argument("--to", type=Path, required=True, help="where the two files are written")
    arguments = parser.parse_args()
    encoder, decoder = small()
    if arguments.encoder and arguments.decoder:
        encoder = keras.models.load_model(arguments.encoder)
        decoder = keras.models.load_model(arguments.decoder)
    height, width, channels = encoder.input_shape[1:]
    image = keras.Input((channels, height, width), name="image")
    latent = keras.Input(decoder.input_shape[1:], name="latent")
    first = keras.Model(image, encoder(layers.Permute((2, 3, 1))(image)))
    second = keras.Model(latent, layers.Permute((3, 1, 2))(decoder(latent)))
    arguments.to.mkdir(parents=True, exist_ok=True)
    for network, file in ((first, "encoder.onnx"), (second, "decoder.onnx")):
        network(keras.ops.zeros((1, *network.input_shape[1:])))  # export asks that it was called
        network.export(arguments.to / file, format="onnx", verbose=False)
    print(f"{arguments.to} has encoder.onnx and decoder.onnx.")


if __name__ == "__main__":
    main()
