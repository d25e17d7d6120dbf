"""The web server of Latent Explorer: bytes in, bytes out. No mathematics, no torch."""
