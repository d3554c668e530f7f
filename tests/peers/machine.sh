#!/usr/bin/env bash
# Runs a command on a machine that is thrown away: the files of this one with packages installed over them, processes and a network
# of its own. What is written there is gone with it, and so is whatever the command started, however it ends.
#
#   machine.sh FOLDER "PACKAGE..." COMMAND...
#
# FOLDER is that of the project and looks the same inside. Packages that can't be had are named in /run/missing-packages.
# It needs root, and a kernel that lets it mount an overlay.
set -euo pipefail

if [ "$1" != inside ]; then
    exec setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child "$0" inside "$@"
fi
shift
folder=$1 packages=$2
shift 2

# The files. A daemon's package starts its daemon unless policy-rc.d says no.
mount -t tmpfs tmpfs /mnt
mkdir /mnt/files /mnt/work /mnt/root
root=/mnt/root
mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/files,workdir=/mnt/work "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
mkdir -p "$root$folder"
mount --rbind "$folder" "$root$folder"
printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d"
chmod +x "$root/usr/sbin/policy-rc.d"
rm -f "$root/etc/resolv.conf"
cat /etc/resolv.conf > "$root/etc/resolv.conf" 2>/dev/null || true

# The packages: at once where that works, else with new lists, else one by one.
install_packages() {
    chroot "$root" env DEBIAN_FRONTEND=noninteractive apt-get install -qqy --no-install-recommends --no-upgrade \
        -o Dpkg::Options::=--force-unsafe-io -o Dpkg::Use-Pty=0 "$@" > "$root/tmp/install.log" 2>&1
}
: > "$root/run/missing-packages"
if [ -n "$packages" ]; then
    # shellcheck disable=SC2086 # they are words
    if ! install_packages $packages; then
        chroot "$root" apt-get update -qq > /dev/null 2>&1 || true
        install_packages $packages || for package in $packages; do
            install_packages "$package" || { cat "$root/tmp/install.log" >&2; echo "$package" >> "$root/run/missing-packages"; }
        done
    fi
fi

exec unshare --net chroot "$root" env -C "$folder" "$@"
