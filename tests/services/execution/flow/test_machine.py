"""Any order of everything that can happen to executions keeps the invariants and comes to an end.

The rules drive the real repositories, reports and engine on SQLite in memory; only the clock, the
agents and the transport are models, and the transport loses, repeats and delays as it likes.
"""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from libs.contracts.execution import ExecutionStatus, TaskStatus
from services.execution.domain import RETRYABLE, TERMINAL, Strategy, Threshold, is_finished
from services.execution.plans.domain import Plan, StepPlan
from tests.support.engine import World

HOSTS = st.integers(0, World.HOSTS - 1)
CODES = st.sampled_from([0, 0, 0, 1, 7])
OUTCOMES = st.sampled_from(["exited", "exited", "exited", "timeout", "lost"])
STRATEGIES = st.sampled_from(
    [
        Strategy(),
        Strategy(concurrency=1),
        Strategy("serial", batches=("1",), threshold=Threshold("stop", hosts=0, explicit=False)),
        Strategy("rolling", batches=("1", "50%"), threshold=Threshold("pause", hosts=0)),
        Strategy("rolling", batches=("2",), batch_delay_seconds=5, confirm_between="each"),
        Strategy("rolling", batches=("1", "100%"), confirm_between="first"),
        Strategy("parallel", threshold=Threshold("stop", percent=40)),
        Strategy("parallel", threshold=Threshold("ignore", hosts=0), concurrency=2),
    ]
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["script", "script", "script", "confirm", "hosts_of"]),
        st.integers(0, 2),
        st.booleans(),
        st.booleans(),
        st.sampled_from([None, "success", "failed"]),
    ),
    min_size=1,
    max_size=3,
)


