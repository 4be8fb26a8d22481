"""The key that webhooks' secrets are derived from: the operator's (a setting), or one that the store keeps."""

from __future__ import annotations

from chalicelib.domain.errors import Conflict
from chalicelib.domain.notification import signing
from chalicelib.repositories.records import EVERYWHERE, KeptKey
from chalicelib.services.context import Context


class SigningKey:
    """given: the setting; with it a copy of the store forges no signature."""

    def __init__(self, context: Context, given: str = "") -> None:
        self._context, self._given = context, given

    def secret(self, tenant: str, uid: str) -> str:
        """The signing secret of a webhook, as it is shown once."""
        return signing.secret((self._given or self._kept()).encode(), tenant, uid)

    def _kept(self) -> str:
        keys = self._context.records.keys
        found = keys.find(EVERYWHERE, "webhooks")
        if found is None:
            try:
                found = keys.create(EVERYWHERE, KeptKey(key=self._context.entropy.secret()))
            except Conflict:
                found = keys.get(EVERYWHERE, "webhooks")
        return found.value.key
