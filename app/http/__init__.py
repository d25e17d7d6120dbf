"""HTTP semantics that several routes share."""
