"""The OpAMP endpoint's use case, and the one way to want a configuration on a host."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from chalicelib.domain.access import Principal
from chalicelib.domain.cluster.sharing import share, stamped
from chalicelib.domain.errors import Conflict, NotAllowed, TooLarge
from chalicelib.domain.fleet.agents import host_of, second_of
from chalicelib.domain.fleet.assignments import assign, dismissed
from chalicelib.domain.fleet.judge import IDLE_CONFIG, IDLE_HASH, expire
from chalicelib.domain.fleet.receive import Outcome, receive
from chalicelib.domain.fleet.report import AgentReport, Offer
from chalicelib.domain.fleet.state import AgentState, Event, EventKind, FleetPolicy, Purpose
from chalicelib.domain.pipeline.marker import content_hash, stamp
from chalicelib.domain.pipeline.masking import mask_secrets
from chalicelib.ports.items import ANY_VERSION, MAX_TRANSACT_BYTES, Put, Write
from chalicelib.ports.wire import AgentCodec
from chalicelib.repositories.documents import FEW, Stored
from chalicelib.repositories.records import (
    EVERYWHERE,
    AgentBinding,
    AgentRecord,
    ConfigBody,
    EffectiveConfig,
)
from chalicelib.services.context import Context, retrying
from chalicelib.services.fleet.presence import Presence

MAX_EFFECTIVE = 300_000
"""Characters of JSON: an item holds 400 000 bytes, and one host's size must never hold up its own messages."""
AT_ONCE = 50
"""Hosts that are written in one transaction."""
Say = Callable[[AgentState], tuple[AgentState, AgentReport]]
"""What a host without a supervisor says, given what is wanted of it; the state may be given another marker first."""
_RECORDED = frozenset({EventKind.CONFIRMED, EventKind.FAILED, EventKind.ROLLED_BACK, EventKind.DRIFTED})


@dataclass(frozen=True)
class Want:
    """What a host is to run, and for whom."""

    scope: str
    content: str
    purpose: Purpose


