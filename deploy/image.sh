#!/bin/sh
# The image without a daemon, by buildah (Debian: apt-get install buildah), as root:
#
#   deploy/image.sh build             # makes the image latent-explorer
#   deploy/image.sh run --port 9000   # runs it: not as root, nothing writable but /tmp; Ctrl-C ends it
#   deploy/image.sh inspect           # what it says of itself, in JSON
#   deploy/image.sh clean             # removes images and build cache
#
# What follows `build` is buildah's (`--target cuda`), what follows `run` the server's. Variables:
#   IMAGE        latent-explorer, its name
#   STORAGE      build/containers, where images lie
#   DRIVER       overlay where that works, else vfs, which copies each layer whole
#   BASE         python:3.11-slim; if it cannot be pulled, Debian's packages stand in for it
#   TORCH_INDEX  as in the Dockerfile; empty takes what the package index has
# PIP_INDEX_URL, PIP_EXTRA_INDEX_URL, PIP_FIND_LINKS (a folder) and PIP_CERT hold in the build too.
set -eu
cd "$(dirname "$0")/.."

IMAGE=${IMAGE:-latent-explorer}
STORAGE=${STORAGE:-$PWD/build/containers}
BASE=${BASE:-python:3.11-slim}
STAND_IN=latent-explorer-base

fail() {
    echo "deploy/image.sh: $*" >&2
    exit 1
}

# What follows: pairs of a program and the Debian package that has it.
needs() {
    missing=
    while [ $# -gt 0 ]; do
        command -v "$1" >/dev/null || missing="$missing $2"
        shift 2
    done
    [ -z "$missing" ] || fail "something is missing: apt-get install$missing"
}

engine() {
    buildah --root "$STORAGE" --runroot "$STORAGE/run" --storage-driver "$DRIVER" "$@"
}

choose_driver() {
    mkdir -p "$STORAGE"
    probe=$(mktemp -d "$STORAGE/probe.XXXXXX")
    mkdir "$probe/lower" "$probe/upper" "$probe/work" "$probe/merged"
    if mount -t overlay overlay "$probe/merged" \
        -o "lowerdir=$probe/lower,upperdir=$probe/upper,workdir=$probe/work" 2>/dev/null; then
        umount "$probe/merged"
        echo overlay
    else
        echo vfs
    fi
    rm -rf "$probe"
}

# The base: pulled if it can be, else made of Debian's packages, once.
choose_base() {
    if engine inspect --type image "$STAND_IN" >/dev/null 2>&1; then
        echo "$STAND_IN"
    elif engine pull --quiet "$BASE" >/dev/null 2>&1; then
        echo "$BASE"
    else
        stand_in >&2
        echo "$STAND_IN"
    fi
}

stand_in() {
    echo "$BASE cannot be pulled; Debian's packages stand in for it."
    root=$(mktemp -d "$STORAGE/base.XXXXXX")
    chmod 755 "$root"
    debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates,passwd \
        bookworm "$root"
    rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/var/log/* \
        "$root"/usr/share/doc/* "$root"/usr/share/locale/* "$root"/usr/share/man/*
    container=$(engine from scratch)
    engine copy --quiet "$container" "$root" /
    engine commit --quiet "$container" "$STAND_IN"
    engine rm "$container"
    rm -rf "$root"
}

build() {
    base=$(choose_base)
    version=$(sed -n 's/^VERSION = "\(.*\)"/\1/p' app/main.py)
    revision=$(git describe --always --dirty --abbrev=40 --exclude='*' 2>/dev/null || echo unknown)
    set -- --build-arg VERSION="$version" --build-arg REVISION="$revision" \
        --build-arg BASE="$base" "$@"
    if [ "${TORCH_INDEX+given}" ]; then
        set -- --build-arg TORCH_INDEX="$TORCH_INDEX" "$@"
    fi
    for name in PIP_INDEX_URL PIP_EXTRA_INDEX_URL; do
        eval "value=\${$name:-}"
        if [ "$value" ]; then
            set -- --build-arg "$name=$value" "$@"
        fi
    done
    if [ "${PIP_FIND_LINKS:-}" ]; then
        set -- --volume "$PIP_FIND_LINKS:/wheels:ro" --build-arg PIP_FIND_LINKS=/wheels "$@"
    fi
    if [ "${PIP_CERT:-}" ]; then
        set -- --secret "id=ca,src=$PIP_CERT" --build-arg PIP_CERT=/run/secrets/ca "$@"
    fi
    engine bud --isolation chroot --format docker --layers --tag "$IMAGE" "$@" .
}

# As a container engine would: the image's variables, working folder and command, as process 1 of its own,
# root file system read-only, /tmp in memory, user 10001 without capabilities or a way to get any.
# The network is the machine's.
run() {
    container=$(engine from --pull-never "$IMAGE")
    trap 'engine rm "$container" >/dev/null' EXIT
    root=$(engine mount "$container")
    inspect() { engine inspect --format "{{range .OCIv1.Config.$1}}{{println .}}{{end}}" "$container"; }
    newline='
'
    IFS=$newline
    set -f
    # shellcheck disable=SC2046 # each line is a word
    set -- $(inspect Env | sed '/^$/d') $(env | grep '^EXPLORER_' || true) \
        $(inspect Cmd | sed '/^$/d') "$@"
    unset IFS
    set +f
    folder=$(engine inspect --format '{{.OCIv1.Config.WorkingDir}}' "$container")
    ROOT=$root FOLDER=$folder unshare --mount --pid --ipc --uts --fork --kill-child \
        sh deploy/enter.sh "$@" &
    outer=$!
    trap 'kill -TERM $(cat "/proc/$outer/task/$outer/children")' TERM INT
    status=0
    wait "$outer" || status=$?
    while kill -0 "$outer" 2>/dev/null; do # the wait was cut short by a signal
        status=0
        wait "$outer" || status=$?
    done
    exit "$status"
}

command=${1:-}
case $command in
build) needs buildah buildah debootstrap debootstrap ;; # without a registry the second makes the base
run) needs buildah buildah unshare util-linux ;;
inspect | clean) needs buildah buildah ;;
esac
[ $# -gt 0 ] && shift
DRIVER=${DRIVER:-$(choose_driver)}
export DRIVER
case $command in
build) build "$@" ;;
inspect) engine inspect --type image "$IMAGE" ;;
run) run "$@" ;;
clean)
    engine rm --all >/dev/null
    engine rmi --all --force
    ;;
*) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0" && exit 2 ;;
esac
