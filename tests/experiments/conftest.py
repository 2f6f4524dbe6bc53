"""The studies of these tests are carried out as those of the room below."""

from tests.studies.conftest import carry_out

__all__ = ["carry_out"]
