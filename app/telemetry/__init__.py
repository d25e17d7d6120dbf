"""The access log, logging, and the counters behind /metrics."""
