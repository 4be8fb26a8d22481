"""Where nothing is ever sent: addresses inside the control plane's own network, and the cloud's metadata. Pure."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

_METADATA = frozenset(
    {"169.254.169.254", "169.254.170.2", "169.254.170.23", "fd00:ec2::254", "fd00:ec2::23", "100.100.100.200"}
)
_NAT64 = 0x64FF9B << 96


def forbidden(address: str, *, private: bool) -> str:
    """Why an address must not be connected to, "" when it may. private: whether the operator allowed private networks;
    link-local and metadata addresses are forbidden all the same."""
    ip = _plain(ip_address(address.partition("%")[0]))
    if str(ip) in _METADATA:
        return "the metadata service of a cloud"
    if ip.is_link_local:
        return "a link-local address"
    if ip.is_multicast or ip.is_unspecified or (ip.is_reserved and not ip.is_loopback):
        return "no address of a single host"
    if private or ip.is_global:
        return ""
    return "a private address"


def _plain(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address inside an IPv6 one, where there is one (mapped, 6to4, Teredo, NAT64)."""
    if isinstance(ip, IPv4Address):
        return ip
    if int(ip) >> 32 == _NAT64 >> 32:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else ip)
