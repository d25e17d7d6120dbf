"""What the fuzzer calls for each file that it makes up. Run by `fuzz_images`; needs atheris.

The command line is libFuzzer's, with the program by which it starts itself again before it.
"""

import sys

import atheris  # type: ignore[import-untyped, import-not-found, unused-ignore]

with atheris.instrument_imports(
    include=[
        "PIL",
        "app.formats.image_files",
        "app.formats.image_limits",
        "model.data.pictures",
        "model.data.preparation",
        "model.data.steps",
        "model.data.strokes",
        "model.data.pieces",
    ]
):
    from PIL import Image

    Image.init()  # its readers, which else are imported when they are needed

    from app.formats.image_files import prepare
    from model.data.datasets import FASHION_MNIST, MNIST, Form
    from model.errors import ImageError
    from model.image_shape import ImageShape

PHOTOGRAPHS = Form(ImageShape(48, 64, 3), "photo")


def check(content: bytes) -> None:
    """Read a file as each kind of upload: whatever comes is an image of its shape, or refused."""
    for form in (MNIST.form, FASHION_MNIST.form, PHOTOGRAPHS):
        try:
            image = prepare(content, form).image
        except ImageError:
            return
        assert image.shape == form.image.axes
        assert ((image >= 0) & (image <= 1)).all()


if __name__ == "__main__":
    atheris.Setup(sys.argv[1:], check)
    atheris.Fuzz()
