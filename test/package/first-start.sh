#!/bin/sh
# Runs the words it is given in a network of their own: loopback, and a way out named "out" that leads nowhere and counts.
set -e
[ "$1" = --inside ] || exec unshare --net "$0" --inside "$@"
shift
# A new link would greet its neighbours by IPv6.
for file in /proc/sys/net/ipv6/conf/*/disable_ipv6; do [ ! -f "$file" ] || echo 1 >"$file"; done
ip link set lo up
ip link add out type veth peer name nowhere
# Without asking who has the gateway's address: nobody would answer, and packets would wait for it uncounted.
ip link set out arp off
ip addr add 198.51.100.2/24 dev out
ip link set nowhere up
ip link set out up
ip route add default via 198.51.100.1 dev out
exec "$@"
