#!/bin/sh
# Within the name spaces that `deploy/image.sh run` made: close the image's root and become its user.
# Arguments are variables and the command.
set -eu
mount --bind "$ROOT" "$ROOT"
mount -t proc -o nosuid,nodev,noexec proc "$ROOT/proc"
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs "$ROOT/sys"
mount -t tmpfs -o nosuid,noexec,size=64k tmpfs "$ROOT/dev"
for device in null zero full random urandom; do
    cp -a "/dev/$device" "$ROOT/dev"
done
mount -o remount,ro "$ROOT/dev"
mount -t tmpfs -o nosuid,nodev,noexec,size=64m tmpfs "$ROOT/tmp"
mount -o remount,ro,bind "$ROOT"
# shellcheck disable=SC2016 # the inner shell expands them
exec chroot "$ROOT" setpriv --reuid 10001 --regid 10001 --clear-groups --no-new-privs \
    --bounding-set=-all --inh-caps=-all --ambient-caps=-all \
    sh -c 'cd "$1" && shift && exec env -i "$@"' sh "$FOLDER" "$@"
