"""The public API: what ``import mar_edge`` offers beyond the wire. docs/api.md describes it; labels are names here."""
