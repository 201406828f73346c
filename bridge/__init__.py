"""The road from a publisher to other systems: a subscription, a filter, a journal on disk, and one sink."""
