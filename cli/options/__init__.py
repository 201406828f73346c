"""Groups of options that commands share, each a dataclass: its fields are options, its methods say what they mean."""
