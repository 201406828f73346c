"""The live page, reviews of recordings, annotation files and plots."""
