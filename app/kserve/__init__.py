"""The Open Inference Protocol (KServe V2) over REST: its routes, messages and endpoints."""
