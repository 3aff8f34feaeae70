# pppoe.sh pap|chap FILE: records pppd calling pppoe-server: discovery, LCP with echoes, authentication,
# IPCP, IPV6CP, a polite end.
set -e
. "${0%/*}/common.sh"
method=$1 file=$2
server=$method-server client=$method-client work=/tmp/pppoe-$method
mkdir -p "$work" && cd "$work"

pair "$server" s0 "$client" c0
printf '"alice" * "wonder" *\n' >/etc/ppp/chap-secrets
cp /etc/ppp/chap-secrets /etc/ppp/pap-secrets
cat >server.options <<END
auth
require-$method
name ac1
lcp-echo-interval 1
mtu 1492
mru 1492
ms-dns 192.0.2.53
ipv6 ::1,::2
debug
logfile $work/server.log
END

# PPP protocols from 0x8000 on are control: data packets are not recorded
capture "$server" s0 "$file" 'ether proto 0x8863 or (ether proto 0x8864 and ether[20] & 0x80 != 0)'
ip netns exec "$server" pppoe-server -I s0 -C ac1 -S isp -L 198.51.100.1 -R 198.51.100.10 -N 4 -O "$work/server.options" -F &
pppoe_server=$!
ip netns exec "$client" pppd plugin rp-pppoe.so nic-c0 rp_pppoe_service isp user alice noauth noipdefault usepeerdns \
	nodetach debug mtu 1492 mru 1492 +ipv6 lcp-echo-interval 1 logfile "$work/client.log" maxfail 1 >/dev/null 2>&1 &
pppd=$!
until_true 60 has_address "$client" ppp0
until_true 20 has "$work/client.log" 'rcvd .IPV6CP ConfAck'
until_true 20 recorded "$file" Echo-Reply 2
kill "$pppd"
until_true 20 gone "$pppd"
until_true 20 recorded "$file" PADT 1
kill "$capture" "$pppoe_server"
wait "$capture" || true
