"""Failures of connections in one line: what happened, and what the user can do. Knows no sinks."""

from __future__ import annotations

import ssl

from mar_edge.bridge.target import Target

# By OpenSSL's X509_V_ERR_...: an authority that nobody named here, and a certificate of another name or address.
_CERTIFICATE_ADVICE = {
    **dict.fromkeys((18, 19, 20, 21), "; give its authority's certificate with --tls-ca"),
    **dict.fromkeys((62, 64), "; name it in the URL as its certificate does"),
}
_OWN_CERTIFICATE = "if it asks for a certificate of ours, check --tls-cert and --tls-key"
_PLAIN = {"tls": "nats", "mqtts": "mqtt", "https": "http"}


def explained(error: BaseException, target: Target) -> str:
    """Return an error of a connection in words, with what to do where that is known."""
    match error:
        case ssl.SSLCertVerificationError() if target.tls is None:  # NATS servers demand encryption after connecting
            return "it is encrypted; use tls://"
        case ssl.SSLCertVerificationError(verify_code=code, verify_message=why):
            return f"its certificate is not accepted: {why.rstrip('.')}{_CERTIFICATE_ADVICE.get(code, '')}"
        case ssl.SSLError(reason="WRONG_VERSION_NUMBER"):
            return f"it is not encrypted; use {_PLAIN[target.scheme]}://"
        case ssl.SSLError(reason=str(reason)) if "_ALERT_" in reason:
            return f"it ended the TLS handshake: {reason}; {_OWN_CERTIFICATE}"
    return str(error).strip() or type(error).__name__


def hung_up(target: Target) -> str:
    """Return what may be wrong where an MQTT broker closes the connection instead of answering."""
    if target.tls is None:
        return "it closed the connection; if it is encrypted, use mqtts://"
    return f"it closed the connection; {_OWN_CERTIFICATE}"


def check_login(target: Target) -> str:
    """Return what to do about a receiver that does not let us in."""
    if target.credentials is not None:
        return f"check {target.credentials}"
    return "the URL has no user and password" if target.user is None else "check user and password in the URL"
