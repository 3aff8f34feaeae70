# Makes the networks of the benchmark in the VM, as bench/namespaces.ts makes them on a machine: for each name that is an
# argument the namespaces NAME-subscribers, NAME-lac and NAME-lns. It is for bash.
set -e
for name; do
	for role in subscribers lac lns; do
		echo "netns add $name-$role"
	done
done | ip -batch -
for name; do
	echo "link add sub0 netns $name-subscribers type veth peer name acc0 netns $name-lac"
	echo "link add net0 mtu 1600 netns $name-lac type veth peer name net0 mtu 1600 netns $name-lns"
done | ip -batch -
for name; do
	for role in subscribers lac lns; do
		echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
		ip -n $name-$role link set lo up
	done
	ip -n $name-subscribers link set sub0 up
	ip -n $name-lac -batch - <<-END
		link set acc0 up
		address add 10.0.0.1/24 dev net0
		link set net0 up
	END
	ip -n $name-lns -batch - <<-END
		address add 10.0.0.2/24 dev net0
		link set net0 up
	END
	/lacewing/build/bench/gro /run/netns/$name-subscribers sub0 /run/netns/$name-lns net0
done
