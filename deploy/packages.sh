#!/bin/sh
# Within the build of the image: what the server needs, in /opt/venv, less what it never opens.
# Arguments are pip's.
set -eu
venv=/opt/venv
python3 -m venv "$venv"
pip="$venv/bin/python -m pip --disable-pip-version-check --no-cache-dir"
$pip install --quiet --constraint constraints.txt pip
$pip install --progress-bar off --constraint constraints.txt "$@" --group serve

cd "$venv"/lib/python3*/site-packages
# To extend PyTorch in C++ and to test it. Kept in bin: what shares tensors between processes.
rm -rf torch/include torch/test torch/share torch/lib/*test*.so
find torch/bin -type f ! -name torch_shm_manager -delete
find . -type d -name tests -prune -exec rm -rf {} +
find . -type f \( -name '*.a' -o -name '*.h' -o -name '*.hpp' -o -name '*.cuh' -o -name '*.pyi' \
    -o -name '*.pyx' -o -name '*.pxd' \) -delete
$pip uninstall --yes --quiet setuptools pip
rm -f "$venv"/bin/[Aa]ctivate*
