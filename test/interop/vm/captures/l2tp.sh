# l2tp.sh plain|hidden FILE: records xl2tpd calling xl2tpd under a tunnel secret: tunnel, call, PPP, one HELLO,
# the end of the call and of the tunnel. "hidden" hides the AVPs that xl2tpd can hide.
set -e
. "${0%/*}/common.sh"
mode=$1 file=$2
lns=$mode-lns lac=$mode-lac work=/tmp/l2tp-$mode
mkdir -p "$work" && cd "$work"
hidden=no
[ "$mode" = hidden ] && hidden=yes

pair "$lns" v0 "$lac" v1
ip -n "$lns" address add 192.0.2.1/24 dev v0
ip -n "$lac" address add 192.0.2.2/24 dev v1
printf '"bob" * "builder" *\n"alice" * "wonder" *\n' >/etc/ppp/chap-secrets
printf '* * %s\n' 'tunnel-secret' >secrets
chmod 600 secrets
global() {
	printf '[global]\nport = 1701\nlisten-addr = %s\nauth file = %s\n' "$1" "$work/secrets"
	printf 'debug tunnel = yes\ndebug state = yes\ndebug avp = yes\n'
}
{
	global 192.0.2.1
	cat <<END
[lns default]
ip range = 198.51.100.100-198.51.100.110
local ip = 198.51.100.1
require chap = yes
refuse pap = yes
require authentication = yes
name = lns1
hostname = lns1
challenge = yes
hidden bit = $hidden
length bit = yes
pppoptfile = $work/lns.options
END
} >lns.conf
{
	global 192.0.2.2
	cat <<END
[lac isp]
lns = 192.0.2.1
name = bob
hostname = lac1
challenge = yes
hidden bit = $hidden
length bit = yes
refuse pap = yes
pppoptfile = $work/lac.options
END
} >lac.conf
printf 'debug\nnoipv6\nlinkname %s\nlogfile %s\nmtu 1400\nmru 1400\n' "$lns" "$work/lns.pppd" >lns.options
printf 'debug\nnoipv6\nlogfile %s\nuser bob\nnoauth\nmtu 1400\nmru 1400\nnoipdefault\n' "$work/lac.pppd" >lac.options

capture "$lns" v0 "$file" 'udp port 1701'
ip netns exec "$lns" xl2tpd -D -c lns.conf -s secrets -p "$work/lns.pid" -C "$work/lns.control" >lns.log 2>&1 &
lns_pid=$!
ip netns exec "$lac" xl2tpd -D -c lac.conf -s secrets -p "$work/lac.pid" -C "$work/lac.control" >lac.log 2>&1 &
lac_pid=$!
until_true 20 has lns.log 'Listening on'
until_true 20 has lac.log 'Listening on'
until_true 20 [ -p lac.control ]
echo 'c isp' >lac.control
until_true 60 has_address "$lac" ppp0
until_true 90 recorded "$file" HELLO 2
# the LNS's pppd ends the call, then the LAC is told to end the tunnel
kill "$(head -n 1 "/run/ppp-$lns.pid")"
until_true 30 recorded "$file" CDN 1
echo 'd isp' >lac.control
until_true 30 recorded "$file" StopCCN 1
kill "$lns_pid" "$lac_pid"
until_true 20 gone "$lns_pid"
kill "$capture"
wait "$capture" || true
