"""Models in memory, and the queues of requests that wait for them."""
