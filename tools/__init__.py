"""What `make`, the tests and the benchmarks need around the project: Node, Chromium, a server."""
