# Latent Explorer in a container: `docker build -t latent-explorer .`, then
# `docker run -p 8000:8000 latent-explorer`. Settings are EXPLORER_* variables.
ARG BASE=python:3.11-slim

FROM ${BASE} AS packages
# PyTorch for processors alone. Empty takes the package index's own build, with CUDA and ten times the size.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
WORKDIR /build
COPY pyproject.toml constraints.txt ./
RUN python3 -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --constraint constraints.txt pip \
    && /opt/venv/bin/pip install --no-cache-dir --constraint constraints.txt \
        ${TORCH_INDEX:+--extra-index-url "${TORCH_INDEX}"} --group serve

FROM ${BASE}
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    EXPLORER_HOST=0.0.0.0 \
    EXPLORER_PORT=8000
WORKDIR /srv/latent-explorer
COPY --from=packages /opt/venv /opt/venv
COPY LICENSE ./
COPY app app
COPY model model
COPY static static
COPY templates templates
COPY checkpoints checkpoints
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["python", "-c", "\
import os, urllib.request; \
urllib.request.urlopen('http://127.0.0.1:' + os.environ['EXPLORER_PORT'] + '/readyz', timeout=4)"]
CMD ["python", "-m", "app"]
