"""The Open Inference Protocol (KServe V2) over REST: what its routes in `app.api` are made of."""
