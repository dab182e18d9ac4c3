"""Runs filters, tests and lookups that are Python plugins, for regrole's templates.

One message a line, both ways, as JSON: a request has `op`, its answer `ok` or `error`. While a
plugin runs it may ask for variables, for rendering and for other filters (`ask`); until the answer
comes, requests of the other side are served, so both may call each other as deep as they like.
The program ends with its standard input.
"""

import base64
import collections.abc
import datetime
import importlib
import importlib.util
import json
import math
import os
import queue
import sys
import threading


class Trusted(str):
    """Text that may be a template."""


class Omit:
    """An argument that is left out."""


OMIT = Omit()


# ---------------------------------------------------------------- messages

# Standard output is for messages alone: what plugins print goes to standard error.
_out = os.fdopen(os.dup(1), "wb")
os.dup2(2, 1)
_messages = queue.Queue()


def _read(stream):
    for line in stream:
        _messages.put(line)
    os._exit(0)


def _send(message):
    _out.write(json.dumps(message, ensure_ascii=True, separators=(",", ":")).encode() + b"\n")
    _out.flush()


def _ask(op, **fields):
    _send(dict(fields, ask=op))
    while True:
        message = json.loads(_messages.get())
        if "op" not in message:
            break
        _serve(message)
    if "error" in message:
        error = message["error"]
        raise _error_class(error.get("class"))(error.get("message"))
    return decode(message.get("ok"))


def _error_class(name):
    try:
        import ansible.errors as errors
    except ImportError:
        return LookupError if name == "AnsibleUndefinedVariable" else RuntimeError
    return getattr(errors, name or "", errors.AnsibleError)


def _shown(error):
    """An exception with its causes, and the names of its classes."""
    causes, cause, seen = [], error.__cause__, 0
    while cause is not None and seen < 20:
        causes.append({"class": type(cause).__name__, "message": _text(cause)})
        cause, seen = cause.__cause__, seen + 1
    return {
        "class": type(error).__name__,
        "bases": [base.__name__ for base in type(error).__mro__],
        "message": _text(error),
        "causes": causes,
    }


def _text(error):
    message = getattr(error, "_original_message", None) or getattr(error, "message", None)
    return message if isinstance(message, str) and message else str(error)


# ---------------------------------------------------------------- values

_kept = {}


def decode(value):
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    (kind, inner), = value.items()
    if kind == "d":
        return {decode(key): decode(item) for key, item in inner}
    if kind == "t":
        return tuple(decode(item) for item in inner)
    if kind == "s":
        return {decode(item) for item in inner}
    if kind == "T":
        return _trusted(inner)
    if kind == "M":
        return _markup(inner)
    if kind == "f":
        return float(inner)
    if kind == "b":
        return base64.b64decode(inner)
    if kind == "r":
        return range(*inner)
    if kind == "D":
        return _moment(inner)
    if kind == "u":
        return _undefined(inner)
    if kind == "h":
        return _kept[inner]
    if kind == "o":
        return _omit()
    raise ValueError("unknown kind of value %r" % kind)


def encode(value, depth=0):
    if depth > 200:
        raise ValueError("the value is nested too deeply")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {"f": repr(float(value))}
    if isinstance(value, str):
        if _is_trusted(value):
            return {"T": str.__str__(value)}
        if hasattr(value, "__html__"):
            return {"M": str.__str__(value)}
        return str.__str__(value)
    if isinstance(value, (bytes, bytearray)):
        return {"b": base64.b64encode(bytes(value)).decode()}
    if isinstance(value, Omit) or type(value).__name__ == "Omit":
        return {"o": 1}
    if isinstance(value, (datetime.datetime, datetime.date)):
        return {"D": [type(value).__name__.replace("_AnsibleTagged", "").lower(), value.isoformat()]}
    undefined = _is_undefined(value)
    if undefined is not None:
        return {"u": undefined}
    if isinstance(value, collections.abc.Mapping):
        return {"d": [[encode(key, depth + 1), encode(value[key], depth + 1)] for key in value]}
    if isinstance(value, tuple):
        return {"t": [encode(item, depth + 1) for item in value]}
    if isinstance(value, (set, frozenset)):
        return {"s": [encode(item, depth + 1) for item in value]}
    if isinstance(value, range):
        return {"r": [value.start, value.stop, value.step]}
    if isinstance(value, (collections.abc.Iterator, collections.abc.Sequence, collections.abc.ValuesView,
                          collections.abc.KeysView, collections.abc.ItemsView)):
        return [encode(item, depth + 1) for item in value]
    _kept[id(value)] = value
    return {"h": [id(value), type(value).__name__, repr(value), str(value), callable(value)]}


