"""DynamoDB's, botocore's and PynamoDB's errors in our words, and which of them are worth one more try.

No request is made here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError
from botocore.parsers import ResponseParserError
from pynamodb.exceptions import PynamoDBException, TableDoesNotExist, TransactWriteError

from chalicelib.adapters.items import limits
from chalicelib.domain.errors import Conflict, InvalidInput, PhoenixError, TooLarge, Unavailable

_FAILED_CONDITION = "ConditionalCheckFailed"
_BUSY = {"TransactionConflict", "TransactionConflictException", "TransactionInProgressException"}
_HINTS = {
    "ResourceNotFoundException": "create the tables of this prefix, or set the right prefix and region",
    "AccessDeniedException": "give this role the right to use the tables",
    "UnrecognizedClientException": "check the credentials",
    "ExpiredTokenException": "renew the credentials",
}


def code_of(error: PynamoDBException) -> str:
    """DynamoDB's error code, "" when it did not answer."""
    if isinstance(error, TableDoesNotExist):
        return "ResourceNotFoundException"
    return _answer(error).get("Code") or ""


def _answer(error: PynamoDBException) -> dict[str, str]:
    """DynamoDB's error object. PynamoDB's own properties fail on a timeout, whose `response` is None."""
    response = getattr(error.cause, "response", None)
    answer = response.get("Error") if isinstance(response, dict) else None
    return answer if isinstance(answer, dict) else {}


def failed_conditions(error: TransactWriteError) -> list[int]:
    """Positions, in the order of the request, of the writes whose condition did not hold."""
    return [i for i, r in enumerate(error.cancellation_reasons) if r is not None and r.code == _FAILED_CONDITION]


def is_busy(error: PynamoDBException) -> bool:
    """Whether another transaction was in the way, and the same request may succeed in a moment."""
    if code_of(error) in _BUSY:
        return True
    if not isinstance(error, TransactWriteError) or failed_conditions(error):
        return False
    return any(r is not None and r.code in _BUSY for r in error.cancellation_reasons)


@contextmanager
def translated(where: str, conflict: str = "an expected version does not hold") -> Iterator[None]:
    """Raise our errors for theirs. where: the endpoint, for the message. conflict: what a failed condition means."""
    try:
        yield
    except PynamoDBException as e:
        raise _translate(e, where, conflict) from e
    except (BotoCoreError, ResponseParserError) as e:  # the parser's: something else answers at the endpoint
        raise _unreachable(e, where) from e


def _translate(error: PynamoDBException, where: str, conflict: str) -> PhoenixError:
    code, message = code_of(error), _answer(error).get("Message") or error.msg
    if isinstance(error, TransactWriteError):
        for reason in error.cancellation_reasons:
            if reason is not None and reason.code != "None":
                code, message = reason.code, reason.message or message
                break
    if code.removesuffix("Exception") == _FAILED_CONDITION:
        return Conflict(conflict, hint=limits.READ_AGAIN)
    if code == "IdempotentParameterMismatchException":
        return Conflict(limits.TOKEN_REUSED, hint=limits.NEW_TOKEN)
    if code in ("ValidationException", "ValidationError"):
        return _refused(message)
    if not code:
        return _unreachable(error.cause or error, where)
    hint = _HINTS.get(code, "try again in a moment")
    return Unavailable(f"DynamoDB at {where} refused: {code}: {message}", hint=hint)


def _refused(message: str) -> PhoenixError:
    if "size" in message.lower() and "exceed" in message.lower():
        return TooLarge(f"item store: {message}", hint="store less in one item or transaction, or split it")
    return InvalidInput(f"item store: {message}", hint="see the message")


def _unreachable(error: BaseException, where: str) -> Unavailable:
    return Unavailable(
        f"DynamoDB at {where} cannot be reached: {error}",
        hint="check the endpoint, the network, the region and the credentials",
    )
