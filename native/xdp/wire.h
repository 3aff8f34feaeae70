// Offsets and numbers of the headers that the program reads and writes; src/wire has them with their
// diagrams.
#pragma once

// Ethernet and VLAN tags.
#define MAC_BYTES 6
#define ETHERNET_TYPE 12
#define ETHERNET_BYTES 14
#define TAG_BYTES 4
#define TPID_8021Q 0x8100
#define TPID_8021AD 0x88a8
#define TPID_QINQ_LEGACY 0x9100
#define VLAN_ID_MASK 0x0fff
#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_IPV6 0x86dd
#define ETHERTYPE_PPPOE_SESSION 0x8864

// PPPoE (RFC 2516 §4).
#define PPPOE_BYTES 6
#define PPPOE_SESSION_ID 2
#define PPPOE_LENGTH 4
#define PPPOE_SESSION_DATA 0x1100  // version 1, type 1, code 0

// IPv4 (RFC 791), IPv6 (RFC 8200).
#define IPV4_BYTES 20
#define IPV4_TOTAL_LENGTH 2
#define IPV4_IDENTIFICATION 4
#define IPV4_FRAGMENT 6
#define IPV4_DF 0x4000
#define IPV4_PROTOCOL 9
#define IPV4_CHECKSUM 10
#define IPV4_SOURCE 12
#define IPV4_DESTINATION 16
#define IPV6_BYTES 40
#define IPV6_PAYLOAD_LENGTH 4
#define IPV6_NEXT_HEADER 6
#define IPV6_SOURCE 8
#define IPV6_DESTINATION 24
#define PROTOCOL_TCP 6
#define PROTOCOL_UDP 17
#define TCP_BYTES 20

// UDP (RFC 768).
#define UDP_BYTES 8
#define UDP_LENGTH 4
#define UDP_CHECKSUM 6

// L2TP (RFC 2661 §3.1), bits of the first octet.
#define L2TP_TYPE 0x80
#define L2TP_LENGTH 0x40
#define L2TP_SEQUENCE 0x08
#define L2TP_OFFSET 0x02
#define L2TP_VERSION 2
#define L2TP_VERSION_MASK 0x0f
// Without and with the length field.
#define L2TP_BYTES 6
#define L2TP_BYTES_WITH_LENGTH 8

// PPP (RFC 1661 §2, RFC 1662 §3.1).
#define ADDRESS_CONTROL 0xff03
#define PPP_IPV4 0x0021
#define PPP_IPV6 0x0057
#define PPP_CONTROL 0x80  // in the first octet: a protocol from 0x8000 on
