"""The checks that every request passes before any route."""
