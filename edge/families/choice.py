"""Which family a model file is of. Imports a family only where a model needs it."""

from __future__ import annotations

from mar_edge.edge.families.base import ModelFamily
from mar_edge.edge.layout import load_layout
from mar_edge.edge.model_file import ModelMetadata


def open_family(metadata: ModelMetadata) -> ModelFamily:
    """Return the family that a model's metadata names, for its layout."""
    match metadata.family:
        case "mmn":
            from mar_edge.edge.families.mmn import MmnFamily

            return MmnFamily(load_layout(metadata.layout))
        case "manet":
            from mar_edge.edge.families.manet import ManetFamily

            return ManetFamily()
