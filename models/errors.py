"""What goes wrong with models; every message names the file and the command that mends it."""

from __future__ import annotations


class ModelError(Exception):
    """Base of everything the model store raises."""


class UnknownModel(ModelError):
    """The name is neither in the manifest, nor a CTranslate2 folder, nor a hub name."""


class ModelAbsent(ModelError):
    """A file of the model is not in the models folder."""


class ModelCorrupt(ModelError):
    """A file's size or sha256 is not the one it is held to."""


class ModelUnobtainable(ModelError):
    """Neither the installed wheels nor the hub gave the file, or the models folder cannot be written."""
