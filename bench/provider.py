"""An OpenID provider that knows one user and asks him nothing: what the peers with a login need to make a session.

python -m bench.provider PORT
"""

from __future__ import annotations

import json
import secrets
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "bench", "bench-client-secret"
USER = {"sub": "101", "name": "Alice", "email": "alice@example.com", "email_verified": True}


class Provider(ThreadingHTTPServer):
    """`codes`: the nonce of every login that has begun, by its code."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), Asked)
        self.issuer = f"http://127.0.0.1:{port}"
        self.key = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256", "kid": "bench"})
        self.codes: dict[str, str] = {}

    def metadata(self) -> dict[str, Any]:
        ends = {"authorization": "authorize", "token": "token", "userinfo": "userinfo"}
        return {
            "issuer": self.issuer,
            **{f"{name}_endpoint": f"{self.issuer}/{path}" for name, path in ends.items()},
            "jwks_uri": f"{self.issuer}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        }

    def tokens(self, code: str) -> dict[str, Any]:
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 86400, **USER}
        if nonce := self.codes.pop(code, ""):
            claims["nonce"] = nonce
        signed = jwt.encode({"alg": "RS256", "kid": "bench"}, claims, self.key)
        return {
            "access_token": secrets.token_urlsafe(32),
            "token_type": "Bearer",
            "expires_in": 86400,
            "id_token": signed,
        }


class Asked(BaseHTTPRequestHandler):
    server: Provider

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if path == "/.well-known/openid-configuration":
            self.say(self.server.metadata())
        elif path == "/jwks":
            self.say({"keys": [self.server.key.as_dict(private=False)]})
        elif path == "/userinfo":
            self.say(USER)
        elif path == "/authorize":
            asked = {name: values[0] for name, values in parse_qs(query).items()}
            code = secrets.token_urlsafe(16)
            self.server.codes[code] = asked.get("nonce", "")
            joint = "&" if urlsplit(asked["redirect_uri"]).query else "?"
            back = urlencode({"code": code, "state": asked.get("state", "")})
            self.send_response(302)
            self.send_header("Location", f"{asked['redirect_uri']}{joint}{back}")
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        self.say(self.server.tokens(parse_qs(body).get("code", [""])[0]))

    def say(self, document: object) -> None:
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


if __name__ == "__main__":
    Provider(int(sys.argv[1])).serve_forever()
