"""The data sets: their registry, their files, and how to get them."""
