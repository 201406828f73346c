"""A service in operation: health, metrics, logs, signals, limits."""
