"""The address that the pages are served on: whether nobody else has it, and how this machine asks there whether they answer."""

import os
import socket
import ssl
import urllib.error
import urllib.request
from ipaddress import IPv6Address, ip_address

from vault.settings import Settings, UnsafeSettings

PAGE = "/fr/abri"
PATIENCE = 5  # seconds


def refuse_taken(host: str, port: int) -> None:
    """Before anything long is begun, or left to a server that would end in a backtrace. Raises UnsafeSettings."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        raise UnsafeSettings(
            f"Nothing can listen on port {port} of {host} ({os.strerror(error.errno or 0)}). Stop what has it, or choose another one:"
            " ABRI_PORT=8001, or `make run PORT=8001`."
        ) from error


def address(settings: Settings) -> str:
    """Where this machine reaches the pages: whoever listens everywhere listens on loopback too."""
    host = ip_address(settings.host)
    if host.is_unspecified:
        host = ip_address("::1" if isinstance(host, IPv6Address) else "127.0.0.1")
    name = f"[{host}]" if isinstance(host, IPv6Address) else str(host)
    return f"{'https' if settings.certificate else 'http'}://{name}:{settings.port}{PAGE}"


def asked(settings: Settings) -> tuple[bool, str]:
    """Whether the service answers, and what it said.

    Its certificate is for the name that people type and not for this address: what answers must hold that very certificate.
    """
    handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
    try:
        if settings.certificate:
            trust = ssl.create_default_context(cafile=str(settings.certificate))
            trust.check_hostname = False
            trust.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
            handlers.append(urllib.request.HTTPSHandler(context=trust))
        with urllib.request.build_opener(*handlers).open(address(settings), timeout=PATIENCE) as answer:
            return answer.status == 200, f"answers {answer.status}"
    except (urllib.error.URLError, OSError) as error:
        return False, f"does not answer: {error}"
