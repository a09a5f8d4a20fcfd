"""Arms fault points of processes that were started with `Faults.environment`."""

from pathlib import Path

from tests.support.waiting import eventually_sync


class Faults:
    """A folder of armed points, for one or many processes; see tests/support/fault_points.py."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs in order to have fault points at all."""
        return {"OPSJOB_FAULTS": str(self.folder)}

    def arm(self, point: str, action: str) -> None:
        """The next process that passes the point does this, once; `skip=n` lets n pass first."""
        (self.folder / f"{point}.fired").unlink(missing_ok=True)
        new = self.folder / f"{point}.new"
        new.write_text(action)
        new.rename(self.folder / point)

    def arm_always(self, point: str, action: str) -> None:
        """Every passing does this until `disarm`."""
        (self.folder / f"{point}.always").write_text(action)

    def disarm(self, point: str) -> None:
        """Nothing strikes there any more."""
        for suffix in ("", ".always"):
            (self.folder / f"{point}{suffix}").unlink(missing_ok=True)

    def has_fired(self, point: str) -> bool:
        """Whether the point struck since it was armed."""
        return (self.folder / f"{point}.fired").exists()

    def wait_fired(self, point: str, *, timeout: float = 15) -> None:
        """Until it struck."""
        eventually_sync(lambda: self.has_fired(point), timeout=timeout, message=point)
