"""What a module does not have that PyTorch's modules do, and how it is written here."""

from __future__ import annotations

from microgrrepresent.absent import Hint

_CAST = "arrays are NumPy's, on the CPU; make the module with dtype='float32', or another data type"
_FIND = "modules() goes through this module and all inside it, vars(module) has them by name"

_OF_TORCH = {
    "to": _CAST,
    "type": _CAST,
    "float": _CAST,
    "double": _CAST,
    "half": _CAST,
    "cuda": _CAST,
    "cpu": "leave it out: arrays are NumPy's, on the CPU",
    "children": _FIND,
    "named_children": _FIND,
    "named_modules": _FIND,
    "add_module": "set an attribute, or an item of a list or dict in one",
    "register_module": "set an attribute, or an item of a list or dict in one",
    "register_parameter": "set an attribute: self.w = Tensor(array, requires_grad=True)",
    "register_buffer": "set an attribute: self.b = Tensor(array), which is saved and not trained",
    "buffers": "named_tensors() has all that is saved; of those, buffers require no gradient",
    "requires_grad_": "write p.requires_grad = False for each p of module.parameters()",
    "apply": "write for m in module.modules(): f(m)",
}


class AbsentOfModule:
    """To ask for one of these is an AttributeError that says what to write instead."""

    def __dir__(self) -> list[str]:
        own, kind = vars(self), type(self)
        return [name for name in super().__dir__() if name in own or hasattr(kind, name)]


for _name, _hint in _OF_TORCH.items():
    setattr(AbsentOfModule, _name, Hint("a Module", _name, _hint))
