"""Agreement between two codings of the same recordings: machine and coder, or two coders."""
