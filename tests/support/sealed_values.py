"""Golden values of the sealing between server and agent; both sides are tested against them.

`libs.protocol.sealing` states the form.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class SealedValue:
    """One value with everything that makes it, so that each side can do its part alone.

    All keys, the nonce and the sealed form are standard base64.
    """

    receiver_private: str
    receiver_public: str
    sender_private: str
    nonce: str
    task_id: str
    attempt: int
    name: str
    plain: str
    sealed: str


GOLDEN = (
    SealedValue(
        receiver_private="AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=",
        receiver_public="pOCSkrZRwni5dyxWn1+puxPZBrRqtoyd+dwrRAn4ogk=",
        sender_private="ZWVlZWVlZWVlZWVlZWVlZWVlZWVlZWVlZWVlZWVlZWU=",
        nonce="ycnJycnJycnJycnJ",
        task_id="019a0000-0000-7000-8000-000000000001",
        attempt=1,
        name="PASSWORD",
        plain="correct horse battery staple",
        sealed="AftBsfz3XBIn+giHYFal7QesRP4MEW7C3oC45SOVnXgkycnJycnJycnJycnJR/yFtBNNrDfjfyFmgM62xp5atnKNbbKJVf8u7bvMh7Cx81+W6mVRCOdFv24=",
    ),
    SealedValue(
        receiver_private="AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=",
        receiver_public="zo060cy2M+x7cMF4FKXHbs0CloUFDTRHRboFhw5YfVk=",
        sender_private="ZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmY=",
        nonce="ysrKysrKysrKysrK",
        task_id="019a0000-0000-7000-8000-000000000002",
        attempt=7,
        name="KEY_FILE",
        plain="-----BEGIN KEY-----\nAA==\n-----END KEY-----\n",
        sealed="ASGeTYANqWjSpfywCceE9HRscTjtue5IRLc56DCwXPQkysrKysrKysrKysrK7eFO2XEkAkU4UzDRBQE70ahWJEnowIvS8fu9c+Atpqsbh2NKR48TN8aKX5f/LsCtQ10E78vxKEiKAok=",
    ),
    SealedValue(
        receiver_private="AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=",
        receiver_public="Xf7dO2vUf2+ijuFdlp1bsOpTd01Ii9r53xxuASSz7yI=",
        sender_private="Z2dnZ2dnZ2dnZ2dnZ2dnZ2dnZ2dnZ2dnZ2dnZ2dnZ2c=",
        nonce="y8vLy8vLy8vLy8vL",
        task_id="019a0000-0000-7000-8000-000000000003",
        attempt=1,
        name="SENTENCE",
        plain="p\xe4ss\u5bc6\u7801\U0001f511 '\"$(reboot)`",
        sealed="AWyjvznZdqs2qAhTG9fsLktPiq46kBNFNNUPQR03eiwFy8vLy8vLy8vLy8vL4q4zNguCWpf+dLGvCNZ5XHZW9zW+mVExDr0gtsopTUOvz1LOIAryGKQ+Nyc=",
    ),
    SealedValue(
        receiver_private="BAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ=",
        receiver_public="rAGyIJ6GNU+4UyN7XeD0+rE8f8v0M6YcAZNpYX/s8Qs=",
        sender_private="aGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGg=",
        nonce="zMzMzMzMzMzMzMzM",
        task_id="t",
        attempt=1,
        name="X",
        plain="",
        sealed="Adp4XZqjzciMJAF2BTWtX0NtyDpULilPqvB/siU7AJQWzMzMzMzMzMzMzMzMKl8EKMY8bDymnL9/CGQ8iw==",
    ),
)
