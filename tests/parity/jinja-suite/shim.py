"""A plugin for pytest that makes Jinja2's own tests render their templates with regrole.

Jinja2 stays in place around it: environments, loaders and exceptions are its own, and what a test
reads off them it finds there. Compiling a template asks regrole whether it can, rendering asks it for
the result, and an error comes back as the exception that Jinja2 has for it.

Variables travel as Python literals: iterators as lists, named tuples as dicts. A test that needs more
(functions, classes, Jinja2's tree of nodes) is skipped, and so is one that renders nothing.
"""

import ast
import collections
import collections.abc
import json
import math
import os
import re
import subprocess

import jinja2
import pytest
from jinja2 import defaults, exceptions, nativetypes
from jinja2.environment import Environment, Template
from markupsafe import Markup

OPTIONS = (
    "block_start_string block_end_string variable_start_string variable_end_string "
    "comment_start_string comment_end_string line_statement_prefix line_comment_prefix "
    "trim_blocks lstrip_blocks newline_sequence keep_trailing_newline"
).split()
TRANSLATING = {"_", "gettext", "ngettext", "pgettext", "npgettext"}
UNDEFINED = {
    jinja2.Undefined: "lenient",
    jinja2.StrictUndefined: "strict",
    jinja2.ChainableUndefined: "chainable",
}
OBJECTS = "needs Python objects"
API = "uses Jinja2's Python interface"


class TemplateFails(exceptions.TemplateAssertionError, exceptions.TemplateRuntimeError):
    """What is wrong with a template and only found while it renders."""


class Regrole:
    """The one process that answers, and whether the current test has asked it anything."""

    process = None
    asked = False

    @classmethod
    def ask(cls, request):
        """Returns the answer to a request; raises what it says was raised."""
        if cls.process is None:
            cls.process = subprocess.Popen(
                [os.environ["REGROLE"], "eval", "--json-lines"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
            )
        cls.asked = True
        cls.process.stdin.write(json.dumps(request) + "\n")
        cls.process.stdin.flush()
        answer = json.loads(cls.process.stdout.readline())
        if "err" in answer:
            raise exception(answer, request["mode"] == "check")
        return answer


def exception(answer, compiling):
    """Makes the exception that Jinja2 raises in place of an error."""
    message, kind = answer["err"], answer.get("class")
    if kind == "TemplateSyntaxError":
        # Assertions are errors of syntax too; regrole has one kind of error for both.
        return exceptions.TemplateAssertionError(message, 1) if compiling else TemplateFails(message, 1)
    if kind == "TemplateNotFound":
        _, several, names = message.partition("none of the templates given were found: ")
        return exceptions.TemplatesNotFound(names.split(", ")) if several else exceptions.TemplateNotFound(message)
    if kind == "ArithmeticError":
        return ZeroDivisionError(message) if "division" in message else OverflowError(message)
    if "non-namespace object" in message:
        return exceptions.TemplateRuntimeError(message)
    known = {"TypeError": TypeError, "ValueError": ValueError, "RecursionError": RecursionError}
    return known.get(kind, getattr(exceptions, kind or "", RuntimeError))(message)


def literal(value, top=True):
    """Returns a value as a Python literal that makes it again; raises TypeError where none does."""
    if value is None or type(value) in (bool, int, str, bytes):
        return repr(value)
    if type(value) is float and math.isfinite(value):
        return repr(value)
    if type(value) is Markup and top:
        return repr(str(value))
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return literal(value._asdict())
    if type(value) is tuple:
        return "(" + "".join(literal(item, False) + ", " for item in value) + ")"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(k, False)}: {literal(v, False)}" for k, v in value.items()) + "}"
    if type(value) in (list, range) or isinstance(value, collections.abc.Iterator):
        return "[" + ", ".join(literal(item, False) for item in value) + "]"
    raise TypeError(f"{type(value)} has no literal")


def literals(variables, text):
    """Returns the literal of a dict of variables, without those that the text doesn't name."""
    parts = []
    for name, value in variables.items():
        try:
            parts.append(f"{name!r}: {literal(value)}")
        except TypeError:
            if re.search(rf"\b{re.escape(name)}\b", text):
                pytest.skip(OBJECTS)
    return "{" + ", ".join(parts) + "}"


