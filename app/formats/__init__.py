"""Formats: what clients send becomes arrays, and arrays become what they get."""
