"""How the process listens, starts, stops and is supervised."""
