"""How everything that is typed in is checked."""

from pydantic import BaseModel, ConfigDict


class DomainModel(BaseModel):
    """What people and configurations bring in, checked here. Frozen, strict about its fields: an unknown one is an error, NaN and infinity
    are no numbers.

    What venues answer (the tuples and dataclasses below) is checked where it is read, in the adapters' mapping: these types hold it."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
