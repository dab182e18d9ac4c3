"""Records what Ansible's own templating makes of the cases in this directory.

Run by `record-templates` with the Python of one level's Ansible. Answers go to
`expected.LEVEL.json`: family -> case -> {"out": repr} or {"err": message}, or {"repeatable": false}.
"""

import json
import pathlib
import re
import sys
import warnings

warnings.simplefilter("ignore")
HERE = pathlib.Path(__file__).parent
# Python classes that Ansible stores strings and containers in; messages name them, we name the type.
NAMES = {
    "ansible._internal._templating._lazy_containers.": "",
    "ansible.module_utils._internal._datatag.": "",
    "_AnsibleTaggedStr": "str",
    "_AnsibleLazyTemplateDict": "dict",
    "_AnsibleLazyTemplateList": "list",
    "_AnsibleLazyAccessTuple": "tuple",
}


def cases(level):
    """Yields family, key, kind, text, options: a line is an expression; `.j2` files hold templates."""
    for path in sorted(path for path in HERE.glob("*.txt") if not path.name.startswith("open.")):
        for line in path.read_text().splitlines():
            collections = any(name in line for name in ("ansible.utils.", "community.general.", "community.crypto."))
            if line.strip() and not line.startswith("#") and not (level == "2.9" and collections):
                yield path.stem, line, "expr", line, {}
    for path in sorted(HERE.glob("*.j2")):
        blocks = ("\n" + path.read_text()).split("\n=== ")[1:]
        for block in blocks:
            head, _, body = block.partition("\n")
            name, *pairs = head.split(" ")
            options = dict(pair.split("=", 1) for pair in pairs)
            yield path.stem, name, "template", body, options


def plain(value):
    """Turns tagged and lazy values into what Python itself has, so that their repr() is plain."""
    for kind in (bool, int, float, str, bytes):
        if isinstance(value, kind):
            return kind(value)
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        made = [plain(item) for item in value]
        return made if isinstance(value, list) else type(value)(made)
    return value


def as_text(value):
    """Returns what a file has of a result."""
    return "" if value is None else str(value)


def comparable(text):
    """Names Python's own classes by the plain ones, and leaves out where objects are in memory."""
    text = re.sub(" at 0x[0-9a-f]+", "", text)
    for name, plain_name in NAMES.items():
        text = text.replace(name, plain_name)
    return text


class Oracle:
    """Ansible's own templating, of one level."""

    def __init__(self, level):
        from ansible.parsing.dataloader import DataLoader
        from ansible.template import Templar

        self.templar = Templar
        self.native = level == "2.19"
        self.trust = lambda text: text
        if level == "2.19":
            from ansible.template import trust_as_template

            self.trust = trust_as_template
        try:
            from ansible.plugins.loader import init_plugin_loader

            init_plugin_loader()
        except ImportError:
            pass
        self.scratch = pathlib.Path("/tmp/regrole-template-cases")
        self.scratch.mkdir(exist_ok=True)
        self.loader = DataLoader()
        self.loader.set_basedir(str(self.scratch))

    def trusted(self, value):
        """Returns a value whose texts may be templates."""
        if isinstance(value, str):
            return self.trust(value)
        if isinstance(value, dict):
            return {key: self.trusted(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.trusted(item) for item in value]
        return value

    def write(self, name, text):
        """Writes a template that others can name."""
        path = self.scratch / "templates" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def prepared(self, variables):
        """Returns a templar with these variables."""
        variables = self.trusted(variables)
        variables["ansible_search_path"] = [str(self.scratch)]
        if not self.native:
            # What a play sets, and since 2.19 the templar itself.
            variables.update(omit="__omit_place_holder__", ansible_managed="Ansible managed")
        return self.templar(loader=self.loader, variables=variables)

    def answer(self, source, variables, shown=repr):
        """Renders a template: {"out": …} or {"err": message}."""
        templar = self.prepared(variables)
        try:
            return {"out": comparable(shown(plain(templar.template(self.trusted(source), escape_backslashes=False))))}
        except Exception as error:
            return {"err": comparable(str(error))}

    def answer_file(self, text, variables):
        """Renders a template file to text, as the `template` action does."""
        self.write("case.j2", text)
        if self.native:
            return self.answer("{{ lookup('template', 'case.j2') }}", variables, as_text)
        templar = self.prepared(variables)
        templar.environment.loader.searchpath = [str(self.scratch / "templates")]
        try:
            return {"out": comparable(as_text(templar.do_template(text, escape_backslashes=False)))}
        except Exception as error:
            return {"err": comparable(str(error))}


def main():
    level, *rest = sys.argv[1:]
    check = "--check" in rest
    wanted = [name for name in rest if not name.startswith("-")]
    oracle = Oracle(level)
    target = HERE / ("expected.%s.json" % level)
    answers = json.loads(target.read_text()) if target.exists() else {}
    made = {}
    for _, name, _, text, _ in cases(level):
        if name.startswith("file:"):
            oracle.write(name[len("file:"):], text)
    variables = json.loads((HERE / "vars.json").read_text())
    for family, name, kind, text, options in cases(level):
        if wanted and family not in wanted or name.startswith("file:"):
            continue
        def ask():
            if kind == "expr":
                return oracle.answer("{{ " + text + " }}", variables)
            header = ", ".join("%s: %s" % pair for pair in options.items())
            return oracle.answer_file("#jinja2: %s\n%s" % (header, text) if header else text, variables)

        answer = ask()
        # What comes out otherwise each time can't be compared.
        made.setdefault(family, {})[name] = answer if answer == ask() else {"repeatable": False}
    if check:
        wrong = [
            (family, name, answers.get(family, {}).get(name), answer)
            for family, rows in made.items()
            for name, answer in rows.items()
            if answers.get(family, {}).get(name) != answer
        ]
        for row in wrong:
            print(*row, sep=" | ")
        sys.exit(bool(wrong))
    answers.update(made)
    target.write_text(json.dumps(answers, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
    print("%s: %d cases" % (target.name, sum(map(len, made.values()))))


if __name__ == "__main__":
    main()
