"""The geometry of latent space: planes, fields, neighbours and paths."""
