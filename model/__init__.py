"""Variational autoencoders: mathematics, data, training, evaluation. No web, no `app`."""
