"""MONAI's complaints of a config in one line: a part not built, an expression, a missing name.

MONAI tells them with a traceback of a hundred lines. What fails while the parts of a config are
built is a matter of the config; what fails while an engine runs, or in a function that returns
nothing, such as one that writes files, is a bug and keeps its traceback.
"""

import difflib
import inspect
import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pydoc import ErrorDuringImport, locate
from types import FrameType
from typing import Any, get_type_hints

from medseg.errors import MedsegError, UsageError, causes_of, user_error

__all__ = ["config_complaint", "config_errors", "users_error"]

# Frames of MONAI's resolver, which know the id of the part, and of ignite's running engine.
_RESOLVER = "_resolve_one_item"
_LOGGING = "_apply_logging_file"
_ENGINE = "ignite/engine/engine.py"
_OF_CONFIGS = "monai/bundle/"
_TARGET = re.compile(r"Failed to instantiate component '(?P<target>[^']*)'")
_STEP = re.compile(r"applying transform <?([\w.]+)")
_MONAIS_STEP = re.compile(r"applying transform <?monai\.")
_PATH = re.compile(r"Cannot locate class or function path: '(?P<target>.*)'", re.DOTALL)
_EXPRESSION = re.compile(r"Failed to evaluate ConfigExpression: \n(?P<text>.*)", re.DOTALL)
_UNDEFINED = re.compile(r"the referring item `@(?P<id>[^`]*)` is not defined")
_CIRCLE = re.compile(r"detected circular references '(?P<other>[^']*)' for id='(?P<id>[^']*)'")
_QUERY = re.compile(r"query key: (?P<id>[^'\"]*)")


@contextmanager
def config_errors() -> Generator[None]:
    """Raise what is wrong with a config, or another error of the user's, without MONAI's wrapping.

    Raises:
        MedsegError: In place of an exception caused by it, or by a wrong part of a config.
    """
    try:
        yield
    except Exception as error:
        users = users_error(error)
        if users is None or users is error:
            raise
        raise users from error


def users_error(error: BaseException) -> MedsegError | None:
    """The error to show to the user, as `medseg.errors.user_error`, of a config too."""
    return user_error(error) or config_complaint(error)


def config_complaint(error: BaseException) -> UsageError | None:
    """What MONAI complains of in a config.

    Args:
        error: As caught, with its traceback and its causes.

    Returns:
        The line, with the key of the part where MONAI knew it; None if nothing is wrong with the
        config, as in a training that has begun.
    """
    chain = list(causes_of(error))
    frames = [frame for one in chain for frame in _frames(one)]
    if any(_file(frame).endswith(_ENGINE) for frame in frames):
        told = next(filter(None, map(_told_of_run, chain)), None)
        return UsageError(told) if told else None
    told = next(filter(None, (_told(one) for one in chain)), None)
    if told is None and not any(map(_is_of_part, chain)) and _of_configs(frames):
        logs = any(frame.f_code.co_name == _LOGGING for frame in frames)
        what = "the bundle's logging.conf" if logs else "this config"
        told = f"MONAI cannot read {what} ({_reason(chain[-1])})"
    return None if told is None else UsageError(f"{_key(frames)}{told}")


def _told(error: BaseException) -> str | None:
    text = str(error.args[0]) if error.args else ""
    if isinstance(error, SyntaxError):
        return _bad_syntax(error)
    if isinstance(error, RecursionError):
        return "refers to itself, or is nested too deeply; correct the config"
    if match := _PATH.match(text):
        return _no_such_target(match["target"])
    if match := _EXPRESSION.match(text):
        return f"the expression {_as_written(match['text'])} fails ({_reason(error.__cause__)})"
    if match := _TARGET.match(text):
        return _not_built(match["target"], error.__cause__)
    return _bad_reference(text)


def _bad_reference(text: str) -> str | None:
    if match := _UNDEFINED.match(text):
        return f"no such key in this config: @{_shown(match['id'])}"
    if match := _CIRCLE.match(text):
        return f"@{_shown(match['other'])} and @{_shown(match['id'])} refer to each other"
    if match := _QUERY.match(text):
        return f"a %macro refers to a key that is not there ({_shown(match['id'])})"
    return None