def _trusted(text):
    if not _settings["trust"]:
        return text
    if not _ansible():
        return Trusted(text)
    try:
        from ansible.template import trust_as_template
    except ImportError:  # before 2.19 every text is
        return Trusted(text)
    return trust_as_template(text)


def _is_trusted(text):
    if isinstance(text, Trusted):
        return True
    module = sys.modules.get("ansible.template")
    told = getattr(module, "is_trusted_as_template", None)
    return bool(told and told(text))


def _markup(text):
    try:
        from markupsafe import Markup
    except ImportError:
        return text
    return Markup(text)


def _moment(given):
    kind, text = given
    if kind == "date":
        return datetime.date.fromisoformat(text)
    return datetime.datetime.fromisoformat(text)


def _undefined(message):
    try:
        from ansible._internal._templating._jinja_common import UndefinedMarker
        return UndefinedMarker(hint=message, _no_template_source=True)
    except (ImportError, TypeError, AttributeError):
        pass
    from jinja2 import StrictUndefined
    return StrictUndefined(hint=message)


def _is_undefined(value):
    module = sys.modules.get("jinja2")
    if module is None or not isinstance(value, module.Undefined):
        return None
    return value._undefined_message if hasattr(value, "_undefined_message") else "an undefined value"


def _omit():
    try:
        from ansible.template import Omit as theirs
    except ImportError:
        return OMIT
    return theirs


# ---------------------------------------------------------------- what plugins are given

class Variables(dict):
    """All variables of the task as they are written, each fetched when it is read."""

    def __init__(self, known=None, op="variable"):
        super().__init__(known or {})
        self._names = None
        self._op = op

    def _all(self):
        if self._names is None:
            self._names = _ask("names")
        return list(dict.fromkeys(list(dict.keys(self)) + self._names))

    def __getitem__(self, name):
        if not dict.__contains__(self, name):
            found = _ask(self._op, name=name)
            if not found:
                raise KeyError(name)
            dict.__setitem__(self, name, found[0])
        return dict.__getitem__(self, name)

    def get(self, name, default=None):
        try:
            return self[name]
        except KeyError:
            return default

    def __contains__(self, name):
        return dict.__contains__(self, name) or name in self._all()

    def __iter__(self):
        return iter(self._all())

    def __len__(self):
        return len(self._all())

    def keys(self):
        return self._all()

    def values(self):
        return [self[name] for name in self._all()]

    def items(self):
        return [(name, self[name]) for name in self._all()]

    def copy(self):
        return Variables(dict(dict.items(self)), self._op)

    __copy__ = copy


class Templar:
    """Renders with regrole's own templates."""

    def __init__(self, loader=None, variables=None):
        self._loader = loader
        self._variables = Variables() if variables is None else variables
        self.environment = Environment()

    @property
    def available_variables(self):
        return self._variables

    @available_variables.setter
    def available_variables(self, variables):
        self._variables = variables

    def template(self, variable, *_args, **_options):
        given = None if type(self._variables) is Variables else dict(self._variables)
        if type(self._variables) is Variables:
            given = dict(dict.items(self._variables))
        return _ask("render", value=encode(variable), variables=encode(given or {}))

    do_template = template

    def is_template(self, text):
        if isinstance(text, str):
            return any(mark in text for mark in ("{{", "{%", "{#"))
        if isinstance(text, collections.abc.Mapping):
            return any(self.is_template(key) or self.is_template(text[key]) for key in text)
        if isinstance(text, (list, tuple)):
            return any(map(self.is_template, text))
        return False

    is_possibly_template = is_template

    def evaluate_expression(self, expression, **_options):
        return self.template(_trusted("{{ %s }}" % expression))

    def evaluate_conditional(self, conditional):
        return bool(self.evaluate_expression(conditional))

    def copy_with_new_env(self, **options):
        return Templar(self._loader, options.get("available_variables", self._variables))

    def set_temporary_context(self, **options):
        return _Temporary(self, options)