def changed(current, default):
    """Says whether a table of filters or tests has something of the test's own."""
    return any(default.get(name) is not function for name, function in current.items())


def sources(environment, text):
    """Returns the templates that a template may name."""
    loader = environment.loader
    if loader is None:
        return None
    try:
        names = loader.list_templates()
    except TypeError:
        names = re.findall(r"""['"]([^'"]+)['"]""", text)
    found = {}
    for name in names:
        try:
            found[name] = loader.get_source(environment, name)[0]
        except exceptions.TemplateNotFound:
            pass
    return found


def request_for(environment, source, name, mode):
    """Makes a request about a template, but for its variables."""
    own = [key for key in environment.extensions if not key.startswith("jinja2.ext.")]
    policies = {
        key: value
        for key, value in environment.policies.items()
        if key not in ("json.dumps_kwargs", "ext.i18n.trimmed")
    }
    if (
        own
        or environment.finalize
        or any(defaults.DEFAULT_POLICIES.get(key) != value for key, value in policies.items())
        or changed(environment.filters, defaults.DEFAULT_FILTERS)
        or changed(environment.tests, defaults.DEFAULT_TESTS)
        or environment.undefined not in UNDEFINED
    ):
        pytest.skip(OBJECTS)
    options = {option: getattr(environment, option) for option in OPTIONS}
    options["undefined"] = UNDEFINED[environment.undefined]
    options["extensions"] = [key.rpartition(".")[2] for key in environment.extensions]
    options["newstyle_gettext"] = getattr(environment, "newstyle_gettext", False)
    options["trims_translations"] = environment.policies["ext.i18n.trimmed"]
    options["native"] = isinstance(environment, nativetypes.NativeEnvironment)
    escape = environment.autoescape
    options["autoescape"] = escape(name) if callable(escape) else escape
    request = {"jinja": options, "mode": mode, "template": source}
    if name:
        request["name"] = name
    templates = sources(environment, source)
    if templates is not None:
        request["templates"] = templates
    return request


def catalog(functions, variables):
    """Returns the texts that a test's own functions have in place of others, for the language that it asks for."""
    function = functions["gettext"]
    if function.__closure__:  # what `install_gettext_callables` makes of the test's own
        function = function.__closure__[0].cell_contents
    if function.__name__ != "gettext":
        pytest.skip(OBJECTS)
    languages = function.__globals__["languages"]
    return literal(languages.get(variables.get("LANGUAGE", "en"), {}))


def with_variables(request, environment, variables, template_globals):
    """Adds variables and globals to a request."""
    text = "\n".join([request.get("template", request.get("expr")), *request.get("templates", {}).values()])
    own = {k: v for k, v in template_globals.items() if defaults.DEFAULT_NAMESPACE.get(k) is not v}
    if "gettext" in own:
        request["translations"] = catalog(own, variables)
        own = {k: v for k, v in own.items() if k not in TRANSLATING}
    request["globals"] = literals(own, text)
    request["vars"] = literals(variables, text)
    request["markup"] = [name for name, value in variables.items() if type(value) is Markup]
    return request


def value_of(answer, environment):
    """Returns the Python value of an answer."""
    if answer["undefined"]:
        return environment.undefined()
    return ast.literal_eval(answer["out"])


class Compiled:
    """What stands in for the Python code of a template."""

    def __init__(self, source, name):
        self.source = source
        self.name = name


class Module:
    """`Template.module`: what a template exports, read and called by templates."""

    def __init__(self, template, path=""):
        self._template = template
        self._path = path

    def _value(self, suffix=""):
        environment = self._template.environment
        code = self._template.regrole
        reader = "{% import '_read' as m %}{{ m" + self._path + suffix + " }}"
        request = request_for(environment, reader, None, "value")
        request.setdefault("templates", {})["_read"] = code.source
        return value_of(Regrole.ask(with_variables(request, environment, {}, self._template.globals)), environment)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        inner = Module(self._template, f"{self._path}.{name}")
        try:
            value = inner._value()
        except (SyntaxError, ValueError):
            return inner
        if isinstance(value, jinja2.Undefined):
            raise AttributeError(name)
        return value

    def __call__(self, *args, **kwargs):
        try:
            given = [literal(arg) for arg in args] + [f"{k}={literal(v)}" for k, v in kwargs.items()]
        except TypeError:
            pytest.skip(OBJECTS)
        return self._value(f"({', '.join(given)})")