class Fleet:
    """Agents by host. Every change is a compare-and-set on the host's agent record."""

    def __init__(
        self, context: Context, wire: AgentCodec, policy: FleetPolicy, wanted: Callable[[str, Collection[str]], None]
    ) -> None:
        """wanted: told of the agents of which something new is wanted (tenant, agents)."""
        self._context, self._wire, self.policy, self._wanted = context, wire, policy, wanted
        self._records = context.records
        self._agents = Presence(context.records)

    def exchange(self, principal: Principal, body: bytes, *, second: bool = False) -> bytes:
        """One OpAMP message in, its answer out. second: of the host's second agent. Raises InvalidInput (garbage),
        NotAllowed (another host's agent)."""
        agent = second_of(principal.subject) if second else principal.subject
        report = self._wire.decode(body, lambda marker: self._offered(principal.tenant, agent, marker))
        if not second:
            # A second agent is a new one for each experiment; nothing else ever has its storage.
            self._bind(principal, report)
        outcome = retrying(lambda: self._receive(principal.tenant, agent, report))
        return self._wire.encode(outcome.reply, self._body(principal.tenant, outcome.reply.offer))

    def hear_all(
        self, tenant: str, cluster: str, says: Mapping[str, Say], silent: Collection[str], policy: FleetPolicy
    ) -> dict[str, AgentState]:
        """Take what the nodes of a cluster say, many in one transaction; their states afterwards. Nothing is written of
        those that say nothing new. silent: its hosts of which nothing is heard. policy: times that fit them."""
        found = self._agents.several(tenant, {*says, *silent})
        now = self._context.clock.now()
        states: dict[str, AgentState] = {}
        writes: list[tuple[str, list[Write]]] = []
        for host, say in says.items():
            stored = found.get(host) or Stored(AgentRecord(host=host), 0)
            state, events = _heard(stored.value.state, cluster, say, now, policy)
            states[host] = state
            if not events and _quiet(stored.value.state, state):
                continue
            write = self._records.agents.write(tenant, AgentRecord(host=host, state=state), stored.version)
            writes.append((host, [write, *self._told(tenant, host, events, now)]))
        for host in sorted(set(silent) & set(found)):
            if found[host].value.state.through:
                record = AgentRecord(host=host, state=_silent(found[host].value.state))
                writes.append((host, [self._records.agents.write(tenant, record, found[host].version)]))
        for part in _parts(writes):
            try:
                puts = [put for _, several in part for put in several]
                self._records.store.transact(puts, token=f"heard-{self._context.entropy.uid()}")
            except (Conflict, TooLarge):  # something was wanted of one of them meanwhile
                for host, _ in part:
                    if host in says:
                        states[host] = self._hear(tenant, host, cluster, says[host], policy)
                    else:
                        self.update(tenant, host, _silent)
        return states

    def _hear(self, tenant: str, host: str, cluster: str, say: Say, policy: FleetPolicy) -> AgentState:
        def attempt() -> AgentState:
            stored = self._read(tenant, host)
            state, events = _heard(stored.value.state, cluster, say, self._context.clock.now(), policy)
            return self._save(tenant, host, state, stored.version, events).value.state

        return retrying(attempt)

    def state(self, tenant: str, host: str) -> AgentState:
        """What is known of a host's agent, deadlines applied."""
        return self._settled(tenant, host).value.state

    def proven(self, tenant: str, host: str) -> EffectiveConfig | None:
        """What a node's collector runs, secrets masked: it gave the configuration's hash back, which holds for no other
        text. None while it gave none back, or runs nothing."""
        state = self.state(tenant, host)
        held, given = state.confirmed, state.effective
        if held is None or given is None or given.marker != held.marker or held.content_hash == IDLE_HASH:
            return None
        config = stamped(share(self.config(tenant, held.content_hash), host), held.scope)
        return EffectiveConfig(host=host, marker=held.marker, config=mask_secrets(config), at=given.at)

    def states(self, tenant: str, hosts: Collection[str]) -> dict[str, AgentState]:
        """The same of many hosts, in few requests."""
        found = self._agents.several(tenant, hosts)
        now = self._context.clock.now()
        out = {}
        for host in hosts:
            state = found[host].value.state if host in found else AgentState()
            overdue = expire(state, now, self.policy)[0] != state
            out[host] = self.state(tenant, host) if overdue else state
        return out

    def want(self, tenant: str, host: str, scope: str, content: str, purpose: Purpose, *, force: bool = False) -> None:
        """Want a configuration on a host. Idempotent. Raises Conflict when it failed there before, unless forced."""

        def attempt() -> None:
            stored = self._read(tenant, host)
            state = assign(stored.value.state, scope, content, self._context.clock.now(), purpose, force)
            if state != stored.value.state:
                self._records.agents.save(tenant, AgentRecord(host=host, state=state), stored.version)
                self._wanted(tenant, [host])

        retrying(attempt)

    def want_all(self, tenant: str, wants: Mapping[str, Want]) -> None:
        """`want` on many hosts, many in one transaction. Raises Conflict, after the others, for one that failed."""
        if len(wants) <= FEW:
            for host, want in wants.items():
                self.want(tenant, host, want.scope, want.content, want.purpose)
            return
        found = self._agents.several(tenant, wants)
        now = self._context.clock.now()
        refused: Conflict | None = None
        writes: list[tuple[str, Put]] = []
        for host, want in wants.items():
            stored = found.get(host) or Stored(AgentRecord(host=host), 0)
            try:
                state = assign(stored.value.state, want.scope, want.content, now, want.purpose, force=False)
            except Conflict as conflict:
                refused = refused or conflict
                continue
            if state != stored.value.state:
                record = AgentRecord(host=host, state=state)
                writes.append((host, self._records.agents.write(tenant, record, stored.version)))
        for start in range(0, len(writes), AT_ONCE):
            part = writes[start : start + AT_ONCE]
            try:
                puts = [put for _, put in part]
                self._records.store.transact(puts, token=f"wants-{self._context.entropy.uid()}")
            except (Conflict, TooLarge):  # one of the hosts spoke meanwhile
                for host, _ in part:
                    self.want(tenant, host, wants[host].scope, wants[host].content, wants[host].purpose)
        self._wanted(tenant, [host for host, _ in writes])
        if refused is not None:
            raise refused

    def want_idle(self, tenant: str, host: str, scope: str = "") -> None:
        """Want nothing on a host: its collector runs idle."""
        self.want(tenant, host, scope, IDLE_HASH, Purpose.IDLE)

    def dismiss(self, tenant: str, agent: str) -> None:
        """Want nothing more of a second agent; what it ran is not gone back to. Idempotent."""
        self.update(tenant, agent, dismissed)

    def keep_config(self, tenant: str, config: Mapping[str, Any]) -> str:
        """Store a configuration under its content hash, which is returned. Idempotent."""
        key = content_hash(config)
        if self._records.configs.find(tenant, key) is None:
            # A conflict means that another stored it at the same moment: same hash, same content.
            with suppress(Conflict):
                self._records.configs.create(tenant, ConfigBody(content_hash=key, config=dict(config)))
        return key

    def keep_configs(self, tenant: str, configs: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
        """`keep_config` of each host's, many in one transaction; content hashes by host."""
        if len(configs) <= FEW:
            return {host: self.keep_config(tenant, config) for host, config in configs.items()}
        keys = {host: content_hash(config) for host, config in configs.items()}
        bodies = {keys[host]: config for host, config in configs.items()}
        # What is stored under a hash already is the same: writing it again changes nothing.
        puts = [
            self._records.configs.write(tenant, ConfigBody(content_hash=key, config=dict(config)), ANY_VERSION)
            for key, config in bodies.items()
        ]
        each = max(1, min(AT_ONCE, MAX_TRANSACT_BYTES // 2 // max(len(json.dumps(put.item.body)) for put in puts)))
        for start in range(0, len(puts), each):
            part = puts[start : start + each]
            self._records.store.transact(part, token=f"configs-{self._context.entropy.uid()}")
        return keys

    def config(self, tenant: str, key: str) -> dict[str, Any]:
        """The configuration of a content hash, unstamped."""
        return IDLE_CONFIG if key == IDLE_HASH else self._records.configs.get(tenant, key).value.config

    def update(self, tenant: str, host: str, change: Any) -> AgentState:
        """Apply a pure change (AgentState -> AgentState) to a host's agent."""

        def attempt() -> AgentState:
            stored = self._read(tenant, host)
            state: AgentState = change(stored.value.state)
            if state != stored.value.state:
                self._records.agents.save(tenant, AgentRecord(host=host, state=state), stored.version)
            return state

        return retrying(attempt)

    def _read(self, tenant: str, host: str) -> Stored[AgentRecord]:
        return self._agents.find(tenant, host) or Stored(AgentRecord(host=host), 0)

    def _settled(self, tenant: str, host: str) -> Stored[AgentRecord]:
        def attempt() -> Stored[AgentRecord]:
            stored = self._read(tenant, host)
            state, events = expire(stored.value.state, self._context.clock.now(), self.policy)
            return stored if state == stored.value.state else self._save(tenant, host, state, stored.version, events)

        return retrying(attempt)

    def _save(
        self,
        tenant: str,
        host: str,
        state: AgentState,
        version: int,
        events: Sequence[Event],
        effective: dict[str, Any] | None = None,
    ) -> Stored[AgentRecord]:
        """All that one moment changed, or nothing of it: what came with it may never be said again."""
        now = self._context.clock.now()
        record = AgentRecord(host=host, state=state)
        write = self._records.agents.write(tenant, record, version)
        more: list[Write] = []
        if effective is not None:
            kept = _kept(host, state.effective.marker if state.effective else "", effective, now)
            more.append(self._records.effective_configs.write(tenant, kept, ANY_VERSION))
        more += self._told(tenant, host, events, now)
        if more:
            self._records.store.transact([write, *more], token=f"agent-{self._context.entropy.uid()}")
        else:
            self._records.store.put(write.item, write.expected)
        return Stored(record, write.item.version)

    def _told(self, tenant: str, host: str, events: Sequence[Event], now: float) -> list[Put]:
        """The audit entries of what happened."""
        happened = [(f"config {e.kind.value}", _detail(e)) for e in events if e.kind in _RECORDED]
        actor = f"host:{host_of(host)}"
        return self._records.audit.entries(tenant, actor, at=now, actor=actor, happened=happened) if happened else []

    def _bind(self, principal: Principal, report: AgentReport) -> None:
        """An instance uid belongs to the host whose token used it first."""
        found = self._records.agent_bindings.find(EVERYWHERE, report.instance_uid)
        binding = AgentBinding(instance_uid=report.instance_uid, tenant=principal.tenant, host=principal.subject)
        if found is None:
            try:
                found = self._records.agent_bindings.create(EVERYWHERE, binding)
            except Conflict:
                found = self._records.agent_bindings.get(EVERYWHERE, report.instance_uid)
        if found.value != binding:
            raise NotAllowed("this agent belongs to another host; use that host's own token")

    def _receive(self, tenant: str, host: str, report: AgentReport) -> Outcome:
        stored = self._read(tenant, host)
        now = self._context.clock.now()
        outcome = receive(stored.value.state, report, now, self.policy)
        self._save(tenant, host, outcome.state, stored.version, outcome.events, outcome.effective)
        return outcome

    def _offered(self, tenant: str, agent: str, marker: str) -> dict[str, Any] | None:
        """The stamped configuration that this agent was offered under a marker, while it is remembered."""
        state = self._read(tenant, agent).value.state
        known = (state.desired, state.confirmed, *state.previous)
        one = next((a for a in known if a is not None and a.marker == marker), None)
        return self._stamped(tenant, one.content_hash, one.revision, one.scope) if one else None

    def _body(self, tenant: str, offer: Offer | None) -> dict[str, Any] | None:
        if offer is None:
            return None
        return self._stamped(tenant, offer.content_hash, offer.revision, offer.scope)

    def _stamped(self, tenant: str, content: str, revision: int, scope: str) -> dict[str, Any]:
        return stamp(self.config(tenant, content), revision, scope)[0]


def _heard(
    state: AgentState, cluster: str, say: Say, now: float, policy: FleetPolicy
) -> tuple[AgentState, tuple[Event, ...]]:
    """Deadlines first, as for every host; then what it says, in answer to what is wanted of it."""
    state, expired = expire(state, now, policy)
    state, report = say(state)
    outcome = receive(state, report, now, policy)
    return outcome.state.model_copy(update={"through": cluster}), (*expired, *outcome.events)


def _silent(state: AgentState) -> AgentState:
    """From now on it was heard of when it was, whatever its cluster says of others."""
    return state.model_copy(update={"through": ""})


def _quiet(before: AgentState, after: AgentState) -> bool:
    """Whether nothing is new but that it was heard of, which its cluster keeps."""
    if before.last_seen is None:
        return False
    same: dict[str, Any] = {"sequence": before.sequence, "digest": before.digest, "last_seen": before.last_seen}
    if before.effective is not None and after.effective is not None:
        same["effective"] = after.effective.model_copy(update={"at": before.effective.at})
    return after.model_copy(update=same) == before


def _parts(writes: Sequence[tuple[str, list[Write]]]) -> Iterator[list[tuple[str, list[Write]]]]:
    """Hosts with their writes, at most AT_ONCE writes together; a host's own stay together."""
    part: list[tuple[str, list[Write]]] = []
    size = 0
    for one in writes:
        if part and size + len(one[1]) > AT_ONCE:
            yield part
            part, size = [], 0
        part.append(one)
        size += len(one[1])
    if part:
        yield part


def _detail(event: Event) -> dict[str, Any]:
    return event.model_dump(mode="json", exclude={"kind"}, exclude_defaults=True)


def _kept(host: str, marker: str, config: dict[str, Any], now: float) -> EffectiveConfig:
    size = len(json.dumps(config))
    if size <= MAX_EFFECTIVE:
        return EffectiveConfig(host=host, marker=marker, config=config, at=now)
    return EffectiveConfig(host=host, marker=marker, config={}, omitted=f"too large to keep: {size} bytes", at=now)