class _Temporary:
    def __init__(self, templar, options):
        self.templar, self.options = templar, options

    def __enter__(self):
        self.before = self.templar._variables
        if self.options.get("available_variables") is not None:
            self.templar._variables = self.options["available_variables"]

    def __exit__(self, *_error):
        self.templar._variables = self.before


class _Called:
    def __init__(self, kind, name):
        self.kind, self.name = kind, name

    def __call__(self, *args, **kwargs):
        return _ask(self.kind, name=self.name, args=encode(list(args)), kwargs=encode(kwargs))


class _Named(collections.abc.Mapping):
    def __init__(self, kind):
        self.kind = kind

    def __getitem__(self, name):
        return _Called(self.kind, name)

    def __iter__(self):
        return iter(())

    def __len__(self):
        return 0


class Environment:
    """What Jinja2's environment offers to filters: other filters and tests."""

    autoescape = False
    sandboxed = True

    def __init__(self):
        self.filters = _Named("filter")
        self.tests = _Named("test")
        self.globals = {}

    def call_filter(self, name, value, args=None, kwargs=None, **_more):
        return self.filters[name](value, *(args or ()), **(kwargs or {}))

    def call_test(self, name, value, args=None, kwargs=None, **_more):
        return self.tests[name](value, *(args or ()), **(kwargs or {}))

    def getitem(self, value, key):
        try:
            return value[key]
        except (TypeError, LookupError):
            return getattr(value, str(key), None)

    getattr = getitem


class Context(collections.abc.Mapping):
    """The variables of the template, as Jinja2's context."""

    def __init__(self):
        self.environment = Environment()
        self.eval_ctx = self
        self.autoescape = False
        self.vars = {}
        self.name = None
        self.exported_vars = set()

    def __getitem__(self, name):
        found = _ask("rendered", name=name)
        if not found:
            raise KeyError(name)
        return found[0]

    def __iter__(self):
        return iter(Variables())

    def __len__(self):
        return len(Variables())

    def resolve(self, name):
        return self.get(name)

    resolve_or_missing = resolve

    @property
    def parent(self):
        return Variables()

    def get_all(self):
        return Variables()


def _first_argument(function):
    wanted = getattr(getattr(function, "jinja_pass_arg", None), "name", "")
    if wanted == "environment" or getattr(function, "environmentfilter", False) is True:
        return [Environment()]
    if wanted or getattr(function, "contextfilter", False) is True or getattr(function, "evalcontextfilter", False) is True:
        return [Context()]
    return []


# ---------------------------------------------------------------- plugins

_settings = {}
_modules = {}
_functions = {}
_loaders = []


def _ansible():
    return _settings["ansible"]


def _loader():
    """Ansible's own plugin loaders, ready for collections; only where it is installed."""
    if not _loaders:
        from ansible.release import __version__ as version
        # What finds collections is made while it is imported, before there is a function for it.
        name = "ANSIBLE_COLLECTIONS_PATHS" if version.startswith("2.9.") else "ANSIBLE_COLLECTIONS_PATH"
        os.environ[name] = os.pathsep.join(_settings["collections"])
        import ansible.plugins.loader as loader
        start = getattr(loader, "init_plugin_loader", None)
        if start:
            start(_settings["collections"])
        _loaders.append(loader)
    return _loaders[0]


def _load_file(kind, path):
    if path not in _modules:
        name = "regrole_%s_%d_%s" % (kind, len(_modules), os.path.splitext(os.path.basename(path))[0])
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        _modules[path] = module
    return _modules[path]


def _members(kind, module):
    made = getattr(module, "FilterModule" if kind == "filter" else "TestModule")()
    return getattr(made, kind + "s")()


def names(message):
    """Loads files of filters or tests; says what each defines, or why it doesn't."""
    kind, found, failed = message["kind"], [], []
    for path in message["files"]:
        try:
            functions = _members(kind, _load_file(kind, path))
        except Exception as error:
            failed.append([path, _shown(error)])
            continue
        for name, function in functions.items():
            _functions.setdefault((kind, path, name), function)
            found.append([name, path])
    return {"found": found, "failed": failed}


