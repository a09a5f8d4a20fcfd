"""Rules about dangerous commands, those that are shipped, and the consent executions wait for."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from libs.kit.db import UTCDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_COMMAND = r"(?:^|[;&|({`]|\b(?:sudo|then|do|else|exec|nohup|env)\s)\s*(?:/(?:usr/)?s?bin/)?"
_FLAGS = r"(?:-[-a-zA-Z=]+\s+)*"
_RECURSIVE = rf"{_FLAGS}(?:-[a-zA-Z]*[rR][a-zA-Z]*|--recursive)\s+{_FLAGS}(?:--\s+)?"
_SYSTEM = r"/(?:bin|boot|dev|etc|home|lib|lib64|opt|root|sbin|srv|sys|usr|var)?/?\*?"
_END = r"""["']?(?:[\s;&|)]|$)"""
_DISK = r"/dev/(?:sd|hd|vd|xvd|nvme|mmcblk|dm-|md|mapper/|disk/)"

SHIPPED: tuple[tuple[str, str, list[str], str], ...] = (
    (
        "Delete system folders",
        "Deletes the root of the file system or a folder of the system. 删除根目录或系统目录。",
        ["shell"],
        rf"""\brm\s+{_RECURSIVE}["']?{_SYSTEM}{_END}""",
    ),
    (
        "Make a file system",
        "Formats a disk; what was on it is gone. 格式化磁盘，原有数据将丢失。",
        ["shell"],
        r"\bmkfs(?:\.[a-z0-9]+)?\s",
    ),
    (
        "Write over a disk",
        "Writes to a disk below its file system. 绕过文件系统直接写磁盘。",
        ["shell"],
        rf"\bdd\b[^\n]*\bof={_DISK}|>\s*{_DISK}",
    ),
    (
        "Wipe or partition a disk",
        "Erases a disk or changes its partitions. 擦除磁盘或更改分区。",
        ["shell"],
        rf"\b(?:wipefs|shred|blkdiscard|sgdisk|sfdisk|parted)\b[^\n]*{_DISK}",
    ),
    (
        "Stop the host",
        "Shuts the host down or starts it anew. 关机或重启主机。",
        ["shell"],
        rf"{_COMMAND}(?:shutdown|reboot|halt|poweroff|telinit\s+[06]|init\s+[06])\b"
        r"|\bsystemctl\s+(?:--?\S+\s+)*(?:reboot|poweroff|halt|kexec)\b",
    ),
    (
        "Fork bomb",
        "Starts processes until the host stands still. 不断创建进程直至主机失去响应。",
        ["shell"],
        r":\s*\(\s*\)\s*\{\s*:\s*\|\s*:\s*&\s*\}\s*;\s*:",
    ),
    (
        "Change owner or mode of system folders",
        "Gives away the root of the file system or a folder of the system. "
        "递归更改根目录或系统目录的属主或权限。",
        ["shell"],
        rf"""\bch(?:mod|own)\s+{_RECURSIVE}\S+\s+["']?{_SYSTEM}{_END}""",
    ),
    (
        "Run what was just downloaded",
        "Hands a download to a shell without a look at it. 下载内容未经检查直接交给 Shell 执行。",
        ["shell"],
        r"\b(?:curl|wget)\b[^\n|]*\|\s*(?:sudo\s+)?(?:ba|da|z|k)?sh\b",
    ),
    (
        "Kill all processes",
        "Ends every process that may be ended. 结束所有可结束的进程。",
        ["shell"],
        r"\bkill\s+(?:-9|-KILL|-s\s*(?:9|KILL)|-SIGKILL)\s+(?:--\s+)?-1\b",
    ),
    (
        "Drop a database",
        "Deletes a whole database or schema. 删除整个数据库或模式。",
        [],
        r"(?i)\bdrop\s+(?:database|schema)\b",
    ),
    (
        "Delete a tree from Python",
        "Deletes the root of the file system or a folder of the system. 删除根目录或系统目录。",
        ["python"],
        rf"""\brmtree\(\s*["']{_SYSTEM}["']""",
    ),
)


def upgrade() -> None:
    """Make the tables, and the rules that are shipped; they warn, and people may change them."""
    rules = op.create_table(
        "command_rules",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("pattern_kind", sa.String(length=8), nullable=False),
        sa.Column("pattern", sa.Text(), nullable=False),
        sa.Column("script_types", sa.JSON(), nullable=False),
        sa.Column("action", sa.String(length=8), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("host_group_ids", sa.JSON(), nullable=False),
        sa.Column("approver_ids", sa.JSON(), nullable=False),
        sa.Column("approver_group_ids", sa.JSON(), nullable=False),
        sa.Column("quorum", sa.Integer(), nullable=False),
        sa.Column("expires_seconds", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "execution_consents",
        sa.Column("approval_id", sa.String(length=36), nullable=False),
        sa.Column("execution_id", sa.String(length=36), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("subject_hash", sa.String(length=64), nullable=False),
        sa.Column("content", sa.Text(), nullable=True),
        sa.Column("rules", sa.JSON(), nullable=False),
        sa.Column("approver_ids", sa.JSON(), nullable=False),
        sa.Column("approver_group_ids", sa.JSON(), nullable=False),
        sa.Column("approver_names", sa.JSON(), nullable=False),
        sa.Column("quorum", sa.Integer(), nullable=False),
        sa.Column("detail", sa.String(length=500), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.Column("look_at", UTCDateTime(), nullable=False),
        sa.Column("decided_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["execution_id"], ["executions.id"]),
        sa.PrimaryKeyConstraint("approval_id"),
    )
    op.create_index("ix_execution_consents_execution_id", "execution_consents", ["execution_id"])
    op.create_index(
        "ix_execution_consents_state_look_at", "execution_consents", ["state", "look_at"]
    )
    op.add_column(
        "executions",
        sa.Column("findings", sa.JSON(), nullable=False, server_default=sa.text("'[]'")),
    )
    at = datetime.now(UTC)
    op.bulk_insert(rules, [_row(at, *shipped) for shipped in SHIPPED])


def _row(
    at: datetime, name: str, description: str, script_types: list[str], pattern: str
) -> dict[str, object]:
    return {
        "name": name,
        "description": description,
        "pattern_kind": "regex",
        "pattern": pattern,
        "script_types": script_types,
        "action": "warn",
        "is_enabled": True,
        "host_group_ids": [],
        "approver_ids": [],
        "approver_group_ids": [],
        "quorum": 1,
        "expires_seconds": 86_400,
        "created_at": at,
        "updated_at": at,
    }


def downgrade() -> None:
    """Drop them."""
    op.drop_column("executions", "findings")
    op.drop_table("execution_consents")
    op.drop_table("command_rules")
