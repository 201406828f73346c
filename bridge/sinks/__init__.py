"""Where a bridge sends messages: the contract in ``base``, one file per kind."""
