"""Image files: an upload is read within bounds, and brought to what a model was trained on."""

from app.formats.image_limits import BoundedFile
from model.engine import AS_SEEN, Form, Prepared, Reading, open_picture, prepare_picture

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")


def prepare(
    content: bytes, form: Form, *, reading: Reading = AS_SEEN, with_steps: bool = True
) -> Prepared:
    """Read an image file and bring it to the form of a data set's images.

    An image that has this form already stays as it is. Without `with_steps`, `steps` is empty.

    Raises:
        ImageError: It is no image of an accepted format, too large, damaged or blank.
    """
    file = BoundedFile(content)
    picture = open_picture(file, FORMATS)
    file.allow_body()
    return prepare_picture(picture, form, reading, with_steps=with_steps)
