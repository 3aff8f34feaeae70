# Shared by the recordings. Everything is in namespaces of the guest, so several can run at the same time.

# until_true SECONDS COMMAND…: returns when COMMAND succeeds; ends the script when it never does.
until_true() {
	tries=$(($1 * 10))
	shift
	until "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || {
			echo "never came true: $*" >&2
			exit 1
		}
		sleep 0.1
	done
}

# has FILE TEXT [COUNT]: FILE has TEXT in at least COUNT lines.
has() { [ -e "$1" ] && [ "$(grep -c -- "$2" "$1")" -ge "${3:-1}" ]; }

has_address() { ip -n "$1" -4 address show dev "$2" 2>/dev/null | grep -q inet; }

gone() { ! kill -0 "$1" 2>/dev/null; }

# recorded FILE TEXT COUNT: the capture has TEXT, as tcpdump words it, in at least COUNT packets.
recorded() { [ "$(tcpdump -Z root -n -r "$1" 2>/dev/null | grep -c -- "$2")" -ge "$3" ]; }

# pair A DEVICE B DEVICE: two namespaces with a cable between them.
pair() {
	ip netns add "$1" && ip netns add "$3"
	ip -n "$1" link set lo up
	ip -n "$3" link set lo up
	ip link add "$2" netns "$1" type veth peer name "$4" netns "$3"
	ip -n "$1" link set "$2" up
	ip -n "$3" link set "$4" up
}

# capture NETNS DEVICE FILE FILTER: sets $capture; returns when the capture has begun.
# Immediate mode: a ring that is read block by block keeps the last frames to itself here.
capture() {
	ip netns exec "$1" tcpdump -i "$2" -Z root -n -s 0 -U --immediate-mode -w "$3" "$4" 2>"$3.log" &
	capture=$!
	until_true 20 has "$3.log" 'listening on'
}
