"""Dataclasses that cost little: to define, as a start defines 150, and to make, as a large capture
makes 50,000 objects.

The standard decorator compiles up to six methods of each class; here it compiles `__init__`, and
the others go by the names of the fields. And whoever makes a frozen object of the standard library
pays at each field for a lock: here `frozen` binds the type checker alone, which reads all of this
as `dataclasses.dataclass`. In everything else they are that: `fields` and `replace` know them.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:
    import dataclasses
    from operator import attrgetter

    def dataclass(*, frozen=False, slots=False):
        """What makes a class one of values; `frozen` and `slots` as in the standard library."""

        def of(cls):
            made = dataclasses.dataclass(repr=False, eq=False, slots=slots)(cls)
            methods = {**_comparing(made, hashed=frozen), "__repr__": _repr}
            for name, method in methods.items():
                if name not in cls.__dict__:
                    setattr(made, name, method)
            return made

        return of

    def _comparing(cls, *, hashed):
        """`__eq__` and `__hash__` of a class, by the values of its fields."""
        names = [field.name for field in dataclasses.fields(cls) if field.compare]
        # Of one name it gives the value alone, which may be an array and compare as one.
        values_of = attrgetter(*names) if len(names) > 1 else lambda it: _values(it, names)

        def equal(self, other):
            if other.__class__ is not self.__class__:
                return NotImplemented
            return values_of(self) == values_of(other)

        return {"__eq__": equal, "__hash__": (lambda it: hash(values_of(it))) if hashed else None}

    def _values(it, names):
        return tuple([getattr(it, name) for name in names])

    def _repr(self):
        shown = [field.name for field in dataclasses.fields(self) if field.repr]
        values = ", ".join(f"{name}={getattr(self, name)!r}" for name in shown)
        return f"{self.__class__.__qualname__}({values})"
