"""Bytes to arrays and back: what clients send and get."""
