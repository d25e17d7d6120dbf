"""Images of one's own, from a folder to a map."""
