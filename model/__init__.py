"""Variational autoencoders: mathematics, data, training, evaluation. No web, never imports `app`."""
