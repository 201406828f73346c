"""Published models by name: the list of them, and how their files come to this machine."""
