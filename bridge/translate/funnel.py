"""Before the order: carts become additions, visitors are joined to what they did."""

from dataclasses import dataclass, field
from datetime import timedelta

from bridge import carts, visitors
from bridge.carts import CartState
from bridge.events import CartSnapshot, Event, Occasion, Visitor, event_id
from bridge.store import KnownVisitor, Visited
from bridge.subjects import token_key

from .memory import Memory
from .view import View


@dataclass
class _Slot:
    """One visitor while a batch is decided; `id` is None until it is stored."""

    id: int | None
    visitor: Visitor
    changed: bool = False


@dataclass
class Funnel:
    """Carts and visitors of one batch, over what the memory knows of them."""

    view: View
    memory: Memory = field(default_factory=Memory)
    _slots: dict[bytes, _Slot] = field(default_factory=dict)
    _carts: dict[bytes, CartState] = field(default_factory=dict)
    _absorbed: set[int] = field(default_factory=set)
    _token_keys: dict[str, bytes] = field(default_factory=dict)

    def remember(self, memory: Memory) -> None:
        """Take over what is known."""
        self.memory = memory
        slots: dict[int | None, _Slot] = {}
        for key, known in memory.visitors.items():
            slot = slots.setdefault(known.id, _Slot(id=known.id, visitor=known.visitor))
            self._slots[key] = slot

    def token_key(self, token: str) -> bytes:
        """Return the keyed hash of an unguessable token of this source."""
        if token not in self._token_keys:
            view = self.view
            self._token_keys[token] = token_key(view.subject_key, view.source.word, token)
        return self._token_keys[token]

    def additions(self, snapshot: CartSnapshot) -> list[Event]:
        """Return what was added to a cart since it was last seen."""
        key = self.token_key(f"cart:{snapshot.cart_token}")
        state = self._carts.get(key) or self.memory.carts.get(key)
        closed = [
            line
            for line, growth in (state.growing if state else {}).items()
            if self._is_closed(carts.subject_id(snapshot.cart_token, line, growth.began_at))
        ]
        debounce = timedelta(seconds=self.view.rules.funnel.debounce_seconds)
        after, events = carts.advance(state, snapshot, debounce=debounce, closed=closed)
        if after is not state:
            self._carts[key] = after
        return events

    def _is_closed(self, subject_id: str) -> bool:
        word = self.view.source.word if self.view.adapter.local_ids else None
        wanted = event_id(Occasion.CART_ADDED, subject_id, word)
        return any(
            entry.is_final for (_, _, known), entry in self.memory.by_id.items() if known == wanted
        )

    def tell(self, visitor: Visitor) -> None:
        """Take in what a browser told; visitors that share a key become one."""
        keys = [self.token_key(token) for token in visitor.keys]
        known = list({id(slot): slot for key in keys if (slot := self._slots.get(key))}.values())
        merged = _Slot(id=None, visitor=visitor, changed=True)
        for slot in known:
            merged.visitor = visitors.merge(slot.visitor, merged.visitor)
            if slot.id is not None:
                self._absorbed |= {slot.id} if merged.id is not None else set()
                merged.id = merged.id or slot.id
        absorbed = {id(slot) for slot in known}
        for key, slot in self._slots.items():
            if id(slot) in absorbed:  # also under keys that the merged one has too many of
                self._slots[key] = merged
        for token in merged.visitor.keys:
            self._slots[self.token_key(token)] = merged

    def join(self, event: Event) -> Event:
        """Return *event* with what its visitor's browser told."""
        for token in event.visitor_keys:
            if slot := self._slots.get(self.token_key(token)):
                event = visitors.join(event, slot.visitor)
        return event

    def visited(self) -> Visited:
        """Return what is to be written."""
        keys: dict[int, set[bytes]] = {}
        for key, slot in self._slots.items():
            keys.setdefault(id(slot), set()).add(key)
        changed = {id(slot): slot for slot in self._slots.values() if slot.changed}
        return Visited(
            carts=self._carts,
            visitors=[
                (KnownVisitor(id=slot.id, visitor=slot.visitor), frozenset(keys[id(slot)]))
                for slot in changed.values()
            ],
            absorbed=self._absorbed,
        )
