"""Measures of a trained model, taken on its stored weights."""
