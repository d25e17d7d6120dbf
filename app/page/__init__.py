"""GET / with its files, and GET /docs."""
