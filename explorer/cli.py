"""The entry points `bertdyn` (the command line) and `bertdyn-tui` (the explorer).

Commands are imported only when called, so that `bertdyn --help` needs no array library and the explorer starts quickly.
"""

from __future__ import annotations

import gc
import importlib
import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse

    import click

    from explorer.compute.requests import Request

COMMANDS = {
    "extract": "Read checkpoints, store their hidden states and attentions.",
    "register": "Register checkpoints without running them.",
    "annotate": "Add labels to a stored corpus; no model is run.",
    "corpus": "Add texts to a store without extracting.",
    "compute": "Compute a measure for a selection; print the values.",
    "show": "Draw one of the explorer's views as text.",
    "ls": "List what a store holds: runs, checkpoints, corpora, results.",
    "sql": "Query the store's tables in SQL.",
    "claims": "Test the claims of four papers on a store.",
    "report": "Write a report: kept selections, claims, what the store holds.",
    "check": "Check a store, and repair it with --repair.",
    "doctor": "Examine this machine, terminal and store; say what to do.",
    "measures": "Describe each measure: definition, unit, range, source, cost.",
    "ablate": "Fine-tune runs with frozen, removed or re-initialised layers.",
    "clusters-export": "Write one layer's clusters as DirectProbe's own files.",
    "data-map-export": "Write a run's data map as JSON lines, as Dataset Cartography does.",
    "demo": "Fine-tune a tiny BERT and make a store from its checkpoints.",
}
DEMO_FOLDER = "bertdyn-demo"


def main(arguments: list[str] | None = None) -> None:
    """Run `bertdyn`. Exit codes: 0 done, 1 partly done, 2 bad input and nothing changed, 130 interrupted."""
    import click

    from explorer.commands.streams import is_lost, lost, said_in_full, say, settle_streams
    from explorer.measures.computation import MeasureError
    from store.errors import BertdynError
    from store.threads import wait_asleep

    wait_asleep()
    try:
        settle_streams()
        code = _group()(args=arguments, prog_name="bertdyn", standalone_mode=False)
        said_in_full()
    except (BertdynError, MeasureError) as error:
        _complain(str(error))
        code = 2
    except click.exceptions.Exit as request:
        code = request.exit_code
    except click.ClickException as error:
        error.show(told := io.StringIO())
        say(told.getvalue().removesuffix("\n"), error=True)
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        _complain("interrupted; finished work is kept.")
        code = 130
    except BrokenPipeError:  # `bertdyn ... | head`: the reader has closed the pipe
        sys.stderr.close()
        code = 0
    except Exception as error:
        if isinstance(error, OSError) and is_lost(error):  # of click's own texts, such as --help
            _complain(str(lost(error)))
        elif reason := _shortage(error):
            _complain(reason)
        else:
            raise
        code = 2
    sys.exit(code if isinstance(code, int) else 0)


def _group() -> click.Group:
    import click

    class Lazy(click.Group):
        def list_commands(self, ctx: click.Context) -> list[str]:
            return list(COMMANDS)

        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
            if cmd_name not in COMMANDS:
                return None
            from explorer.compute.pool import one_blas_thread

            with one_blas_thread():
                module = importlib.import_module(f"explorer.commands.{cmd_name.replace('-', '_')}")
            command: click.Command = module.command
            return command

        def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
            with formatter.section("Commands"):
                formatter.write_dl(list(COMMANDS.items()))

    @click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
    @click.version_option(package_name="bertdyn", prog_name="bertdyn")
    def group() -> None:
        """bertdyn: explore what fine-tuning does to a BERT-like encoder.

        \b
        bertdyn extract runs.bertdyn runs/ --reference bert-base-uncased --corpus dev=sst2_dev.tsv
        bertdyn compute svcca runs.bertdyn
        bertdyn-tui runs.bertdyn
        """

    return group


