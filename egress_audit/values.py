"""Dataclasses that cost little: to define, as a start defines 150, and to make, as a large capture
makes 50,000 objects.

The standard decorator compiles up to six methods of each class. Here `__init__` is compiled once
for all classes of as many fields, and the others go by the names of the fields. Whoever makes a
frozen object of the standard library pays at each field for a lock: here `frozen` binds the type
checker alone, which reads all of this as `dataclasses.dataclass`. In everything else they are that:
`fields` and `replace` know them.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:
    import dataclasses
    from functools import cache
    from operator import attrgetter
    from types import FunctionType

    def dataclass(*, frozen=False, slots=False):
        """What makes a class one of values; `frozen` and `slots` as in the standard library."""

        def of(cls):
            plain = _is_plain(cls)
            made = dataclasses.dataclass(init=not plain, repr=False, eq=False, slots=slots)(cls)
            methods = {**_comparing(made, hashed=frozen), "__repr__": _repr}
            if plain:
                methods["__init__"] = _init(made)
            for name, method in methods.items():
                if name not in cls.__dict__:
                    setattr(made, name, method)
            return made

        return of

    def _is_plain(cls):
        """True if `__init__` of a class has but to give each field what was passed, or its default.

        What else fields and bases can ask for is left to the standard library.
        """
        own = [value for value in vars(cls).values() if isinstance(value, dataclasses.Field)]
        special = any(
            not one.init or one.kw_only is True or one.default_factory is not dataclasses.MISSING
            for one in own
        )
        derived = hasattr(cls, "__dataclass_fields__")
        return not (special or derived or hasattr(cls, "__post_init__"))

    def _init(cls):
        """`__init__` of a plain class."""
        fields = dataclasses.fields(cls)
        names = tuple(one.name for one in fields)
        code = _assignments(len(names)).replace(co_varnames=("self", *names), co_names=names)
        defaults = [one.default for one in fields if one.default is not dataclasses.MISSING]
        init = FunctionType(code, {}, "__init__", tuple(defaults))
        init.__qualname__ = f"{cls.__qualname__}.__init__"
        return init

    @cache
    def _assignments(count):
        """The code that gives so many fields their values, whatever they are called."""
        places = [f"_{number}" for number in range(count)]
        lines = [f"self.{place} = {place}" for place in places] or ["pass"]
        made = {}
        exec(f"def __init__({', '.join(('self', *places))}):\n " + "\n ".join(lines), made)
        return made["__init__"].__code__

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
