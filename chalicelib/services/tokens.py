"""Tokens: issue, check, list, revoke."""

from __future__ import annotations

from chalicelib.domain.access import TOKEN_PREFIX, Principal, Role, Token, authenticate, digest
from chalicelib.ports.items import ABSENT, ANY_VERSION
from chalicelib.repositories.records import EVERYWHERE
from chalicelib.services.context import Context


class Tokens:
    """Secrets are shown once, at issue; only digests are stored."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._records = context.records

    def issue(
        self, tenant: str, role: Role, subject: str, actor: str, lifetime: float | None = None
    ) -> tuple[Token, str]:
        """A new token and its secret. lifetime: seconds, None for ever."""
        secret = TOKEN_PREFIX + self._context.entropy.secret()
        now = self._context.clock.now()
        token = Token(
            id=self._context.entropy.uid(),
            tenant=tenant,
            role=role,
            subject=subject,
            digest=digest(secret),
            created_at=now,
            created_by=actor,
            expires_at=now + lifetime if lifetime else None,
        )
        detail = {"role": role.value, "subject": subject}
        entry = self._records.audit.entry(
            tenant, f"token:{token.id}", at=now, actor=actor, action="issue", detail=detail
        )
        writes = [
            self._records.tokens.write(tenant, token, ABSENT),
            self._records.token_digests.write(EVERYWHERE, token, ABSENT),
            entry,
        ]
        self._records.store.transact(writes, token=token.id)
        return token, secret

    def authenticate(self, secret: str) -> Principal:
        """The caller behind a secret. Raises NotAuthenticated."""
        found = self._records.token_digests.find(EVERYWHERE, digest(secret)) if len(secret) < 200 else None
        return authenticate(found.value if found else None, self._context.clock.now())

    def page(self, tenant: str, limit: int, cursor: str | None) -> tuple[list[Token], str | None]:
        """Tokens of a tenant, without any secret."""
        found, cursor = self._records.tokens.page(tenant, limit, cursor)
        return [stored.value for stored in found], cursor

    def revoke(self, tenant: str, token_id: str, actor: str) -> None:
        """From now on the token is refused. Revoking twice is fine."""
        token = self._records.tokens.get(tenant, token_id).value
        if token.revoked_at is not None:
            return
        now = self._context.clock.now()
        revoked = token.model_copy(update={"revoked_at": now})
        writes = [
            self._records.tokens.write(tenant, revoked, ANY_VERSION),
            self._records.token_digests.write(EVERYWHERE, revoked, ANY_VERSION),
            self._records.audit.entry(tenant, f"token:{token_id}", at=now, actor=actor, action="revoke"),
        ]
        self._records.store.transact(writes, token=f"revoke-{token_id}")
