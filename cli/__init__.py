"""The command line. Each command is a file of its name; options that commands share are in ``cli/options``."""
