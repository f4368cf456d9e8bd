"""The ring against a model: a deque, two counters."""

import fcntl
import os
from collections import Counter, deque

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hdr_lite.native import Ring

CAPACITY = 4096
KINDS = st.integers(1, 12)
HEADER = 24


class RingModel(RuleBasedStateMachine):
    """Puts, reads, commits and new ends in any order, as the deque has it."""

    def __init__(self):
        super().__init__()
        self.memfd = os.memfd_create("model", os.MFD_ALLOW_SEALING)
        os.ftruncate(self.memfd, Ring.size_for(CAPACITY))
        fcntl.fcntl(self.memfd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
        self.producer = Ring(self.memfd, format=True)
        self.consumer = Ring(self.memfd)
        self.held = deque()  # read, not committed
        self.unread = deque()
        self.number = 1
        self.dropped = Counter()

    def teardown(self):
        """Give the memory back."""
        os.close(self.memfd)

    def put_one(self, kind, time, body):
        """Put into both; whether there was room."""
        used = self.producer.used
        if self.producer.put(kind, time, body):
            self.unread.append((self.number, kind, time, body))
            self.number += 1
            return True
        self.dropped[kind] += 1
        assert used + 2 * (len(body) + HEADER + 8) + 2 * HEADER > CAPACITY  # it was really full
        return False

    @rule(kind=KINDS, time=st.integers(0, 2**64 - 1), body=st.binary(max_size=700))
    def put(self, kind, time, body):
        """One record, or a counted drop."""
        self.put_one(kind, time, body)

    @rule(kind=KINDS, length=st.integers(0, 600))
    def fill(self, kind, length):
        """As many records as fit, then one that is dropped."""
        while self.put_one(kind, self.number, bytes([self.number % 256]) * length):
            assert self.number < 1_000_000

    @rule(limit=st.integers(0, 40), mask=st.integers(0, 2**32 - 1) | st.just(2**32 - 1))
    def read(self, limit, mask):
        """The oldest unread records of the wanted kinds; the others are passed over."""
        expected = []
        while self.unread and len(expected) < limit:
            record = self.unread.popleft()
            self.held.append(record)
            if mask >> record[1] & 1:
                expected.append(record)
        assert self.consumer.read(limit, mask) == expected

    @rule(most=st.integers(0, CAPACITY))
    def read_up_to_bytes(self, most):
        """Reading ends with the record that reaches the number of bytes."""
        before = self.consumer.held
        got = self.consumer.read(1000, 2**32 - 1, most)
        assert got == [self.unread.popleft() for _ in got]
        self.held.extend(got)
        assert not (got and before >= most)
        assert self.consumer.held >= most or not self.unread

    @rule()
    def commit(self):
        """What was read is given back."""
        self.consumer.commit()
        self.held.clear()

    @rule()
    def new_producer(self):
        """Another process takes over the writing end."""
        self.producer = Ring(self.memfd)

    @rule()
    def new_consumer(self):
        """Another process takes over the reading end: the uncommitted comes again."""
        self.consumer = Ring(self.memfd)
        self.unread.extendleft(reversed(self.held))
        self.held.clear()

    @precondition(lambda self: not self.unread)
    @rule()
    def nothing_is_pending(self):
        """Nothing to read means nothing pending."""
        assert not self.consumer.pending()

    @invariant()
    def counts_agree(self):
        """Numbers have no gap, drops are counted by kind, bytes add up."""
        assert self.producer.number == self.number
        assert self.producer.dropped == tuple(self.dropped[kind] for kind in range(32))
        assert self.consumer.pending() == bool(self.unread)
        assert (self.consumer.used > 0) == bool(self.unread or self.held)
        assert self.consumer.held <= self.consumer.used <= CAPACITY


RingModel.TestCase.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
TestRingModel = RingModel.TestCase