def _is_of_part(error: BaseException) -> bool:
    text = str(error.args[0]) if error.args else ""
    return bool(_TARGET.match(text) or _EXPRESSION.match(text))


def _of_configs(frames: list[FrameType]) -> bool:
    return any(_OF_CONFIGS in _file(frame) for frame in frames)


def _told_of_run(error: BaseException) -> str | None:
    """What a config has wrong that shows only when the first batch is made."""
    if _MONAIS_STEP.match(str(error)):
        return _step_fails(error)
    if "stack expects each tensor to be equal size" in str(error):
        return (
            "the images of a batch differ in size; augmentation_steps must cut out patches "
            "(medseg.transforms.RandWarpPatchd)"
        )
    return None


def _bad_syntax(error: SyntaxError) -> str | None:
    # A Python file that does not parse has a name; MONAI's expressions are parsed from a text.
    if error.filename not in ("<unknown>", "<string>"):
        return None
    return f"the expression ${(error.text or '').strip()} is not valid Python ({error.msg})"


def _not_built(target: str, cause: BaseException | None) -> str | None:
    component, name = _located(target), target.rpartition(".")[2]
    if cause is None or _returns_nothing(component, target):
        return None
    unbound = isinstance(cause, TypeError) and len(list(_frames(cause))) <= 1
    if not unbound:
        if _STEP.match(str(cause)):
            return _step_fails(cause)
        return f"{name} cannot be built with these values ({_reason(cause)}; more with --debug)"
    unknown = re.search(r"unexpected keyword argument '(\w+)'", str(cause))
    if unknown is None:
        missing = re.findall(r"'(\w+)'", str(cause))
        return f"{name} needs the argument {' and '.join(missing)}; give it"
    known = _arguments(component)
    near = difflib.get_close_matches(unknown[1], known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(known)}"
    return f"{name} has no argument {unknown[1]}; {hint}"


def _step_fails(error: BaseException) -> str:
    step = _STEP.match(str(error))
    name = step[1].rpartition(".")[2] if step else "of the recipe"
    first = list(causes_of(error))[-1]
    return f"the step {name} fails with these values ({_reason(first)}; more with --debug)"


def _no_such_target(target: str) -> str:
    """The line for a `_target_` that names nothing, with a name that is near."""
    module, _, name = target.rpartition(".")
    beside = [other for other in dir(_located(module)) if not other.startswith("_")]
    near = difflib.get_close_matches(name, beside, n=1) if module else []
    hint = (
        f"did you mean {module}.{near[0]}?" if near else "give the full path, package.module.Name"
    )
    return f"no such class or function: {target!r:.80}; {hint}"


def _returns_nothing(component: Any, target: str) -> bool:
    """Whether it is a function of ours that does something, rather than builds a part."""
    if not (target.startswith("medseg.") and inspect.isfunction(component)):
        return False
    try:
        return get_type_hints(component).get("return") is type(None)
    except (NameError, TypeError):
        return False


def _located(target: str) -> Any:
    try:
        return locate(target)
    except ErrorDuringImport:
        return None


def _arguments(component: Any) -> list[str]:
    try:
        return [name for name in inspect.signature(component).parameters if name != "self"]
    except (TypeError, ValueError):
        return []


def _as_written(text: str) -> str:
    """An expression as it is in the config; MONAI has put its own names for references."""
    text = text.strip().strip("'\"")
    return _shown(re.sub(r"__local_refs\[\\?'([^']*?)\\?'\]", r"@\1", text))


def _reason(error: BaseException | None) -> str:
    """Kind and first line of an error."""
    if error is None:
        return "no reason given"
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0][:200]}" if lines else type(error).__name__


def _key(frames: list[FrameType]) -> str:
    ids = [frame.f_locals.get("id") for frame in frames if frame.f_code.co_name == _RESOLVER]
    return f"{_shown(ids[-1])}: " if ids and ids[-1] else ""


def _shown(path: str) -> str:
    return path.replace("::", "#")


def _frames(error: BaseException) -> Iterator[FrameType]:
    traceback = error.__traceback__
    while traceback is not None:
        yield traceback.tb_frame
        traceback = traceback.tb_next


def _file(frame: FrameType) -> str:
    return frame.f_code.co_filename.replace("\\", "/")
