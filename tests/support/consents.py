"""A stand-in for auth as far as executions ask it for the consent of people."""

from datetime import timedelta
from hashlib import sha256

from libs.contracts.approvals import ApprovalInfo, ApprovalRequest, ApprovalState, ApprovalVote
from libs.kit.clock import now
from libs.kit.ids import new_id

Answer = tuple[int, object]


class Consulted:
    """Approvals as auth keeps them; people are asked and say yes or no through `say`.

    `people` are all who could approve; `silent` loses the next requests after they were stored.
    """

    def __init__(self) -> None:
        self.people = {11: "bob", 12: "cid"}
        self.groups: dict[int, list[int]] = {}
        self.kept: dict[str, ApprovalInfo] = {}
        self.contents: dict[str, str] = {}
        self.asked: list[str] = []
        self.down = False
        self.silent = 0

    def answer(self, path: str, body: dict[str, object]) -> Answer:
        """What auth answers to a question about approvals."""
        if self.down:
            return 503, {"error": "unavailable", "details": {}}
        if path == "/internal/approvals/approvers":
            found = self._people(body["user_ids"], body["group_ids"], body["but"])
            return 200, [{"user_id": one, "username": self.people[one]} for one in found]
        if path == "/internal/approvals":
            return self._request(ApprovalRequest.model_validate(body))
        info = self.kept.get(str(body["approval_id"]))
        if info is None:
            return 404, {"error": "approval_not_found", "details": {}}
        if path == "/internal/approvals/withdraw":
            if info.state is not ApprovalState.OPEN:
                return 409, {"error": "approval_closed", "details": {}}
            info.state = ApprovalState.WITHDRAWN
        return 200, self._stands(info).model_dump(mode="json")

    def _people(self, users: object, groups: object, but: object) -> list[int]:
        assert isinstance(users, list)
        assert isinstance(groups, list)
        named = {*users, *(one for group in groups for one in self.groups.get(group, []))}
        return sorted(one for one in named if one in self.people and one != but)

    def _request(self, asked: ApprovalRequest) -> Answer:
        assert asked.id is not None
        assert sha256(asked.content.encode()).hexdigest() == asked.subject_hash
        self.asked.append(asked.id)
        if asked.id not in self.kept:
            self.contents[asked.id] = asked.content
            self.kept[asked.id] = ApprovalInfo(
                **asked.model_dump(exclude={"id", "expires_in_seconds", "content"}),
                id=asked.id,
                state=ApprovalState.OPEN,
                votes=[],
                created_at=now(),
                expires_at=now() + timedelta(seconds=asked.expires_in_seconds),
                decided_at=None,
            )
        if self.silent:
            self.silent -= 1
            return 503, {"error": "unavailable", "details": {}}
        return 200, self.kept[asked.id].model_dump(mode="json")

    def _stands(self, info: ApprovalInfo) -> ApprovalInfo:
        if info.state is ApprovalState.OPEN and info.expires_at <= now():
            info.state = ApprovalState.EXPIRED
        return info

    def of(self, execution_id: str) -> ApprovalInfo | None:
        """The newest approval of an execution."""
        found = [one for one in self.kept.values() if one.subject_id == execution_id]
        return found[-1] if found else None

    def say(
        self, approval: ApprovalInfo, *, approve: bool = True, user_id: int = 11, comment: str = ""
    ) -> None:
        """What one of the people says."""
        vote = ApprovalVote(
            user_id=user_id,
            username=self.people.get(user_id, "ann"),
            approve=approve,
            comment=comment,
            decided_at=now(),
        )
        approval.votes.append(vote)
        yes = sum(one.approve for one in approval.votes)
        if not approve:
            approval.state = ApprovalState.DECLINED
        elif yes >= approval.quorum:
            approval.state = ApprovalState.APPROVED

    def forge(self, execution_id: str, subject_hash: str, **more: object) -> str:
        """An approval that says yes, made by nobody who was asked; returns its id."""
        approval_id = new_id()
        whole: dict[str, object] = {
            "id": approval_id,
            "subject_kind": "execution",
            "subject_id": execution_id,
            "subject_name": "",
            "subject_hash": subject_hash,
            "requester_id": 7,
            "requester_name": "user-7",
            "reason": "",
            "approver_ids": [11],
            "approver_group_ids": [],
            "quorum": 1,
            "state": "approved",
            "votes": [],
            "created_at": now(),
            "expires_at": now() + timedelta(days=1),
            "decided_at": now(),
        }
        self.kept[approval_id] = ApprovalInfo.model_validate(whole | more)
        return approval_id
