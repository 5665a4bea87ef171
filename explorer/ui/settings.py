"""Settings of the explorer. The command line takes precedence over the environment, the file and the defaults.

This module must be cheap to import: it is needed before the first frame.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from store.errors import BertdynError

FILE = "BERTDYN_CONFIG"
"""Environment variable with the path of another file."""
KEYS = "keys"
"""Name of the file's table of keys: the keys of each action, by the action's name."""


@dataclass(frozen=True)
class UserSetting:
    """One setting: its name, default and description."""

    name: str
    default: str | bool
    help: str
    choices: tuple[str, ...] = ()

    @property
    def variable(self) -> str:
        """Environment variable of the setting."""
        return "BERTDYN_" + self.name.upper().replace("-", "_")

    @property
    def flag(self) -> str:
        """Command-line flag of ``bertdyn-tui`` for the setting."""
        return f"--{self.name}"


SETTINGS = (
    UserSetting("color", "auto", "colours that the terminal shows", ("auto", "truecolor", "256", "16", "none")),
    UserSetting("background", "auto", "background that the colours suit", ("auto", "dark", "light")),
    UserSetting("ascii", False, "use only characters that every font has"),
    UserSetting("mouse", True, "use the mouse; if off, the terminal's own text selection works"),
    UserSetting("mode", "", "view to open with; empty: the last one shown"),
    UserSetting("measure", "", "measure to open with; empty: the last one shown"),
    UserSetting("restore", True, "start with what was shown when the store was last closed"),
    UserSetting("beside", True, "show a second view beside the picture on wide terminals"),
    UserSetting("compute", True, "compute missing values of the views shown without a key"),
    UserSetting("scheduler", "", "dask scheduler whose workers compute; empty: this machine"),
)
_BY_NAME = {s.name: s for s in SETTINGS}


@dataclass(frozen=True)
class Settings:
    """All settings with their values, and the source of each value."""

    values: Mapping[str, str | bool]
    sources: Mapping[str, str]
    keys: Mapping[str, str] = field(default_factory=dict)
    """Keys that the user changed, by the action's name: Textual's names of keys, separated by commas."""
    path: Path | None = None
    """Path of the file, which may not exist."""

    def text(self, name: str) -> str:
        """Return the value of a setting that is text."""
        return str(self.values[name])

    def on(self, name: str) -> bool:
        """Return the value of a setting that is on or off."""
        return bool(self.values[name])


def default_path(environ: Mapping[str, str]) -> Path:
    """Return the path of the file: $BERTDYN_CONFIG, else bertdyn/config.toml under $XDG_CONFIG_HOME or ~/.config."""
    if environ.get(FILE):
        return Path(os.path.expanduser(environ[FILE]))
    base = environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(os.path.expanduser(base)) / "bertdyn" / "config.toml"


def read(
    given: Mapping[str, str | bool | None], actions: Iterable[str], environ: Mapping[str, str] = os.environ
) -> Settings:
    """Return the settings in force.

    Args:
        given: values of the command line; None for settings that it does not name.
        actions: names of the actions whose keys may be changed.

    Raises:
        BertdynError: the file is not valid TOML or has an unknown setting, or a value is not valid for its setting.
    """
    path = default_path(environ)
    said = _file(path, environ)
    keys = _keys(said.pop(KEYS, {}), set(actions), path)
    for name in said:
        if name not in _BY_NAME:
            raise BertdynError(f"{path}: there is no setting '{name}'.{_close(name, _BY_NAME)}")
    values: dict[str, str | bool] = {}
    sources = {}
    for setting in SETTINGS:
        for value, source in (
            (given.get(setting.name), setting.flag),
            (environ.get(setting.variable) or None, setting.variable),
            (said.get(setting.name), str(path)),
            (setting.default, "default"),
        ):
            if value is not None:
                values[setting.name] = _value(setting, value, source)
                sources[setting.name] = source
                break
    return Settings(values, sources, keys, path)


def defaults() -> Settings:
    """Return the default settings."""
    return Settings({s.name: s.default for s in SETTINGS}, {s.name: "default" for s in SETTINGS})


def settle_colour(config: Settings, environ: MutableMapping[str, str] = os.environ) -> None:
    """Write the colour depth into the environment, where Textual reads it; call this before Textual is imported.

    A depth that the user names is used even if NO_COLOR is set.
    """
    color = config.text("color")
    if color == "none":
        environ["NO_COLOR"] = "1"
        return
    if color != "auto":
        environ["TEXTUAL_COLOR_SYSTEM"] = {"16": "standard"}.get(color, color)
    if color != "auto" or environ.get("NO_COLOR") == "":  # https://no-color.org: only when not empty
        environ.pop("NO_COLOR", None)


def printed(config: Settings, keys: Mapping[str, str] | None = None) -> str:
    """Return the settings as the text of a file, each with its description and source.

    Args:
        keys: default keys of all actions.
    """
    lines = [f"# {config.path}", "# command line > environment > this file > defaults", ""]
    for setting in SETTINGS:
        value = config.values[setting.name]
        told = f" ({', '.join(setting.choices)})" if setting.choices else ""
        lines.append(f"# {setting.help}{told}; {setting.variable}; from {config.sources[setting.name]}")
        lines.append(f"{setting.name} = {_toml(value)}")
    lines += ["", "# keys of an action, by its name; separate several by commas"]
    lines.append(f"[{KEYS}]")
    lines += [f"{_toml(name)} = {_toml(given)}" for name, given in config.keys.items()]
    lines += [f"# {_toml(name)} = {_toml(own)}" for name, own in (keys or {}).items() if name not in config.keys]
    return "\n".join(lines) + "\n"


def _file(path: Path, environ: Mapping[str, str]) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        if environ.get(FILE):
            raise BertdynError(f"{FILE}: there is no file '{path}'.") from None
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise BertdynError(f"'{path}' cannot be read: {error}.") from None
    except tomllib.TOMLDecodeError as error:
        raise BertdynError(f"'{path}' is not valid TOML: {error}.") from None


def _keys(said: object, actions: set[str], path: Path) -> dict[str, str]:
    if not isinstance(said, dict):
        raise BertdynError(f"{path}: [{KEYS}] must be a table of actions and their keys.")
    for name, keys in said.items():
        if name not in actions:
            raise BertdynError(f"{path}: [{KEYS}] there is no action '{name}'.{_close(name, actions)}")
        if not isinstance(keys, str) or not keys:
            raise BertdynError(f"{path}: [{KEYS}] '{name}' needs keys as text, such as \"m,n\".")
    return {name: ",".join(key.strip() for key in keys.split(",")) for name, keys in said.items()}


def _value(setting: UserSetting, value: object, source: str) -> str | bool:
    if isinstance(setting.default, bool):
        if isinstance(value, bool):
            return value
        words = {
            "1": True,
            "true": True,
            "yes": True,
            "on": True,
            "0": False,
            "false": False,
            "no": False,
            "off": False,
        }
        if str(value).lower() in words:
            return words[str(value).lower()]
        raise BertdynError(f"{source}: {setting.name} must be true or false, not '{value}'.")
    if not isinstance(value, str) or (setting.choices and value not in setting.choices):
        wanted = f"one of {', '.join(setting.choices)}" if setting.choices else "text"
        raise BertdynError(f"{source}: {setting.name} must be {wanted}, not '{value}'.")
    return value


def _close(name: str, known: Iterable[str]) -> str:
    found = difflib.get_close_matches(name, list(known), 1)
    return f" Did you mean '{found[0]}'?" if found else f" There are {', '.join(sorted(known))}."


def _toml(value: str | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
