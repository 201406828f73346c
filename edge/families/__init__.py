"""Model families: what a kind of network is given of a person's recent past. The contract is in ``base``."""
