"""What methods have in common whose clusters are trained with the networks."""

from dataclasses import dataclass, field

from vaeclust_jax.checks import check_types
from vaeclust_jax.errors import InputError
from vaeclust_jax.methods.method import About, DataSpec, check_at_least
from vaeclust_jax.methods.settings import VAEMethod
from vaeclust_jax.training.stopping import assignment_change
from vaeclust_jax.types import Stopping


@dataclass(frozen=True)
class Settled:
    """The joint stage stops when the assignments settle, and keeps the last state.

    Example:
        >>> vc.DEC(10, stopping=vc.Settled(tolerance=0.01)).stopping
        Settled(tolerance=0.01)
    """

    tolerance: float = 0.001
    """Share of assignments that must change between two refreshes for the joint stage to go on."""

    def __post_init__(self) -> None:
        check_types(self)


@dataclass(frozen=True)
class BestValidation:
    """The joint stage stops by patience on the validation VAE loss, and keeps the best state.

    That is the one from before clustering: it is how some sources do it.

    Example:
        >>> vc.DEC(10, stopping=vc.BestValidation()).stopping
        BestValidation()
    """


@dataclass(frozen=True)
class JointMethod(VAEMethod):
    """Base of the methods with a joint stage."""

    joint_epochs: int = 20
    """Epochs of the joint stage, at most. 0 ends with what it would start from."""
    update_target_interval: int = 5
    """Epochs between refreshes of the target distribution P, or looks at how many assignments changed."""
    stopping: Settled | BestValidation = field(default_factory=Settled)
    """How the joint stage stops early: settled, or by best-validation."""

    def check(self, data: DataSpec) -> None:  # noqa: D102
        super().check(data)
        check_at_least(self, joint_epochs=0, update_target_interval=1)
        if isinstance(self.stopping, Settled) and not 0 <= self.stopping.tolerance <= 1:
            raise InputError(f"tolerance must lie in [0, 1], got {self.stopping.tolerance}")

    def joint_stopping(self, about: About) -> Stopping:
        """The rule as the loop knows it."""
        if isinstance(self.stopping, Settled):
            return assignment_change(self.stopping.tolerance)
        return self.patience(about)
