"""The errors of `model`, as one tree.

    ModelError
      + RecipeError       a recipe that cannot be read, or asks for what does not exist
      + DataError         training or test data that is missing, damaged or not what it claims
      + CheckpointError   a checkpoint folder that is incomplete, damaged or foreign
      + DeviceError       a device that this machine does not have
      + LatentError       latents of the wrong shape, not finite, or out of all bounds
      + UndecodableError  a vector for a model whose latents are not vectors
      + PlaneError        a plane, or a tile of it, that does not exist
      + ImageError        images of the wrong shape, or with levels outside [0, 1]
      + NetworkError      an ONNX file that is no encoder or decoder, or that may not be run

Each message is a sentence for the person who gave the input: what came, what is allowed, and the
way out. Broken invariants of the code itself are `assert`s, never one of these.
"""


class ModelError(Exception):
    """Base of all errors here; `str(error)` can be shown to a user."""


class RecipeError(ModelError):
    """A recipe cannot be read, or asks for what does not exist."""


class DataError(ModelError):
    """Training or test data is missing, damaged or not what it claims to be."""


class CheckpointError(ModelError):
    """A checkpoint folder is incomplete, damaged or foreign; the message names the file."""


class DeviceError(ModelError):
    """This machine does not have the device that was asked for."""


class LatentError(ModelError):
    """Latents have the wrong shape, are not finite, or lie out of all bounds."""


class UndecodableError(ModelError):
    """The model's latents are entries of a codebook; it decodes no vectors and has no plane."""


class PlaneError(ModelError):
    """A name describes no plane of the model, or a tile lies outside its extent."""


class ImageError(ModelError):
    """Images have the wrong shape, or grey levels outside [0, 1]."""


class NetworkError(ModelError):
    """An ONNX file is no encoder or decoder, or has what may not be run; the message names it."""
