#!/bin/sh
# For trials where the real runtime cannot be downloaded: unpacks the image that follows and starts it. Needs squashfs-tools.
# Like the real one it says where the file lies (APPIMAGE), which updates go by. The builder pads it to 1,024 bytes.
APPIMAGE=$(readlink -f "$0")
work=$(mktemp -d "${TMPDIR:-/tmp}/.appimage-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
unsquashfs -quiet -no-progress -offset 1024 -dest "$work/root" "$APPIMAGE" >/dev/null || exit 1
export APPIMAGE APPDIR="$work/root"
ARGV0=$0 "$work/root/AppRun" "$@" &
child=$!
trap 'kill -TERM $child' TERM INT
wait $child
code=$?
[ $code -lt 129 ] || { wait $child; code=$?; }
exit $code
