"""Simulated agents: the real protocol over real sockets with real keys; no process is started.

One agent, scripted:

    identity = await enrol_over_http("127.0.0.1", port, token)        # or Identity.fresh()
    agent = FakeAgent("127.0.0.1", port, identity, work=Work(stdout=(b"hello\\n",)))
    await agent.connect()                  # challenge, hello, welcome
    offer = await agent.expect("offer")    # what the gateway sent, as a dict
    await agent.drop()                     # the cable is cut; connect() again resumes

A thousand of them in one process, for load:

    async with Swarm("127.0.0.1", port, identities) as swarm:
        ...                                # they claim, start, print and report by themselves
        swarm.count("result_ack")
"""

from tests.support.agent_line import Ended, Line, Refused
from tests.support.agent_work import Message, SimulatedTask, Work
from tests.support.fake_agent import FakeAgent
from tests.support.identities import (
    Enroller,
    Identity,
    enrol_many,
    enrol_over_http,
    enrol_request,
)
from tests.support.swarm import Swarm

__all__ = [
    "Ended",
    "Enroller",
    "FakeAgent",
    "Identity",
    "Line",
    "Message",
    "Refused",
    "SimulatedTask",
    "Swarm",
    "Work",
    "enrol_many",
    "enrol_over_http",
    "enrol_request",
]
