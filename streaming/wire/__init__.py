"""The label stream over ZeroMQ: messages, publisher, subscriber, relay, keys."""
