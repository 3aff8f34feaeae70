"""
A client of the helper for units in other network namespaces that does what it likes, for its tests.

    unit-client.py SOCKET say HEX...      each in a connection of its own: [errno, text, descriptors] of each answer
    unit-client.py SOCKET carry HEX N     the same, with N descriptors of ours
    unit-client.py SOCKET crowd N         as many connections as there can be, at most N, in which nothing is said; how many
    unit-client.py SOCKET hoard HEX N     the same request in N connections, before any answer is taken
    unit-client.py SOCKET use HEX         what the kernel says when TUNSETIFF, and RTM_NEWLINK to bring lo up, use what came

Writes JSON.
"""

import errno
import fcntl
import json
import os
import select
import socket
import struct
import sys

TUNSETIFF = 0x400454CA
IFF_TUN = 1
RTM_NEWLINK = 16
NLM_F_REQUEST_ACK = 5
IFF_UP = 1
MOST_DESCRIPTORS = 253


def connect(path):
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    connection.settimeout(10)
    connection.connect(path)
    return connection


def take(connection):
    octets, descriptors, _, _ = socket.recv_fds(connection, 4096, MOST_DESCRIPTORS)
    if octets == b"":
        return None, "hung up", descriptors
    return struct.unpack("i", octets[:4])[0], octets[4:].decode(), descriptors


def answer(connection):
    error, text, descriptors = take(connection)
    for descriptor in descriptors:
        os.close(descriptor)
    return [error and errno.errorcode[error], text, len(descriptors)]


def say(path, requests):
    answers = []
    for request in requests:
        connection = connect(path)
        connection.send(bytes.fromhex(request))
        answers.append(answer(connection))
        connection.close()
    return answers


def carry(path, request, count):
    connection = connect(path)
    descriptors = [os.dup(0) for _ in range(int(count))]
    socket.send_fds(connection, [bytes.fromhex(request)], descriptors)
    return answer(connection)


def crowd(path, most):
    connections = []
    while len(connections) < int(most):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK)
        try:
            connection.connect(path)
        except BlockingIOError:
            break
        connections.append(connection)
    return len(connections)


def hoard(path, request, count):
    connections = []
    for _ in range(int(count)):
        connection = connect(path)
        connection.send(bytes.fromhex(request))
        select.select([connection], [], [], 10)
        connections.append(connection)
    return [answer(connection) for connection in connections]


def outcome(call):
    try:
        call()
    except OSError as failure:
        return errno.errorcode[failure.errno]
    return "done"


def use(path, request):
    connection = connect(path)
    connection.send(bytes.fromhex(request))
    _, _, [netlink, tun] = take(connection)
    made = outcome(lambda: fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", b"lwhostile", IFF_TUN)))
    link = struct.pack("BxHiII", 0, 0, 1, IFF_UP, IFF_UP)
    os.write(netlink, struct.pack("IHHII", 16 + len(link), RTM_NEWLINK, NLM_F_REQUEST_ACK, 1, 0) + link)
    select.select([netlink], [], [], 10)
    error = -struct.unpack_from("i", os.read(netlink, 4096), 16)[0]
    return [made, errno.errorcode[error] if error else "done"]


_, path, what, *words = sys.argv
actions = {"carry": carry, "crowd": crowd, "hoard": hoard, "use": use}
json.dump(say(path, words) if what == "say" else actions[what](path, *words), sys.stdout)
