"""The settings of the GUI that is asked: where it is, as whom, and how long it may take."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr

from authgw.settings import choices
from authgw.settings.table import Table, setting
from authgw.settings.values import FilePath, Octets, Seconds, Text, Url, Whole


class Upstream(Table):
    """The GUI that is protected."""

    url: Url = setting(
        description="Where the GUI answers. Its path is the GUI's folder and must equal the path of public_url.",
        examples=["http://127.0.0.1:8081"],
    )
    identity: Annotated[Literal["service", "none"], BeforeValidator(choices.identity)] = setting(
        "service",
        description='How the GUI is asked: "service" by one service account, "none" where it asks nobody who he is.',
    )
    username: Text | None = setting(None, live=True, description="The service account's name.", examples=["authgw"])
    password_file: FilePath | None = setting(
        None,
        live=True,
        description="A file with the service account's password in one line, readable by the gateway alone.\n"
        "AUTHGW_UPSTREAM__PASSWORD in the environment does as well.",
        examples=["upstream.password"],
    )
    password: SecretStr | None = setting(None, exclude=True, repr=False)
    pages: Literal["unscoped", "all"] = setting(
        "unscoped",
        description='Who gets the GUI\'s own pages: "unscoped" users without row scope, "all" if pages carry no data.',
    )
    pool: Whole = setting(
        8,
        ge=1,
        le=1000,
        description="Requests of one user at a time, each on a service session of its own; others have a quarter more.",
    )
    ca_file: FilePath | None = setting(
        None,
        description="For https: who may have signed the GUI's certificate; the system's authorities unless given.",
        examples=["gui-ca.pem"],
    )
    certificate_file: FilePath | None = setting(
        None,
        description="For https: the certificate that the gateway shows, with its key in the same file or key_file.",
        examples=["gateway.pem"],
    )
    key_file: FilePath | None = setting(None, description="The key of certificate_file.", examples=["gateway.key"])
    connect_timeout: Seconds = setting("5s", description="Longest time until a connection stands, TLS included.")
    send_timeout: Seconds = setting("30s", description="Longest time until a request is taken.")
    reply_timeout: Seconds = setting("30s", description="Longest time until a reply begins.")
    idle_timeout: Seconds = setting("30s", description="Longest pause between two pieces of a reply.")
    whole_timeout: Seconds = setting(
        "2m", description="Longest time from a request to the end of a reply that has to be read whole."
    )
    max_reply: Octets = setting("64MiB", description="Largest reply that has to be read whole; streams have no bound.")
    cookie_name: Annotated[Text, AfterValidator(choices.cookie_name)] | None = setting(
        None,
        description="Name of the GUI's session cookie, where it is not PHPSESSID (or PHPSESSID-folder).",
        examples=["PHPSESSID"],
    )
    sensors: dict[Whole, Whole] = setting(
        {},
        description="Sensor number = database id. Learnt from the GUI where it is not given.",
        examples=[{2: 12}],
    )

    @property
    def base_path(self) -> str:
        """The path of `url`: empty, or like `/demo`."""
        return urlsplit(self.url).path

    @property
    def cookie(self) -> str:
        """The session cookie's name: as set, else `PHPSESSID`, or `PHPSESSID-demo` for a GUI in the folder demo."""
        folder = self.base_path.strip("/").replace("/", "-")
        return self.cookie_name or ("PHPSESSID-" + folder if folder else "PHPSESSID")
