"""The settings of the `oidc` login."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from authgw import contract
from authgw_plugins.oidc_tokens import ALGORITHMS, Algorithm
from authgw_plugins.oidc_wire import wrong_url


class OidcConfig(contract.Config):
    """[login.NAME] of a provider.

    `issuer` as its discovery document spells it. `title` stands on the button of the login page; `auto`: the page goes
    straight to the provider where it is the only one.
    `user_claim` names the person, `name_claim` is for pages, `id_claim` holds everybody's own number; without it the id
    is 63 bits of the SHA-256 of issuer and subject. `groups_claim` may be a path, such as realm_access.roles;
    `groups_from` says where it lies. Claims are looked for by their whole name first.
    `leeway`: how far apart the clocks may be. `bearer`: scripts may bring access tokens to php/api.php, issued for
    `bearer_audience` and, where it is set, with the scope `bearer_scope`. Times in seconds.
    """

    issuer: str
    client_id: str = Field(min_length=1, max_length=255)
    client_secret_file: Path | None = None
    mapping: Path
    title: str = Field(default="Single sign-on", min_length=1, max_length=60)
    auto: bool = False
    scopes: tuple[str, ...] = ("openid", "profile")
    user_claim: str = "preferred_username"
    name_claim: str = "name"
    id_claim: str | None = None
    groups_claim: str = "groups"
    groups_from: Literal["id_token", "userinfo"] = "id_token"
    algorithms: tuple[Algorithm, ...] = Field(default=ALGORITHMS, min_length=1)
    prompt: Literal["login", "consent", "select_account"] | None = None
    max_age: int | None = Field(default=None, ge=0, le=31_536_000)
    ca_file: Path | None = None
    leeway: float = Field(default=60.0, ge=0, le=300)
    seconds: float = Field(default=5.0, gt=0, le=9.0)
    connections: int = Field(default=20, ge=1, le=1000)
    bearer: bool = False
    bearer_audience: str | None = Field(default=None, min_length=1, max_length=255)
    bearer_scope: str | None = Field(default=None, min_length=1, max_length=255)

    @field_validator("issuer")
    @classmethod
    def _issuer(cls, value: str) -> str:
        wrong = wrong_url(value) or ("must have no query" if "?" in value else "")
        if wrong:
            raise ValueError(wrong)
        return value

    @field_validator("scopes")
    @classmethod
    def _scopes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if "openid" not in value or any(not each or " " in each or not each.isascii() for each in value):
            raise ValueError('must hold "openid", and each scope as a text of its own')
        return value

    @model_validator(mode="after")
    def _together(self) -> Self:
        if not self.bearer and (self.bearer_audience or self.bearer_scope):
            raise ValueError("bearer_audience, bearer_scope: count with bearer = true only")
        return self
