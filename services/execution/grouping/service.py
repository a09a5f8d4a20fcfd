"""The use cases of comparing what the hosts of an execution said."""

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Final, Literal

from services.execution.errors import OutputGroupNotFound
from services.execution.grouping.domain import (
    MOST_HOSTS,
    Group,
    Masks,
    Normaliser,
    Output,
    Summary,
    difference,
    grouped,
    own_words,
)
from services.execution.grouping.schemas import DiffOut, GroupOut, GroupsOut, MemberOut
from services.execution.history.domain import Wanted
from services.execution.history.service import History, View, Which
from services.execution.logs.repository import Owner
from services.execution.segments.domain import Kind

COMPARED_BYTES: Final = 1024 * 1024
"""Of each output so much is compared; of longer ones the length counts, too."""
DIFF_BYTES: Final = 512 * 1024
REMEMBERED: Final = 16

StreamName = Literal["stdout", "stderr"]


@dataclass(frozen=True)
class Question:
    """What is compared."""

    execution_id: str
    step_id: str | None
    stream: StreamName
    masks: Masks


class Grouping:
    """Compares outputs; what was found about a complete execution is remembered for a while."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._known: OrderedDict[tuple[Question, int], list[Group]] = OrderedDict()

    async def groups(self, question: Question) -> GroupsOut:
        """Groups of hosts that said the same."""
        view, found = await self._groups(question)
        return GroupsOut.model_construct(
            step_id=question.step_id,
            stream=question.stream,
            total=sum(len(group.members) for group in found),
            groups=[_shown(group, view.owners) for group in found],
            complete=view.is_settled,
        )

    async def diff(self, question: Question, a: str | None, b: str) -> DiffOut:
        """How a group differs from another, or from the majority."""
        view, found = await self._groups(question)
        by_hash = {group.output.sha256: group for group in found}
        majority = found[0].output.sha256 if found else ""
        names = (a or majority, b)
        if any(name not in by_hash for name in names):
            raise OutputGroupNotFound()
        tasks = [by_hash[name].members[0] for name in names]

        def compare() -> tuple[list[str], bool]:
            texts = [self._lines(view, task, question) for task in tasks]
            hosts = (view.owners[tasks[0]].host_name, view.owners[tasks[1]].host_name)
            return difference(texts[0], texts[1], hosts)

        lines, is_cut = await self._history.in_thread(compare)
        return DiffOut.model_construct(a=names[0], b=names[1], lines=lines, is_cut=is_cut)

    async def _groups(self, question: Question) -> tuple[View, list[Group]]:
        view = await self._history.view(question.execution_id, Which(step_id=question.step_id))
        if question.step_id is None:
            view = replace(view, owners=await self._history.owners_in(question.execution_id))
        key = (question, view.end)
        found = self._known.get(key)
        if found is None:
            found = await self._history.in_thread(lambda: self._compare(view, question))
            if view.is_settled:
                self._known[key] = found
                if len(self._known) > REMEMBERED:
                    self._known.popitem(last=False)
        return view, found

    def _compare(self, view: View, question: Question) -> list[Group]:
        """One way through the output for all hosts; memory for a hash and a sample of each."""
        summaries = {
            task_id: Summary(_normaliser(owner, question.masks), COMPARED_BYTES)
            for task_id, owner in view.owners.items()
        }
        wanted = Wanted(frozenset(summaries), question.stream)
        for _, _, _, frame in self._history.log(replace(view, wanted=wanted)).frames():
            summary = summaries.get(frame.task_id)
            if summary is None or frame.attempt != view.owners[frame.task_id].attempt:
                continue
            if frame.kind == Kind.OUTPUT:
                summary.add(frame.data)
            else:
                summary.add(b"<%d bytes are missing>" % frame.gap[0])
        outputs: list[tuple[str, Output]] = [
            (task_id, summary.output()) for task_id, summary in summaries.items()
        ]
        return grouped(outputs)

    def _lines(self, view: View, task_id: str, question: Question) -> list[str]:
        """An output as it is compared, its beginning at least."""
        owner = view.owners[task_id]
        normalise = _normaliser(owner, question.masks)
        wanted = Wanted(frozenset((task_id,)), question.stream)
        held, size = [], 0
        for _, _, _, frame in self._history.log(replace(view, wanted=wanted)).frames():
            if frame.kind == Kind.OUTPUT and frame.attempt == owner.attempt:
                held.append(frame.data)
                size += len(frame.data)
                if size > DIFF_BYTES:
                    break
        text = normalise(b"".join(held)[:DIFF_BYTES])
        return text.decode("utf-8", "replace").split("\n")


def _normaliser(owner: Owner, masks: Masks) -> Normaliser:
    own = own_words(owner.host_name, owner.ip_address) if masks.own else None
    return Normaliser(own, hides_times=masks.times)


def _shown(group: Group, owners: dict[str, Owner]) -> GroupOut:
    output = group.output
    return GroupOut.model_construct(
        hash=output.sha256,
        count=len(group.members),
        lines=output.lines,
        bytes=output.size,
        sample=output.sample.decode("utf-8", "replace"),
        is_cut=output.is_cut,
        hosts=[
            MemberOut.model_construct(
                host_id=owners[task].host_id, host=owners[task].host_name, task_id=task
            )
            for task in group.members[:MOST_HOSTS]
        ],
    )
