"""Files: where caches are, how files are written whole, and how their content is checked."""
