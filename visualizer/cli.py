"""The commands. Only those that draw a window load Qt."""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING

from visualizer.command_options import (
    Parser,
    add_prompt,
    add_sampling,
    common_options,
    given,
    given_or_usual,
    shortened,
    source_of,
    token_count,
    whole_number,
    window_size,
)
from visualizer.command_words import COMMANDS, check_first_word, command_list
from visualizer.errors import InputError, VisualizerError
from visualizer.session.words.whole_numbers import parse_whole
from visualizer.standard_streams import forget, tell

if TYPE_CHECKING:
    from visualizer.engine.model import Model
    from visualizer.formats import OpenedModel


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns its exit code: 0 done, 1 the program failed, 2 the input cannot be served."""
    words = sys.argv[1:] if argv is None else list(argv)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that cannot show a character shows its escape
            stream.reconfigure(errors="backslashreplace")
    debug = "--debug" in words
    try:
        options = _parser(words).parse_args(words)
        code: int = options.run(options)
        if sys.stdout is not None:  # closed by whoever started us
            sys.stdout.flush()
    except InputError as error:
        return _refuse(str(error), 2, debug)
    except VisualizerError as error:
        return _refuse(str(error), 1, debug)
    except BrokenPipeError:  # whoever read our output has gone, as `head` does
        forget(sys.stdout)
        return 0
    except OSError as error:
        forget(sys.stdout)
        return _refuse(f"{error.strerror or error}{f': {error.filename!r}' if error.filename else ''}", 1, debug)
    except KeyboardInterrupt:
        return 130
    except MemoryError as error:
        return _refuse(f"not enough memory: {str(error) or 'an allocation failed'}", 1, debug)
    return code


def _refuse(message: str, code: int, debug: bool) -> int:
    """Say in one line why nothing was done; with `debug`, where it came from before that."""
    if debug:
        traceback.print_exc()
    tell(f"visualizer: {' '.join(message.split())}", sys.stderr)
    return code


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    if not any(word in COMMANDS for word in words[:1]):
        return _window_parser(words)

    parser = Parser(prog="visualizer")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)

    def add(name: str, parents: Sequence[Parser] = ()) -> Parser:
        does = COMMANDS[name]
        sentence = f"{does[0].upper()}{does[1:]}."
        return commands.add_parser(name, help=does, description=sentence, parents=parents)

    command = add("complete", parents=[common_options()])
    add_prompt(command)
    command.add_argument("-n", type=token_count, default=10, metavar="N", help="tokens to generate (10)")
    add_sampling(command)
    command.set_defaults(run=_complete)

    command = add("evaluate", parents=[common_options()])
    command.add_argument("--text", help="the text; each position is predicted from the last n_ctx tokens before it")
    command.add_argument("--skip", type=whole_number, default=2, metavar="N", help="positions not predicted (2)")
    command.set_defaults(run=_evaluate)

    command = add("trace", parents=[common_options()])
    add_prompt(command)
    command.add_argument("-o", "--output", metavar="FILE.npz", help="the file to write")
    command.add_argument("--last-logits", action="store_true", help="print the top tokens after the last position")
    command.set_defaults(run=_trace)

    command = add("gradients", parents=[common_options()])
    add_prompt(command)
    command.add_argument("--target", required=True, metavar="TOKEN_OR_ID", help="the token that should come next")
    command.add_argument("-o", "--output", required=True, metavar="FILE.npz", help="the file to write")
    command.set_defaults(run=_gradients)

    command = add("train")
    if words[0] == "train":
        from visualizer.training_options import add_training_options

        add_training_options(command)
    command.set_defaults(run=_train)

    command = add("info", parents=[common_options(prompt=False)])
    command.add_argument("model_path", nargs="?", metavar="MODEL", help="a preset or a file (default: --model)")
    command.set_defaults(run=_info)

    command = add("save", parents=[common_options(prompt=False)])
    command.add_argument("model_path", nargs="?", metavar="MODEL", help="a preset or a file (default: --model)")
    command.add_argument("-o", "--output", required=True, metavar="PATH", help="the file to write")
    command.set_defaults(run=_save)

    command = add("render", parents=[common_options()])
    command.add_argument("--prompt", help="the prompt to show")
    command.add_argument("--size", default="1440x900", metavar="WxH", help="window size in pixels (1440x900)")
    command.add_argument("--theme", choices=("light", "dark"), default="light")
    command.add_argument("-o", "--output", required=True, metavar="FILE.png", help="the file to write")
    command.set_defaults(run=_render)

    command = add("doctor")
    command.add_argument("--gui", action="store_true", help="also open the window for a moment")
    command.add_argument("--debug", action="store_true", help="show tracebacks")
    command.set_defaults(run=_doctor)
    return parser


def _window_parser(words: Sequence[str]) -> argparse.ArgumentParser:
    check_first_word(words)
    parser = Parser(
        prog="visualizer",
        description="See, question and change every number of a transformer. Without a command, opens the window.",
        epilog=command_list(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[common_options()],
    )
    parser.add_argument("file", nargs="?", metavar="FILE", help="a preset or a model file to open")
    parser.add_argument("--prompt", metavar="TEXT", help="the prompt to begin with")
    parser.add_argument("--version", action="version", version=_version())
    parser.set_defaults(run=_window)
    return parser


def _version() -> str:
    from visualizer import __version__

    return f"visualizer {__version__}"


def _complete(options: argparse.Namespace) -> int:
    from visualizer.formats import open_model

    prompt = given(options, options.prompt, "PROMPT")
    model = open_model(source_of(options), options.dtype).model
    steps = model.generate(
        prompt,
        options.n,
        temperature=options.temperature,
        top_k=options.top_k,
        top_p=options.top_p,
        seed=options.seed,
    )
    shown = prompt if isinstance(prompt, str) else model.text(prompt)
    print(f"{shown} :: {model.text(step.token for step in steps)}")
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    from visualizer.engine.accuracy import next_token_accuracy
    from visualizer.formats import open_model

    text = given(options, options.text, "--text")
    model = open_model(source_of(options), options.dtype).model
    print(f"ACCURACY {next_token_accuracy(model, model.ids(text), options.skip)}")
    return 0


def _trace(options: argparse.Namespace) -> int:
    from visualizer.engine.sampling import Sampling, distribution, top_tokens
    from visualizer.formats import open_model
    from visualizer.formats.writing import write_npz

    prompt = given(options, options.prompt, "PROMPT")
    if options.output is None and not options.last_logits:
        raise InputError("nothing to do: -o FILE.npz or --last-logits is needed")
    if options.output is not None:
        _require_output(options.output, source_of(options))
    model = open_model(source_of(options), options.dtype).model
    if len(model.ids(prompt)) == 0:
        raise InputError("PROMPT is empty, so there is nothing to trace; at least one token is needed")
    trace = model.forward(prompt)
    if options.output is not None:
        arrays = ((name, trace[name]) for name in trace)
        write_npz(options.output, (item for part in ([("tokens", trace.tokens)], arrays) for item in part))
    if options.last_logits:
        logits = trace.logits_at(-1)
        probs = distribution(logits, Sampling()).probs
        for token in top_tokens(logits, 10):
            print(f"{token}\t{model.text([token])!r}\tlogit {logits[token]:.6g}\tprobability {probs[token]:.6g}")
    return 0


def _gradients(options: argparse.Namespace) -> int:
    import numpy as np

    from visualizer.formats import open_model
    from visualizer.formats.writing import write_npz

    prompt = given(options, options.prompt, "PROMPT")
    _require_output(options.output, source_of(options))
    model = open_model(source_of(options), options.dtype).model
    loss, gradients = model.gradients(prompt, _target(options, model))
    write_npz(options.output, iter([("loss", np.array(loss)), *gradients.items()]))
    return 0


def _target(options: argparse.Namespace, model: Model) -> str | int:
    """A target is text where that is one token; otherwise digits are an id."""
    text: str = options.target
    token = parse_whole(text)
    if model.tokenizer is not None:
        try:
            return model.token_id(text)
        except InputError:
            if token is None or token < 0:
                raise
    if token is None or token < 0:
        whole = f"a whole number from 0 to {model.config.d_vocab - 1} is needed, for the model has no tokenizer"
        raise InputError(f"--target {shortened(text)} is not a token id; {whole}")
    return token


def _train(options: argparse.Namespace) -> int:
    from visualizer.training_run import run

    return run(options)


def _info(options: argparse.Namespace) -> int:
    from visualizer.formats import open_model
    from visualizer.formats.info import describe

    print(describe(open_model(source_of(options, options.model_path), options.dtype)))
    return 0


def _save(options: argparse.Namespace) -> int:
    from pathlib import Path

    from visualizer.formats import open_model, save_safetensors

    if Path(options.output).suffix != ".safetensors":
        raise InputError(f"{options.output!r} does not end in .safetensors, the format that is written")
    source = source_of(options, options.model_path)
    _require_output(options.output, source)
    save_safetensors(open_model(source, options.dtype), options.output)
    return 0


def _require_output(output: str, source: str) -> None:
    """Refuse, before anything is computed, a file that cannot be written, and the model's own.

    Raises:
        InputError: it is either.
    """
    from visualizer.formats import NAMES
    from visualizer.formats.writing import is_same_file, require_writable

    if source not in NAMES and is_same_file(output, source):
        raise InputError(f"{output!r} is the model, which would be overwritten; name another file")
    require_writable(output)


def _doctor(options: argparse.Namespace) -> int:
    from visualizer import doctor

    return doctor.run(gui=options.gui)


def _render(options: argparse.Namespace) -> int:
    from pathlib import Path

    from visualizer.formats import open_model

    width, height = window_size(options.size)
    _require_output(options.output, source_of(options))
    if Path(options.output).suffix.lower() != ".png":
        raise InputError(f"{options.output!r} does not end in .png, the format that is written")
    opened = open_model(source_of(options), options.dtype)
    prompt = _readable_prompt(options, opened.model)
    _require_libraries(for_window=False)
    from visualizer.ui.window.offscreen import render_window

    render_window(opened, prompt, (width, height), options.theme, options.output)
    return 0


def _readable_prompt(options: argparse.Namespace, model: Model) -> str | list[int] | None:
    """The prompt that a window is to show, refused before it is drawn where the model cannot read it."""
    prompt = given_or_usual(options, options.prompt, "--prompt")
    if prompt is not None:
        model.ids(prompt)
    return prompt


def _window(options: argparse.Namespace) -> int:
    from visualizer import doctor
    from visualizer.formats import open_model

    opened = open_model(source_of(options, options.file), options.dtype)
    prompt = _readable_prompt(options, opened.model)
    if not doctor.has_screen():
        return _without_screen(opened, prompt)
    _require_libraries(for_window=True)
    from visualizer.ui.window.application import run

    return run(opened, prompt)


def _without_screen(opened: OpenedModel, shown: str | list[int] | None) -> int:
    """What a machine without a screen gets in place of a window: the window's picture, and the completions."""
    picture = "visualizer-window.png"
    print("There is no screen here (neither DISPLAY nor WAYLAND_DISPLAY is set), so no window can open.")
    _require_libraries(for_window=False)
    from visualizer.ui.window.offscreen import render_window

    render_window(opened, shown, (1440, 900), "light", picture)
    print(f"The window, drawn without one: {picture}")
    model = opened.model
    for prompt in ("a", "aa", "aab", "ba", "abaab", "ababa", "bbbbb") if opened.pattern == "aab" else ():
        print(f"{prompt} :: {model.text(step.token for step in model.generate(prompt, 10))}")
    return 0


def _require_libraries(for_window: bool) -> None:
    """Qt aborts the process where a system library is missing, so look before it is loaded."""
    from visualizer import doctor
    from visualizer.errors import MissingLibraryError

    missing = doctor.missing_libraries(for_window)
    if missing:
        names = ", ".join(item.what for item in missing)
        raise MissingLibraryError(f"missing here: {names}; install with: {doctor.install_command(missing)}")
