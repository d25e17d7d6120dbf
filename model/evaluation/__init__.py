"""Measures of a trained model, always on its stored weights."""
