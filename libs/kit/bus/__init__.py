"""News between services: outbox to stream, stream to use cases, and batches from the agents."""

from libs.kit.bus.batches import BatchStream, Entry, StreamMark
from libs.kit.bus.consumers import Consumers, DeadLetters
from libs.kit.bus.relay import Relay, stream_of
from libs.kit.bus.subscriptions import Subscription, Subscriptions

__all__ = [
    "BatchStream",
    "Consumers",
    "DeadLetters",
    "Entry",
    "Relay",
    "StreamMark",
    "Subscription",
    "Subscriptions",
    "stream_of",
]
