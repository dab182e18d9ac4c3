"""Records what Ansible's own templating makes of the cases in this directory.

Run by `record-templates` with the Python of one level's Ansible. Answers go to
`expected.LEVEL.json`: family -> case -> {"out": repr} or {"err": message}.
"""

import json
import pathlib
import sys
import warnings

warnings.simplefilter("ignore")
HERE = pathlib.Path(__file__).parent
# Python classes that Ansible stores strings and containers in; messages name them, we name the type.
NAMES = {
    "ansible._internal._templating._lazy_containers.": "",
    "_AnsibleTaggedStr": "str",
    "_AnsibleLazyTemplateDict": "dict",
    "_AnsibleLazyTemplateList": "list",
    "_AnsibleLazyAccessTuple": "tuple",
}


def cases():
    """Yields family, key, kind, text, options: a line is an expression; `.j2` files hold templates."""
    for path in sorted(HERE.glob("*.txt")):
        for line in path.read_text().splitlines():
            if line.strip() and not line.startswith("#"):
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


def message(error):
    text = str(error)
    for name, plain_name in NAMES.items():
        text = text.replace(name, plain_name)
    return text


def main():
    level, *rest = sys.argv[1:]
    check = "--check" in rest
    wanted = [name for name in rest if not name.startswith("-")]
    from ansible.parsing.dataloader import DataLoader
    from ansible.template import Templar

    modern = level == "2.19"
    if modern:
        from ansible.template import trust_as_template

        def trusted(value):
            if isinstance(value, str):
                return trust_as_template(value)
            if isinstance(value, dict):
                return {key: trusted(item) for key, item in value.items()}
            if isinstance(value, list):
                return [trusted(item) for item in value]
            return value
    else:

        def trusted(value):
            return value

    try:
        from ansible.plugins.loader import init_plugin_loader

        init_plugin_loader()
    except ImportError:
        pass
    scratch = pathlib.Path("/tmp/regrole-template-cases")
    scratch.mkdir(exist_ok=True)
    loader = DataLoader()
    loader.set_basedir(str(scratch))
    target = HERE / ("expected.%s.json" % level)
    answers = json.loads(target.read_text()) if target.exists() else {}
    made = {}
    files = {}
    for family, name, kind, text, options in cases():
        if name.startswith("file:"):
            files[name[len("file:"):]] = text
    for name, text in files.items():
        path = scratch / "templates" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for family, name, kind, text, options in cases():
        if wanted and family not in wanted or name.startswith("file:"):
            continue
        variables = trusted(json.loads((HERE / "vars.json").read_text()))
        variables["ansible_search_path"] = [str(scratch)]
        templar = Templar(loader=loader, variables=variables)
        if kind == "expr":
            source = "{{ " + text + " }}"
        else:
            header = ", ".join("%s: %s" % pair for pair in options.items())
            path = scratch / "templates" / "case.j2"
            path.write_text("#jinja2: %s\n%s" % (header, text) if header else text)
            source = "{{ lookup('template', 'case.j2') }}"
        try:
            value = plain(templar.template(trusted(source), escape_backslashes=False))
            answer = {"out": as_text(value) if kind == "template" else repr(value)}
        except Exception as error:
            answer = {"err": message(error)}
        made.setdefault(family, {})[name] = answer
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


main()