def collection(message):
    """Loads a collection's filters or tests."""
    kind, (space, rest) = message["kind"], message["name"].split(".", 1)
    own, name = rest.split(".", 1)
    package = "ansible_collections.%s.%s.plugins.%s" % (space, own, kind)
    failed = []
    if _ansible():
        _loader()
    else:
        for path in _settings["collections"]:
            if path not in sys.path:
                sys.path.append(path)
        importlib.invalidate_caches()
    parts = name.split(".")
    package = ".".join([package] + parts[:-1])
    try:
        directories = list(importlib.import_module(package).__path__)
    except ImportError:
        return {"found": None, "failed": []}
    for directory in directories:
        for file in sorted(os.listdir(directory)):
            stem, extension = os.path.splitext(file)
            if extension != ".py" or stem == "__init__":
                continue
            try:
                functions = _members(kind, importlib.import_module(package + "." + stem))
            except Exception as error:
                failed.append(["%s.%s.%s" % (space, own, ".".join(parts[:-1] + [stem])), _shown(error)])
                continue
            if parts[-1] in functions:
                path = os.path.join(directory, file)
                _functions[(kind, path, message["name"])] = functions[parts[-1]]
                return {"found": path, "failed": failed}
    if _ansible():
        found = _redirected(kind, message["name"])
        if found:
            _functions[(kind, "", message["name"])] = found
            return {"found": "", "failed": failed}
    return {"found": None, "failed": failed}


def _redirected(kind, name):
    """A filter or test that a collection has under another name."""
    loader = getattr(_loader(), kind + "_loader")
    try:
        plugin = loader.get(name)
    except Exception:
        return None
    return getattr(plugin, "j2_function", None)


def call(message):
    function = _functions[(message["kind"], message["file"], message["name"])]
    args, kwargs = decode(message["args"]), decode(message["kwargs"])
    return encode(function(*(_first_argument(function) + args), **kwargs))


def _lookup_class(message):
    name, file = message["name"], message["file"]
    if not _ansible():
        if not file:
            return None, None
        return _load_file("lookup", file).LookupModule, None
    loader = _loader().lookup_loader
    if file:
        loader.add_directory(os.path.dirname(file))
    from ansible.parsing.dataloader import DataLoader
    data = DataLoader()
    data.set_basedir(_settings["directory"])
    return (lambda **given: loader.get(name, **given)), data


def lookup(message):
    make, data = _lookup_class(message)
    templar = Templar(data, Variables(op="rendered" if message["rendered"] else "variable"))
    plugin = make(loader=data, templar=templar) if make else None
    if plugin is None:
        return {"missing": True}
    takes = getattr(plugin, "accept_args_markers", False)
    terms, kwargs = decode(message["terms"]), decode(message["kwargs"])
    if message["undefined"] and not takes:
        return {"undefined": True}
    made = plugin.run(terms, variables=templar.available_variables, **kwargs)
    if not isinstance(made, (list, tuple)) and not isinstance(made, collections.abc.Sequence) or isinstance(made, str):
        return {"returned": str(type(made))}
    return {"made": encode(list(made))}


def attribute(message):
    value = _kept[message["id"]]
    name = message["name"]
    if name.startswith("_") or not hasattr(value, name):
        return None
    return [encode(getattr(value, name))]


def invoke(message):
    return encode(_kept[message["id"]](*decode(message["args"]), **decode(message["kwargs"])))


OPERATIONS = {function.__name__: function for function in (names, collection, call, lookup, attribute, invoke)}


def _serve(message):
    try:
        answer = {"ok": OPERATIONS[message["op"]](message)}
    except Exception as error:
        answer = {"error": _shown(error)}
    except SystemExit as error:
        answer = {"error": {"class": "SystemExit", "bases": ["SystemExit"], "message": "the plugin left Python with %s" % error, "causes": []}}
    _send(answer)


def main():
    stream = sys.stdin.buffer
    _settings.update(json.loads(stream.readline()))
    _settings["ansible"] = importlib.util.find_spec("ansible") is not None
    sys.stdin = open(os.devnull)
    threading.Thread(target=_read, args=(stream,), daemon=True).start()
    _send({"ok": {"ansible": _settings["ansible"], "executable": sys.executable}})
    while True:
        _serve(json.loads(_messages.get()))


main()
