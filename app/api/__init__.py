"""The HTTP interface, one file a feature: its schema above its route."""
