# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
#
# Shared by the host-side scripts; source it, do not run it.

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${WSOCK_CACHE:-${XDG_CACHE_HOME:-${HOME:?HOME is not set; set it or WSOCK_CACHE}/.cache}/wsock}
ROOT=$CACHE/root
# scripts/coverage has products of its own.
BUILD=$TOP/build${WSOCK_COVERAGE:+/coverage}
PROG=${0##*/}
# Kernel series everything is built for and tested on.
DEFAULT_KERNELS="6.12 7.3"

# shellcheck source=scripts/guest/splat.sh
. "$TOP/scripts/guest/splat.sh"

say() { printf '[%s] %s\n' "$PROG" "$*"; }
warn() { printf '[%s] %s\n' "$PROG" "$*" >&2; }
die() { printf '%s: %s\n' "$PROG" "$*" >&2; exit 1; }

# Run a command as root: directly, or through sudo.
as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo -- "$@"
	else
		die "this step needs root: run it as root, or install sudo"
	fi
}

# Install what is missing on this machine, given as program:package...
need_programs() {
	local pair missing=()
	for pair in "$@"; do
		PATH=$PATH:/usr/sbin:/sbin command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	command -v apt-get >/dev/null || die "please install: ${missing[*]} (this machine has no apt-get)"
	say "installing ${missing[*]}"
	as_root apt-get -qq update || die "apt-get update failed: check the network and the apt sources"
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends \
		"${missing[@]}" >/dev/null || die "apt-get could not install: ${missing[*]}"
}

# Run a command inside the build root with a clean environment.
in_root() {
	local root=$1
	shift
	as_root env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=/tmp \
		DEBIAN_FRONTEND=noninteractive INITRD=No \
		chroot "$root" "$@"
}

# Install in the build root what is missing there, given as program:package...
need_root_programs() {
	local pair missing=()
	for pair in "$@"; do
		[ -e "$ROOT/usr/bin/${pair%%:*}" ] || missing+=("${pair#*:}")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	say "installing in the build root: ${missing[*]}"
	# The root is also that of scripts/fetch.
	exec 8>"$CACHE/fetch.lock"
	flock 8
	{
		in_root "$ROOT" apt-get -q update &&
			in_root "$ROOT" apt-get -q install -y "${missing[@]}" &&
			in_root "$ROOT" apt-get -q clean
	} >"$CACHE/install.log" 2>&1 8>&- || {
		tail -n 15 "$CACHE/install.log" >&2
		die "that failed (the end of $CACHE/install.log is above)"
	}
	exec 8>&-
}

# Remove a build root. debootstrap mounts things in it and may have been
# interrupted before it unmounted them.
remove_root() {
	local mount
	[ -d "$1" ] || return 0
	cut -d' ' -f2 /proc/self/mounts | grep -F "$1/" | sort -r | while read -r mount; do
		as_root umount "$mount"
	done
	as_root rm -rf --one-file-system "$1"
}

# The release string of a kernel series of the build root ("6.12" -> "6.12.…").
kernel_release() {
	local series release
	while read -r series release; do
		if [ "$series" = "$1" ]; then
			printf '%s\n' "$release"
			return 0
		fi
	done <"$ROOT/etc/wsock-kernels"
	return 1
}

# One that scripts/kernel makes, not one of Debian's.
is_debug_kernel() {
	[[ $1 == *-* ]]
}

# Where in the root things are built: a place of its own for each checkout.
build_place() {
	echo "/build/$(printf '%s' "$TOP" | cksum | cut -d' ' -f1)"
}

# The bootable image of a kernel release of the build root.
kernel_image() {
	local f
	for f in "$ROOT/boot/vmlinuz-$1" "$ROOT/usr/lib/modules/$1/vmlinuz"; do
		if [ -e "$f" ]; then
			printf '%s\n' "$f"
			return 0
		fi
	done
	return 1
}

need_root_ready() {
	[ -e "$ROOT/etc/wsock-kernels" ] || die "no build root in $CACHE: run scripts/fetch first"
}
