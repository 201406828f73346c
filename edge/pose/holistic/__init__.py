"""Body, hands and face by small networks that ship with the package; ``stage`` joins them."""
