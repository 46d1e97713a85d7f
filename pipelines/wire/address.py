"""Addresses of chat-completions servers: what is called, and what it says about who answers."""

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qsl, urlsplit

COMPLETIONS = "/chat/completions"
SECRET_NAMES = re.compile(r"key|token|secret|password|signature|^sig$", re.IGNORECASE)
DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Address:
    """Where one model is called."""

    url: str
    """What is called: base URL, then path, then the base URL's query."""
    place: str
    """Scheme, host, port where it is unusual, and path: neither the query nor user-info."""
    host: str

    @property
    def scheme(self) -> str:
        """The part before the colon: "http" or "https"."""
        return self.place.partition(":")[0]

    @property
    def is_loopback(self) -> bool:
        """Whether the address is this machine, and so says nothing about what serves there.

        >>> [address_of(f"http://{host}/v1").is_loopback
        ...  for host in ("localhost", "127.0.0.1:8000", "[::1]", "10.0.0.7", "api.openai.com")]
        [True, True, True, False, False]
        """
        if self.host == "localhost" or self.host.endswith(".localhost"):
            return True
        try:
            ip = ipaddress.ip_address(self.host)
        except ValueError:
            return False
        mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
        return (mapped or ip).is_loopback or ip.is_unspecified


@lru_cache
def address_of(base_url: str, path: str = COMPLETIONS) -> Address:
    """The address of `base_url`. Raises ValueError, which never quotes a secret.

    >>> azure = address_of("https://me.example.com/openai/deployments/gpt/?api-version=2026-01-01")
    >>> azure.url
    'https://me.example.com/openai/deployments/gpt/chat/completions?api-version=2026-01-01'
    >>> azure.place
    'https://me.example.com/openai/deployments/gpt'
    >>> address_of("https://API.example.com:443/v1/").place
    'https://api.example.com/v1'
    """
    try:
        parts = urlsplit(base_url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("not a URL") from None  # its own message quotes what may be a password
    if parts.scheme not in DEFAULT_PORTS or not host:
        raise ValueError('an http:// or https:// URL is wanted, as in "https://api.openai.com/v1"')
    if "@" in parts.netloc:
        raise ValueError("a user or password in the URL would be published; name api_key_env")
    for name, _ in parse_qsl(parts.query, keep_blank_values=True):
        if SECRET_NAMES.search(name):
            raise ValueError(f'"{name}" in the URL would be published; name api_key_env instead')
    base_path = parts.path.rstrip("/")
    if path and base_path.endswith(path):
        raise ValueError(f"ends with {path}, which is appended to it; leave that out")
    named = f"[{host}]" if ":" in host else host
    shown_port = "" if port in (None, DEFAULT_PORTS[parts.scheme]) else f":{port}"
    origin = f"{parts.scheme}://{named}{shown_port}"
    query = f"?{parts.query}" if parts.query else ""
    shown_path = base_path if path == COMPLETIONS else base_path + path
    return Address(origin + base_path + path + query, origin + shown_path, host)