class Executions(RuleBasedStateMachine):
    """What may happen; see `World` for how."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.ends: dict[tuple[str, int], str] = {}
        self.allowed: set[tuple[str, int]] = set()
        """Attempts that a person asked for."""

    # ---- people -----------------------------------------------------------------------------

    @precondition(lambda self: len(self.world.executions()) < 3)
    @rule(steps=STEPS, strategy=STRATEGIES, hosts=st.integers(1, World.HOSTS), mute=st.booleans())
    def submit(
        self,
        steps: list[tuple[str, int, bool, bool, str | None]],
        strategy: Strategy,
        hosts: int,
        mute: bool,
    ) -> None:
        self.world.submit(_plan(self.world, steps, strategy, hosts, mute))

    @rule(number=st.integers(0, 5))
    def pause(self, number: int) -> None:
        self.world.operate(number, self.world.flow.pause)

    @rule(number=st.integers(0, 5))
    def resume(self, number: int) -> None:
        self.world.operate(number, self.world.flow.resume)

    @rule(number=st.integers(0, 5), approve=st.booleans())
    def confirm(self, number: int, approve: bool) -> None:
        self.world.confirm(number, approve=approve)

    @rule(number=st.integers(0, 5), step=st.integers(0, 3))
    def skip(self, number: int, step: int) -> None:
        self.world.skip(number, step)

    @rule(number=st.integers(0, 5), step=st.integers(0, 3))
    def ignore(self, number: int, step: int) -> None:
        self.allowed |= self.world.ignore(number, step)

    @rule(number=st.integers(0, 5), step=st.integers(0, 3))
    def retry(self, number: int, step: int) -> None:
        self.allowed |= self.world.retry(number, step)

    @rule(number=st.integers(0, 5))
    def cancel(self, number: int) -> None:
        self.world.cancel(number)

    # ---- the way to the agents and back -----------------------------------------------------

    @rule(lost=st.booleans())
    def offer(self, lost: bool) -> None:
        self.world.offer(lost=lost)

    @rule(host=HOSTS, lost=st.booleans(), twice=st.booleans())
    def claim(self, host: int, lost: bool, twice: bool) -> None:
        for _ in range(1 + twice):
            for grant in self.world.claim(host, lost=lost):
                assert grant not in self.ends, "R9, R10: granted after its end"

    @rule(host=HOSTS)
    def start(self, host: int) -> None:
        self.world.report_started(host)

    @rule(host=HOSTS, code=CODES, outcome=OUTCOMES)
    def end(self, host: int, code: int, outcome: str) -> None:
        self.world.end(host, code, outcome)

    @rule(host=HOSTS, twice=st.booleans(), last_first=st.booleans())
    def deliver(self, host: int, twice: bool, last_first: bool) -> None:
        self.world.deliver(host, twice=twice, last_first=last_first)

    @rule(host=HOSTS)
    def restart_agent(self, host: int) -> None:
        self.world.connect(host)

    @rule(host=HOSTS)
    def reboot(self, host: int) -> None:
        self.world.reboot(host)

    @rule(host=HOSTS)
    def reinstall(self, host: int) -> None:
        self.world.reinstall(host)

    # ---- time -------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([1, 6, 40, 400, 700]))
    def tick(self, seconds: int) -> None:
        self.world.tick(seconds)

    @rule()
    def settle_output(self) -> None:
        self.world.settle_output()

    # ---- what always holds ------------------------------------------------------------------

    @invariant()
    def r10_r11_ends_are_final_and_success_is_proved(self) -> None:
        for key, status in self.world.ends().items():
            assert self.ends.setdefault(key, status) == status, f"R10: {key}"
            if status == TaskStatus.SUCCESS:
                assert key in self.world.proved, f"R11: {key}"

    @invariant()
    def r1_an_attempt_starts_once(self) -> None:
        assert len(self.world.starts) == len(set(self.world.starts))

    @invariant()
    def r12_states_follow_from_rows(self) -> None:
        for stored, computed in self.world.recomputed():
            assert stored == computed

    @invariant()
    def r13_only_evidence_or_people_repeat(self) -> None:
        for (task_id, attempt), status in self.world.archived().items():
            by_itself = (task_id, attempt + 1) not in self.allowed
            assert not by_itself or TaskStatus(status) in RETRYABLE

    @invariant()
    def r17_limits_hold_at_every_instant(self) -> None:
        for in_flight, limit in self.world.loads():
            assert in_flight <= limit

    @invariant()
    def what_has_ended_has_no_open_task(self) -> None:
        for status, tasks in self.world.standings():
            if is_finished(ExecutionStatus(status)):
                assert {TaskStatus(task) for task in tasks} <= TERMINAL

    def teardown(self) -> None:
        """Whatever happened, everything ends once people agree and hosts answered or are gone."""
        for _ in range(40):
            if all(is_finished(ExecutionStatus(status)) for status, _ in self.world.standings()):
                break
            for number in range(3):
                self.world.operate(number, self.world.flow.resume)
                self.world.confirm(number, approve=True)
            self.world.settle_output()
            self.world.tick(700)
        left = [status for status, _ in self.world.standings()]
        self.world.close()
        assert all(is_finished(ExecutionStatus(status)) for status in left), left


def _plan(
    world: World,
    steps: list[tuple[str, int, bool, bool, str | None]],
    strategy: Strategy,
    hosts: int,
    mute: bool,
) -> Plan:
    targets = [
        world.target(number, has_agent=not (mute and number == 0)) for number in range(hosts)
    ]
    planned: list[StepPlan] = []
    for number, (kind, retries, ignore, handled, earlier) in enumerate(steps):
        condition = {"step": "step 0", "is": earlier} if earlier and number else None
        if kind == "confirm":
            planned.append(world.confirm_step(f"step {number}", condition))
            continue
        is_later = kind == "hosts_of" and number > 0
        planned.append(
            StepPlan(
                name=f"step {number}",
                retries=retries,
                retry_delay_seconds=5 * retries,
                ignore_error=ignore,
                condition=condition,
                on_failure="handler" if handled else None,
                targets={"hosts_of": {"step": "step 0", "result": "failed"}} if is_later else {},
                hosts=() if is_later else targets,
            )
        )
    if any(step.on_failure for step in planned):
        planned.append(StepPlan(name="handler", is_handler=True, hosts=targets))
    return Plan(name="any", steps=planned, strategy=strategy)


Executions.TestCase.settings = settings(
    max_examples=10,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
test_executions = Executions.TestCase