def tui(arguments: list[str] | None = None) -> None:
    """Run `bertdyn-tui`. It uses argparse, which takes a tenth of click's time before the first frame."""
    from explorer.measures.computation import MeasureError
    from store.errors import BertdynError
    from store.threads import wait_asleep

    wait_asleep()  # for jobs, which are separate processes
    args = _tui_parser().parse_args(arguments)
    try:
        from explorer.ui.actions import ACTIONS
        from explorer.ui.settings import SETTINGS, printed, read, settle_colour

        given = {setting.name: getattr(args, setting.name) for setting in SETTINGS}
        settings = read(given, [action.id for action in ACTIONS])
        if args.print_config:
            from explorer.ui.key_bindings import in_force

            in_force(settings.keys)
            print(printed(settings, {a.id: ",".join(a.keys) for a in ACTIONS}), end="")
            sys.exit(0)
        settle_colour(settings)
        if settings.text("scheduler"):
            os.environ["BERTDYN_SCHEDULER"] = settings.text("scheduler")  # for jobs, which are separate processes
        path, begins = _demo(args.store or DEMO_FOLDER) if args.demo else (_find(args.store), ())
        gc.disable()  # until the app runs: modules are not garbage, and a collection would delay the first frame
        from explorer.ui import app

        code = app.run(path, settings, begins)
    except (BertdynError, MeasureError) as error:
        _complain(str(error), "bertdyn-tui")
        code = 2
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:
        sys.stderr.close()
        code = 0
    except Exception as error:
        if not (reason := _shortage(error)):
            raise
        _complain(reason, "bertdyn-tui")
        code = 2
    sys.exit(code)


def _tui_parser() -> argparse.ArgumentParser:
    import argparse

    from explorer.ui.settings import SETTINGS

    parser = argparse.ArgumentParser(
        prog="bertdyn-tui",
        description="Look at a store in the terminal.",
        epilog="""example: bertdyn-tui runs.bertdyn        first time: bertdyn-tui --demo

settings, strongest first: the command line; the environment (BERTDYN_COLOR, BERTDYN_ASCII, ...; NO_COLOR); the file
~/.config/bertdyn/config.toml (or $BERTDYN_CONFIG); the state in which you last left the store. A table [keys] in the
file assigns other keys to actions, such as "measure.next" = "n,f5". --print-config prints all settings with their
sources, in the format of that file.""",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "store", nargs="?", metavar="STORE", help="a NAME.bertdyn folder; default: the only one in this folder"
    )
    parser.add_argument(
        "--demo", action="store_true", help=f"make a small real store meanwhile (in STORE, default ./{DEMO_FOLDER})"
    )
    for setting in SETTINGS:
        if isinstance(setting.default, bool):
            how: Any = argparse.BooleanOptionalAction
            parser.add_argument(setting.flag, action=how, default=None, help=setting.help)
        else:
            parser.add_argument(
                setting.flag, choices=setting.choices or None, metavar=_metavar(setting.choices), help=setting.help
            )
    parser.add_argument("--print-config", action="store_true", help="print all settings with their sources")
    return parser


def _metavar(choices: tuple[str, ...]) -> str:
    return "|".join(choices) or "NAME"


def _demo(folder: str) -> tuple[Path, tuple[Request, ...]]:
    """Return the demo's store, which may be empty, and the request that fills it."""
    from explorer.ui.terminal.capabilities import unusable

    if unusable():
        from explorer.commands.demo import make

        return make(Path(folder)), ()
    from explorer.demo.request import Demo, begun

    return begun(Path(folder)), (Demo(),)


def _find(name: str | None) -> Path:
    from store.errors import BertdynError

    if name is not None:
        return Path(name)
    here = sorted(p for p in Path.cwd().glob("*.bertdyn") if p.is_dir())
    if len(here) == 1:
        return here[0]
    found = f"there are {', '.join(p.name for p in here)}" if here else "there is none in this folder"
    raise BertdynError(f"Which store? Name a NAME.bertdyn folder ({found}), or try --demo.")


def _shortage(error: Exception) -> str:
    from store.memory import shortage

    return shortage(error)


def _complain(message: str, program: str = "bertdyn") -> None:
    from explorer.commands.streams import say

    say(f"{program}: {message}", error=True)


if __name__ == "__main__":
    main()
