# Latent Explorer in a container: `docker build -t latent-explorer .`, then
# `docker run -p 8000:8000 latent-explorer`. Settings are EXPLORER_* variables; nothing is written but
# to /tmp. `--target cuda` makes the image for NVIDIA GPUs. Without a daemon: deploy/image.sh.
#
# Behind a mirror: BASE and TORCH_INDEX, and PIP_INDEX_URL or `--secret id=pip,src=pip.conf`.
# Where the source lies, you say: `--label org.opencontainers.image.source=URL`.
ARG BASE=python:3.11-slim

# Whatever modes they had in the checkout: all can read, and nobody but root can write.
FROM ${BASE} AS checkpoints
COPY checkpoints /checkpoints
RUN chmod -R a=rX,u+w /checkpoints

FROM ${BASE} AS code
WORKDIR /code
COPY LICENSE ./
COPY templates templates
COPY static static
COPY model model
COPY app app
RUN chmod -R a=rX,u+w . && python3 -m compileall -q app model

# Of the project's file the dependencies alone: a linter's setting installs nothing anew.
FROM ${BASE} AS wanted
COPY constraints.txt pyproject.toml deploy/packages.sh /wanted/
RUN sed -i '/^\[tool/,$d' /wanted/pyproject.toml

FROM ${BASE} AS packages-cuda
# Of pip's own settings, for this build alone; what is not given is not set.
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ARG PIP_FIND_LINKS
ARG PIP_CERT
WORKDIR /build
COPY --from=wanted /wanted ./
RUN --mount=type=secret,id=pip,target=/etc/pip.conf --mount=type=secret,id=ca \
    sh packages.sh

FROM ${BASE} AS packages-cpu
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ARG PIP_FIND_LINKS
ARG PIP_CERT
# PyTorch for processors alone. Empty takes what the package index has.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
WORKDIR /build
COPY --from=wanted /wanted ./
RUN --mount=type=secret,id=pip,target=/etc/pip.conf --mount=type=secret,id=ca \
    sh packages.sh ${TORCH_INDEX:+--extra-index-url "${TORCH_INDEX}"}

FROM ${BASE} AS runtime
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    EXPLORER_HOST=0.0.0.0 \
    EXPLORER_PORT=8000
RUN echo 'explorer:x:10001:10001::/nonexistent:/usr/sbin/nologin' >> /etc/passwd \
    && echo 'explorer:x:10001:' >> /etc/group \
    && rm -rf /usr/local/bin/pip* /usr/local/lib/python3*/site-packages/* /usr/local/lib/python3*/ensurepip
WORKDIR /srv/latent-explorer
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["python", "-c", "\
import os, urllib.request; \
urllib.request.urlopen('http://127.0.0.1:' + os.environ['EXPLORER_PORT'] + '/readyz', timeout=4)"]
CMD ["python", "-m", "app"]
LABEL org.opencontainers.image.title="Latent Explorer" \
      org.opencontainers.image.description="See, drag and use the latent space of a variational autoencoder" \
      org.opencontainers.image.licenses="MIT"

FROM runtime AS cuda
ENV NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
COPY --from=packages-cuda /opt/venv /opt/venv
COPY --from=checkpoints /checkpoints checkpoints
COPY --from=code /code ./
USER 10001:10001
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.version="${VERSION}" org.opencontainers.image.revision="${REVISION}"

FROM runtime AS cpu
COPY --from=packages-cpu /opt/venv /opt/venv
COPY --from=checkpoints /checkpoints checkpoints
COPY --from=code /code ./
USER 10001:10001
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.version="${VERSION}" org.opencontainers.image.revision="${REVISION}"
