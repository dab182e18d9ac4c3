"""Makes expressions or templates at random and compares what real Ansible and regrole make of them.

Run by `differential` with the Python of one level's Ansible. Expressions come from a grammar over
operators, methods, filters and tests of all types; one operand in eight is of a type that it should
not be. Templates are made of all tags that need no other file, blanks around them included. Equal are results with the same repr(), and errors with the same message.
"""

import argparse
import collections
import json
import pathlib
import random
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE / "templates"))
from record import Oracle, comparable  # noqa: E402

VARS = json.loads((HERE / "templates" / "vars.json").read_text())


def names_of(kind):
    return [name for name, value in VARS.items() if type(value) is kind]


class Grammar:
    """Makes expressions of a wanted type."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.rules = {
            "str": [
                lambda d: self.literal_text(),
                lambda d: self.pick(names_of(str)),
                lambda d: "(%s ~ %s)" % (self.any(d), self.any(d)),
                lambda d: "(%s + %s)" % (self.str(d), self.str(d)),
                lambda d: "(%s * %s)" % (self.str(d), self.small()),
                lambda d: "(%s %% %s)" % (self.pick(["'%s'", "'%5s|'", "'%-4s|'", "'%03d'", "'%.2f'", "'%x'", "'%r'"]), self.any(d)),
                lambda d: "%s.%s()" % (self.str(d), self.pick("upper lower title capitalize swapcase strip lstrip rstrip casefold".split())),
                lambda d: "%s.replace(%s, %s)" % (self.str(d), self.literal_text(), self.literal_text()),
                lambda d: "%s.%s(%s)" % (self.str(d), self.pick("center ljust rjust zfill".split()), self.small()),
                lambda d: "%s.%s(%s)" % (self.str(d), self.pick("removeprefix removesuffix strip lstrip".split()), self.literal_text()),
                lambda d: "%s.join(%s)" % (self.literal_text(), self.list(d)),
                lambda d: "'{}-{}'.format(%s, %s)" % (self.any(d), self.any(d)),
                lambda d: "'{0:>6}|{1:<6}|{0!r}'.format(%s, %s)" % (self.any(d), self.any(d)),
                lambda d: "%s[%s]" % (self.str(d), self.slice()),
                lambda d: "(%s | %s)" % (self.str(d), self.pick(
                    "upper lower title capitalize trim reverse string escape urlencode quote b64encode basename dirname "
                    "splitext|first regex_escape hash checksum to_json to_yaml comment indent wordcount|string striptags "
                    "md5 sha1 e center(9) truncate(7) truncate(7,true) truncate(9,false,'..') wordwrap(5) forceescape".split())),
                lambda d: "(%s | replace(%s, %s))" % (self.str(d), self.literal_text(), self.literal_text()),
                lambda d: "(%s | join(%s))" % (self.list(d), self.literal_text()),
                lambda d: "(%s | regex_replace(%s, %s))" % (self.str(d), self.pattern(), self.pick(["'<\\\\1>'", "''", "'x'", "'\\\\g<0>'"])),
                lambda d: "(%s | %s)" % (self.any(d), self.pick("string to_json to_nice_json to_yaml to_nice_yaml type_debug pprint tojson".split())),
                lambda d: "(%s | default(%s))" % (self.pick(["nope", self.str(d), "d.nope", "l[99]"]), self.str(d)),
                lambda d: "(%s if %s else %s)" % (self.str(d), self.bool(d), self.str(d)),
                lambda d: "(%s | ternary(%s, %s))" % (self.bool(d), self.str(d), self.str(d)),
            ],
            "int": [
                lambda d: self.small(),
                lambda d: self.pick(names_of(int) + ["10 ** 20", "1_000", "0x1F", "0b11"]),
                lambda d: "(%s %s %s)" % (self.int(d), self.pick("+ - * // %".split()), self.int(d)),
                lambda d: "(%s ** %s)" % (self.int(d), self.pick(["2", "0", "3", "-1"])),
                lambda d: "(-%s)" % self.int(d),
                lambda d: "(%s | length)" % self.pick([self.str, self.list, self.dict])(d),
                lambda d: "(%s | int)" % self.any(d),
                lambda d: "(%s | int(%s))" % (self.str(d), self.small()),
                lambda d: "(%s | abs)" % self.int(d),
                lambda d: "%s.%s(%s)" % (self.str(d), self.pick("find rfind count index".split()), self.literal_text()),
                lambda d: "(%s | %s)" % (self.list(d), self.pick(["sum", "length", "min", "max", "first", "last", "count"])),
                lambda d: "(%s | sum(start=%s))" % (self.list(d), self.small()),
                lambda d: "(%s | round | int)" % self.float(d),
            ],
            "float": [
                lambda d: self.pick(["1.5", "0.1", "-2.0", "1e3", "1e-7", "123456789.123456789", "3.0"]),
                lambda d: self.pick(names_of(float)),
                lambda d: "(%s / %s)" % (self.int(d), self.int(d)),
                lambda d: "(%s %s %s)" % (self.float(d), self.pick("+ - * / // % **".split()), self.pick([self.int, self.float])(d)),
                lambda d: "(%s | float)" % self.any(d),
                lambda d: "(%s | round(%s%s))" % (self.float(d), self.pick("0 1 2 -1".split()), self.pick(["", ", 'floor'", ", 'ceil'"])),
                lambda d: "(%s | %s)" % (self.int(d), self.pick(["log", "root", "pow(2)", "log(10)", "pow(0.5)"])),
            ],
            "bool": [
                lambda d: self.pick(["true", "false", "True", "none"]),
                lambda d: "(%s %s %s)" % (self.any(d), self.pick("== != < <= > >=".split()), self.any(d)),
                lambda d: "(%s < %s <= %s)" % (self.int(d), self.int(d), self.int(d)),
                lambda d: "(%s %s %s)" % (self.bool(d), self.pick(["and", "or"]), self.any(d)),
                lambda d: "(not %s)" % self.any(d),
                lambda d: "(%s %s %s)" % (self.any(d), self.pick(["in", "not in"]), self.pick([self.str, self.list, self.dict])(d)),
                lambda d: "(%s is %s%s)" % (self.any(d), self.pick(["", "not "]), self.pick(
                    "defined undefined none string number integer float boolean mapping sequence iterable true false odd even "
                    "truthy falsy callable upper lower nan".split())),
                lambda d: "(%s is %s(%s))" % (self.int(d), self.pick("divisibleby eq gt le ne lt sameas".split()), self.int(d)),
                lambda d: "(%s is %s(%s))" % (self.str(d), self.pick("match search regex".split()), self.pattern()),
                lambda d: "(%s is %s(%s))" % (self.list(d), self.pick("subset superset contains".split()), self.list(d)),
                lambda d: "(%s is version(%s, %s))" % (self.version(), self.version(), self.pick(["'<'", "'>='", "'eq'", "'!='"])),
                lambda d: "%s.%s(%s)" % (self.str(d), self.pick("startswith endswith".split()), self.literal_text()),
                lambda d: "%s.%s()" % (self.str(d), self.pick("isdigit isalpha isalnum isupper islower isspace istitle isnumeric isidentifier".split())),
                lambda d: "(%s | bool)" % self.any(d),
                lambda d: "(%s is %s)" % (self.list(d), self.pick(["any", "all"])),
            ],
            "list": [
                lambda d: "[%s]" % ", ".join(self.any(d) for _ in range(self.random.randint(0, 3))),
                lambda d: "[%s]" % ", ".join(self.int(d) for _ in range(self.random.randint(1, 4))),
                lambda d: self.pick(names_of(list)),
                lambda d: "(%s + %s)" % (self.list(d), self.list(d)),
                lambda d: "(%s * 2)" % self.list(d),
                lambda d: "%s[%s]" % (self.list(d), self.slice()),
                lambda d: "range(%s)|list" % self.small(),
                lambda d: "%s.split(%s)" % (self.str(d), self.pick(["", "','", "' '", "'o', 1"])),
                lambda d: "%s.%s" % (self.str(d), self.pick(["splitlines()", "partition('o')|list", "rsplit(None, 1)", "rpartition(' ')|list"])),
                lambda d: "(%s | %s)" % (self.list(d), self.pick(
                    "list sort unique reverse|list flatten shuffle(seed=1)|sort sort(reverse=true) map('string')|list "
                    "map('int')|list select|list reject('none')|list select('number')|list map('length')|list "
                    "select('string')|map('upper')|list batch(2)|list batch(2,'x')|list slice(2)|list product([1])|list "
                    "zip([1,2])|list zip_longest([1],fillvalue=0)|list permutations(2)|list combinations(2)|list "
                    "map('default','z')|list select('defined')|list groupby(0) rejectattr('x','undefined')|list "
                    "unique(case_sensitive=true)|list sort(case_sensitive=true)".split(" "))),
                lambda d: "(%s | %s(%s))" % (self.list(d), self.pick("union difference intersect symmetric_difference".split()), self.list(d)),
                lambda d: "(%s | %s)" % (self.dict(d), self.pick("list dict2items dictsort items|list dict2items(key_name='k')".split())),
                lambda d: "%s.%s | list" % (self.dict(d), self.pick(["keys()", "values()", "items()"])),
                lambda d: "(%s | regex_findall(%s))" % (self.str(d), self.pattern()),
                lambda d: "(%s | map(attribute=%s) | list)" % (self.list(d), self.pick(["'name'", "0", "'x.y'"])),
                lambda d: "(%s | selectattr('name', 'eq', %s) | list)" % (self.list(d), self.any(d)),
                lambda d: "(users | %s)" % self.pick([
                    "map(attribute='name') | list", "sort(attribute='name') | map(attribute='name') | list",
                    "groupby('name') | map('first') | list", "selectattr('name', 'search', 'o') | list | length"]),
            ],
            "dict": [
                lambda d: "{%s}" % ", ".join("%s: %s" % (self.pick([self.literal_text(), self.small()]), self.any(d)) for _ in range(self.random.randint(0, 3))),
                lambda d: self.pick(names_of(dict)),
                lambda d: "dict(a=%s, b=%s)" % (self.any(d), self.any(d)),
                lambda d: "dict([['k', %s]])" % self.any(d),
                lambda d: "(%s | combine(%s%s))" % (self.dict(d), self.dict(d), self.pick(["", ", recursive=true", ", list_merge='append'"])),
                lambda d: "(%s | dict2items | items2dict)" % self.dict(d),
                lambda d: "(%s | from_json)" % self.pick(["'{\"a\": [1, 2.50, null, true]}'", self.str(d)]),
                lambda d: "(%s | from_yaml)" % self.pick(["'a: [1, yes, 0o7, 1_0]'", "'- x\\n- y: 1'", self.str(d)]),
            ],
        }

    def pick(self, choices):
        return self.random.choice(choices)

    def small(self):
        return self.pick(["0", "1", "2", "3", "-1", "-2", "7", "10"])

    def literal_text(self):
        return self.pick(["''", "'a'", "'o'", "' '", "'Ab c'", "'12'", "'-3.5'", "'ä€'", "'x,y,,z'", "'l\\nm'", '"it\'s"', "'<b>&'", "'True'", "'%d'"])

    def pattern(self):
        return self.pick(["'o'", "'(l+)'", "'^h'", "'[a-c]+'", "'\\\\d+'", "'(?i)H(.)'", "'\\\\w+$'", "'(a)|(b)'", "'\\\\s'"])

    def version(self):
        return self.pick(["'1.0'", "'1.10.2'", "'2.9'", "'1.0rc1'", "'v1.2.3'", "'1.2'"])

    def slice(self):
        return self.pick(["0", "-1", "1", "1:", ":2", "::-1", "1:-1", "::2", "5", "-9:", ":-2"])

    def make(self, kind, depth):
        if self.random.random() < 0.12:
            kind = self.pick(list(self.rules))
        rules = self.rules[kind]
        if depth <= 0:
            rules = rules[:2]
        return self.pick(rules)(depth - 1)

    def any(self, depth):
        return self.make(self.pick(list(self.rules)), depth)

    def __getattr__(self, kind):
        return lambda depth: self.make(kind, depth)


class Templates(Grammar):
    """Makes templates."""

    def __init__(self, seed):
        super().__init__(seed)
        self.loops = 0

    def value(self):
        """Returns an expression that hardly ever fails."""
        choices = names_of(str) + names_of(int) + ["s | upper", "n + 1", "l | length", "nope | default('-')", "users[0].name", "x", "y", "ns.v"]
        if self.loops:
            choices += ["loop.%s" % part for part in "index index0 revindex revindex0 first last length depth".split()]
            choices += ["loop.cycle('a', 'b')", "loop.previtem | default('p')", "loop.nextitem | default('q')", "loop.changed(x)", "item"]
        return self.pick(choices) if self.random.random() < 0.9 else self.any(1)

    def open(self):
        return "{%" + self.pick(["", "", "", "-", "+"]) + " "

    def close(self):
        return " " + self.pick(["", "", "", "-", "+"]) + "%}"

    def tag(self, text):
        return self.open() + text + self.close()

    def text(self):
        return self.pick(["a", " b ", "\n", "  ", "c\n", "\n\n  d", " \t", "<e>", "{ ", "# f\n", ""])

    def nodes(self, depth):
        return "".join(self.node(depth) for _ in range(self.random.randint(1, 4)))

    def node(self, depth):
        simple = [
            self.text,
            lambda: "{{%s %s %s}}" % (self.pick(["", "", "-"]), self.value(), self.pick(["", "", "-"])),
            lambda: "{#%s note %s#}" % (self.pick(["", "-"]), self.pick(["", "-"])),
            lambda: self.tag("set %s = %s" % (self.pick(["x", "y", "x, y"]), self.value())),
            lambda: self.tag("set ns.v = %s" % self.value()),
            lambda: "{% raw %}{{ x }}{% y %}{% endraw %}",
        ]
        blocks = [
            lambda: self.tag("if " + self.condition()) + self.nodes(depth - 1)
            + self.pick(["", self.tag("elif " + self.condition()) + self.text()])
            + self.pick(["", self.tag("else") + self.nodes(depth - 1)]) + self.tag("endif"),
            lambda: self.loop(depth),
            lambda: self.loop(depth),
            lambda: self.tag("set x") + self.nodes(depth - 1) + self.tag("endset"),
            lambda: self.tag("set y | upper | trim") + self.nodes(depth - 1) + self.tag("endset"),
            lambda: self.tag("filter " + self.pick(["upper", "replace('a', 'A')", "trim", "indent(2)", "upper | center(20)"]))
            + self.nodes(depth - 1) + self.tag("endfilter"),
            lambda: self.tag("with x = %s, z = 3" % self.value()) + self.nodes(depth - 1) + "{{ z }}" + self.tag("endwith"),
            lambda: self.macro(depth),
            lambda: self.tag("block b%d" % self.random.randrange(10**9)) + self.nodes(depth - 1) + self.tag("endblock"),
        ]
        return self.pick(simple if depth <= 0 or self.random.random() < 0.5 else simple[:2] + blocks)()

    def condition(self):
        return self.pick(["x", "y is defined", "n > 2", "s in l", "not x", "loop.first" if self.loops else "true", self.value()])

    def loop(self, depth):
        over = self.pick(["l", "[1, 2, 3]", "users", "'ab'", "[]", "range(3)", "d", "d.items()", "[[1, [2]], [3]]", self.list(0)])
        filtered = self.pick(["", "", " if item", " if loop is undefined"])
        recursive = self.pick(["", "", "", " recursive"])
        self.loops += 1
        body = self.nodes(depth - 1)
        if recursive:
            body += "{{ loop(item) if item is sequence and item is not string }}"
        self.loops -= 1
        otherwise = self.pick(["", self.tag("else") + self.text()])
        return self.tag("for item in %s%s%s" % (over, filtered, recursive)) + body + otherwise + self.tag("endfor")

    def macro(self, depth):
        name = "m%d" % self.random.randrange(100)
        loops, self.loops = self.loops, 0
        body = self.nodes(depth - 1) + self.pick(["", "{{ varargs }}", "{{ kwargs }}", "{{ caller() if caller }}", "{{ p }}{{ q }}"])
        self.loops = loops
        made = self.tag("macro %s(p, q=%s)" % (name, self.pick(["1", "p", "x"]))) + body + self.tag("endmacro")
        call = "%s(%s)" % (name, self.pick(["1", "1, 2", "p=s", "", "1, q=3", "1, 2, 3", "1, r=4"]))
        return made + self.pick(["{{ %s }}" % call, self.tag("call " + call) + self.text() + self.tag("endcall")])

    def template(self, depth):
        return "{% set ns = namespace(v=0) %}{% set x, y = 'X', 2 %}" + self.nodes(depth)


def regrole(program, level, texts):
    """Returns regrole's answers, in order."""
    requests = "".join(
        json.dumps({"template": text, "vars": VARS, "mode": "native", "compat": level}) + "\n" for text in texts
    )
    ended = subprocess.run(
        [program, "eval", "--json-lines"], input=requests, capture_output=True, text=True, check=True,
        env={"REGROLE_COMPAT": level, "PATH": "/usr/bin:/bin", "TZ": "UTC", "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"},
    )
    return [json.loads(line) for line in ended.stdout.splitlines()]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("level")
    parser.add_argument("regrole")
    parser.add_argument("-n", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--templates", action="store_true", help="make templates instead of expressions")
    parser.add_argument("--show", type=int, default=40, help="differences to show")
    args = parser.parse_args()
    if args.templates:
        grammar = Templates(args.seed)
        make = grammar.template
    else:
        grammar = Grammar(args.seed)
        make = lambda depth: "{{ %s }}" % grammar.any(depth)  # noqa: E731
    texts = list(dict.fromkeys(make(grammar.random.randint(1, 3)) for _ in range(args.n * 2)))[: args.n]
    oracle = Oracle(args.level)
    answers = regrole(args.regrole, args.level, texts)
    assert len(answers) == len(texts), "regrole stopped early"
    counts, shown = collections.Counter(), collections.defaultdict(list)
    for text, ours in zip(texts, answers):
        theirs = oracle.answer(text, VARS)
        if "out" in theirs:
            kind = "equal values" if theirs["out"] == ours.get("out") else "different values" if "out" in ours else "only regrole fails"
        elif "err" not in ours:
            kind = "only Ansible fails"
        else:
            kind = "equal errors" if comparable(theirs["err"]) == comparable(ours["err"]) else "different messages"
        counts[kind] += 1
        if not kind.startswith("equal"):
            shown[kind].append("%s\n    Ansible %s\n    regrole %s" % (text, theirs.get("out", theirs.get("err")), ours.get("out", ours.get("err"))))
    for kind, rows in sorted(shown.items()):
        print("== %s: %d" % (kind, len(rows)))
        for row in sorted(rows, key=len)[: args.show]:
            print(row)
    print("differential: level %s, seed %d, %d %s: %s" % (
        args.level, args.seed, len(texts), "templates" if args.templates else "expressions", ", ".join("%d %s" % (count, kind) for kind, count in counts.most_common())))
    sys.exit(any(not kind.startswith("equal") for kind in counts))


main()
