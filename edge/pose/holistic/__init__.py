"""Body, hands and face by small networks that come with the package. ``stage`` joins them."""