def compile_template(self, source, name=None, filename=None, raw=False, defer_init=False):
    """Stands in for `Environment.compile`."""
    if raw or not isinstance(source, str) or self.is_async:
        pytest.skip(API)
    Regrole.ask(request_for(self, source, name, "check"))
    return Compiled(source, name)


def template_from_code(cls, environment, code, globals, uptodate=None):
    """Stands in for `Template.from_code`."""
    template = object.__new__(cls)
    template.environment = environment
    template.globals = globals
    template.name = code.name
    template.filename = None
    template.regrole = code
    template._uptodate = uptodate
    template._debug_info = ""
    return template


def render(self, *args, **kwargs):
    """Stands in for `Template.render`."""
    native = isinstance(self.environment, nativetypes.NativeEnvironment)
    mode = "native" if native else "text"
    request = request_for(self.environment, self.regrole.source, self.name, mode)
    variables = dict(*args, **kwargs)
    answer = Regrole.ask(with_variables(request, self.environment, variables, self.globals))
    return value_of(answer, self.environment) if native else answer["out"]


def compile_expression(self, source, undefined_to_none=True):
    """Stands in for `Environment.compile_expression`."""

    def request(mode):
        made = request_for(self, "", None, mode)
        del made["template"]
        made["expr"] = source
        return made

    def evaluate(*args, **kwargs):
        value = value_of(
            Regrole.ask(with_variables(request("value"), self, dict(*args, **kwargs), self.globals)), self
        )
        return None if undefined_to_none and isinstance(value, jinja2.Undefined) else value

    Regrole.ask(request("check"))
    return evaluate


def unavailable(*_args, **_kwargs):
    """Stands in for what reads compiled Python code."""
    pytest.skip(API)


Environment.compile = compile_template
Environment.compile_expression = compile_expression
Template.from_code = classmethod(template_from_code)
Template.render = nativetypes.NativeTemplate.render = render
Template.module = property(Module)
for method in ("generate", "stream", "make_module", "new_context", "root_render_func", "blocks"):
    setattr(Template, method, property(unavailable))


def listed(path):
    """Reads the list: how a test ends (`failing`, `skipped`), by its name."""
    with open(path, encoding="utf-8") as lines:
        entries = [line.split(maxsplit=1) for line in lines if line.strip() and not line.startswith("#")]
    return {rest.split(" -- ")[0]: how for how, rest in entries}


def pytest_addoption(parser):
    parser.addoption("--left-out", help="the list of tests that don't pass")


def pytest_configure(config):
    config.ends = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if call.when == "setup":
        Regrole.asked = False
    if report.when == "call" and report.passed and not Regrole.asked:
        report.outcome = "skipped"
        report.longrepr = (str(item.path), 0, "Skipped: renders nothing")
    if report.when == "call" or not report.passed:
        reason = report.longrepr[2].removeprefix("Skipped: ") if report.skipped else ""
        how = {"passed": "passing", "failed": "failing"}.get(report.outcome, report.outcome)
        item.config.ends[item.nodeid] = (how, reason)
    return report


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    config = session.config
    known = listed(config.getoption("--left-out"))
    ends = config.ends
    config.otherwise = [
        f"{how} {test} -- {reason}, listed as {known.get(test, 'passing')}"
        for test, (how, reason) in ends.items()
        if how != known.get(test, "passing")
    ]
    if not config.option.keyword:
        config.otherwise += [f"{test} is listed, and there is no such test" for test in known if test not in ends]
    if not config.otherwise and ends and session.exitstatus == pytest.ExitCode.TESTS_FAILED:
        session.exitstatus = pytest.ExitCode.OK
    elif config.otherwise:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter, config):
    counts = collections.Counter(how for how, _ in config.ends.values())
    rendered = counts["passing"] + counts["failing"]
    share = 100 * counts["passing"] / max(rendered, 1)
    terminalreporter.write_line(
        f"rendered with regrole: {counts['passing']} of {rendered} tests pass ({share:.1f} %), "
        f"{counts['skipped']} can't be"
    )
    for line in config.otherwise:
        terminalreporter.write_line(f"not as listed: {line}")
