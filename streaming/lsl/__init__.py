"""Lab Streaming Layer: events and joints for recorders of other signals, and markers of other programs."""
