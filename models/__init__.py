"""Speech models: named, pinned by sha256, found or fetched. Imports no other package of ours."""

from models.errors import ModelAbsent, ModelCorrupt, ModelError, ModelUnobtainable, UnknownModel
from models.store import ModelStatus, ModelStore, Progress
from models.verification import FileCheck

__all__ = [
    "FileCheck",
    "ModelAbsent",
    "ModelCorrupt",
    "ModelError",
    "ModelStatus",
    "ModelStore",
    "ModelUnobtainable",
    "Progress",
    "UnknownModel",
]
