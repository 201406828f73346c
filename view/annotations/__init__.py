"""Events as files of the programs that behaviour is annotated with, one a module: timelines in, bytes out."""
