"""Writers of annotation files, one module for each program: timelines in, bytes out."""
