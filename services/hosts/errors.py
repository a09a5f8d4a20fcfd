"""What can be wrong with a request about hosts, groups and agents."""

from libs.kit.errors import Conflict, Invalid, NotFound, Unauthenticated, Unavailable


class HostNotFound(NotFound):
    """There is none with that id."""

    code = "host_not_found"
    message = "There is no such host."
    message_zh = "没有这台主机。"


class HostNameTaken(Conflict):
    """Names that differ only by case or composition are the same name."""

    code = "host_name_taken"
    message = "A host with this name exists already."
    message_zh = "该主机名称已存在。"


class HostAddressTaken(Conflict):
    """Two spellings of one address and port are one place."""

    code = "host_address_taken"
    message = (
        "Another host has this address and port already. Set allow_shared_address if that is meant."
    )
    message_zh = "已有其他主机使用此地址和端口。如确需共用，请设置 allow_shared_address。"


class NoHostsNamed(Invalid):
    """An empty set is an error, never everything (R4)."""

    code = "no_targets"
    message = "Name at least one host."
    message_zh = "请至少指定一台主机。"


class GroupNotFound(NotFound):
    """There is none with that id or name."""

    code = "group_not_found"
    message = "There is no such group."
    message_zh = "没有这个主机组。"


class GroupNameTaken(Conflict):
    """Names of groups are unique in the whole tree."""

    code = "group_name_taken"
    message = "A group with this name exists already."
    message_zh = "该主机组名称已存在。"


class GroupCycle(Conflict):
    """A group cannot lie below itself."""

    code = "group_cycle"
    message = "A group cannot be placed below itself."
    message_zh = "主机组不能放到自己的下级。"


class GroupTooDeep(Conflict):
    """The tree has a bounded depth."""

    code = "group_too_deep"
    message = "Groups can be nested at most 16 deep."
    message_zh = "主机组最多嵌套 16 层。"


class GroupHasSubgroups(Conflict):
    """Deleting a group never deletes another."""

    code = "group_has_subgroups"
    message = "This group has subgroups. Move or delete them first."
    message_zh = "该主机组包含下级组，请先移动或删除下级组。"


class AgentNotFound(NotFound):
    """There is none with that id."""

    code = "agent_not_found"
    message = "There is no such agent."
    message_zh = "没有这个 Agent。"


class AgentIsRetired(Conflict):
    """A retired identity never comes back."""

    code = "agent_retired"
    message = "This agent is retired. Enrol the host again to give it a new one."
    message_zh = "该 Agent 已退役，请重新注册主机以获得新的 Agent。"


class EnrolmentTokenNotFound(NotFound):
    """There is none with that id."""

    code = "enrolment_token_not_found"
    message = "There is no such enrolment token."
    message_zh = "没有这个注册令牌。"


class EnrolmentTokenSpent(Conflict):
    """Used or revoked already; there is nothing left to revoke."""

    code = "enrolment_token_spent"
    message = "This enrolment token was used or revoked already."
    message_zh = "该注册令牌已被使用或撤销。"


class EnrolmentRefused(Unauthenticated):
    """One answer for every bad token and every bad signature, so that neither can be probed."""

    code = "enrolment_refused"
    message = "Enrolment refused. Ask for a new token."
    message_zh = "注册被拒绝，请申请新的令牌。"


class TrustNotVouched(Invalid):
    """A trust bundle that its own root key did not sign."""

    code = "trust_not_vouched"
    message = "The root key does not vouch for this trust bundle."
    message_zh = "根密钥未对该信任包签名。"


class TrustOutdated(Conflict):
    """The list of revoked keys is older than the one that is known."""

    code = "trust_outdated"
    message = "This trust bundle is older than the present one."
    message_zh = "该信任包比当前的旧。"


class TrustRootDiffers(Conflict):
    """Agents believe one root key for ever; another one needs new enrolments."""

    code = "trust_root_differs"
    message = "The agents of this installation believe another root key."
    message_zh = "本系统的 Agent 信任的是另一个根密钥。"


class GatewayCertificateUnreadable(Unavailable):
    """Settings name a certificate for the line that enrols agents, and there is none to read."""

    code = "gateway_certificate_unreadable"
    message = "The agent gateway's certificate cannot be read, so no token is issued."
    message_zh = "无法读取 Agent 网关的证书，因此未签发令牌。"
