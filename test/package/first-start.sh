#!/bin/sh
# Runs the words it is given in a network of their own: loopback, and a way out named "out" that leads nowhere and counts.
set -e
[ "$1" = --inside ] || exec unshare --net "$0" --inside "$@"
shift
sysctl -q -w net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1 2>/dev/null || true
ip link set lo up
ip link add out type dummy
ip addr add 198.51.100.2/24 dev out
ip link set out up
ip route add default via 198.51.100.1 dev out
exec "$@"
