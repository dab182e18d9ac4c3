//! Inputs that are made to hurt: none may panic, hang, or ask for memory without end.

use std::fmt::Write;

use regrole::diag::Sources;
use regrole::jinja::{Environment, MapContext, Place};
use regrole::value::Value;

use crate::support::eval::answers;

/// Numbers that are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

/// Runs with the stack that the program's own thread has.
fn with_a_stack(f: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new()
        .stack_size(8 << 20)
        .spawn(f)
        .expect("a thread")
        .join()
        .expect("no panic");
}

fn render(text: &str) -> Result<String, String> {
    let env = Environment::new();
    let context = MapContext::new([
        ("n", Value::from(7)),
        ("s", Value::from("Text äö")),
        (
            "l",
            Value::list(vec![Value::from(3), Value::from("x"), Value::None]),
        ),
        (
            "d",
            Value::dict([("a", Value::from(1)), ("b", Value::list(vec![]))]),
        ),
    ]);
    let template = env
        .compile(text, Place::Nowhere, true)
        .map_err(|error| error.to_string())?;
    env.render(&template, &context)
        .map_err(|error| error.to_string())
}

const VALUES: &[&str] = &[
    "n",
    "s",
    "l",
    "d",
    "nope",
    "none",
    "true",
    "''",
    "'ä'",
    "0",
    "-1",
    "3.5",
    "10**30",
    "1e308",
    "[]",
    "{}",
    "(1,)",
    "range(9)",
    "'%s'",
    "'{}'",
    "d.a",
    "l[0]",
    "loop",
    "[l, d]",
    "-0.0",
    "{'a': {'b': [1]}}",
];
const OPERATORS: &[&str] = &[
    "+", "-", "*", "/", "//", "%", "**", "~", "==", "<", "in", "not in", "and", "or", ">=", "!=",
];
const METHODS: &[&str] = &[
    "upper()",
    "split()",
    "split('')",
    "join(l)",
    "format(1)",
    "center(n)",
    "zfill(n)",
    "keys()",
    "pop()",
    "get('a')",
    "items()",
    "index('x')",
    "append(1)",
    "encode()",
    "partition('e')",
    "translate(d)",
    "expandtabs(n)",
    "find('x', -3)",
    "count('')",
    "splitlines()",
    "update(d)",
    "sort()",
    "bit_length()",
    "hex()",
];

/// Makes an expression by the grammar, now and then broken.
fn expression(numbers: &mut Numbers, depth: usize, filters: &[&str], tests: &[&str]) -> String {
    if depth == 0 {
        return numbers.pick(VALUES).to_owned();
    }
    let inner = |numbers: &mut Numbers| expression(numbers, depth - 1, filters, tests);
    match numbers.below(12) {
        0 | 1 => format!(
            "({} {} {})",
            inner(numbers),
            numbers.pick(OPERATORS),
            inner(numbers)
        ),
        2 | 3 => format!("({} | {})", inner(numbers), numbers.pick(filters)),
        4 => format!(
            "({} | {}({}))",
            inner(numbers),
            numbers.pick(filters),
            inner(numbers)
        ),
        5 => format!("({} is {})", inner(numbers), numbers.pick(tests)),
        6 => format!("{}.{}", inner(numbers), numbers.pick(METHODS)),
        7 => format!(
            "({} if {} else {})",
            inner(numbers),
            inner(numbers),
            inner(numbers)
        ),
        8 => format!("[{}, {}]", inner(numbers), inner(numbers)),
        9 => format!("{}[{}:{}]", inner(numbers), inner(numbers), inner(numbers)),
        10 => format!("{{{}: {}}}", inner(numbers), inner(numbers)),
        _ => format!("{}[{}]", inner(numbers), inner(numbers)),
    }
}

#[test]
fn expressions_of_the_grammar_end_with_a_value_or_an_error() {
    with_a_stack(|| {
        let env = Environment::new();
        let mut filters: Vec<&str> = env.filters.keys().copied().collect();
        let mut tests: Vec<&str> = env.tests.keys().copied().collect();
        filters.retain(|name| name.chars().all(char::is_alphanumeric));
        tests.retain(|name| name.chars().all(char::is_alphanumeric));
        filters.sort_unstable();
        tests.sort_unstable();
        let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
        for _ in 0..2_500 {
            let depth = 1 + numbers.below(3);
            let text = format!(
                "{{{{ {} }}}}",
                expression(&mut numbers, depth, &filters, &tests)
            );
            let _ = render(&text);
        }
    });
}

#[test]
fn rows_of_tokens_end_with_text_or_an_error() {
    const TOKENS: &[&str] = &[
        "{{",
        "}}",
        "{%",
        "%}",
        "{#",
        "#}",
        "-",
        "+",
        "{%-",
        "-%}",
        " ",
        "\n",
        "for",
        "x",
        "in",
        "l",
        "if",
        "else",
        "elif",
        "endif",
        "endfor",
        "set",
        "=",
        "macro",
        "(",
        ")",
        "endmacro",
        "call",
        "endcall",
        "block",
        "endblock",
        "extends",
        "'a'",
        "include",
        "import",
        "as",
        "raw",
        "endraw",
        "filter",
        "upper",
        "endfilter",
        "with",
        "endwith",
        "|",
        "is",
        "not",
        "defined",
        "[",
        "]",
        "{",
        "}",
        ":",
        ",",
        ".",
        "1",
        "1.5",
        "'",
        "\"",
        "\\",
        "ä",
        "~",
        "**",
        "loop",
        "recursive",
        "autoescape",
        "true",
        "endautoescape",
        "do",
        "break",
        "continue",
        "endset",
        "super()",
        "self",
        "caller()",
    ];
    with_a_stack(|| {
        let mut numbers = Numbers(42);
        for _ in 0..4_000 {
            let mut text = String::new();
            for _ in 0..numbers.below(24) {
                let _ = write!(text, "{}{}", numbers.pick(TOKENS), numbers.pick(&["", " "]));
            }
            let _ = render(&text);
        }
    });
}

#[test]
fn what_grows_without_end_is_refused() {
    with_a_stack(|| {
        for text in [
            "{% set ns = namespace(x='ab') %}{% for i in range(100) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
            "{% set ns = namespace(x=[1]) %}{% for i in range(100) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
            "{% for a in range(10000000) %}{% for b in range(10000000) %}{% endfor %}{% endfor %}",
            "{{ range(10 ** 12) | list }}",
            "{{ 'a' * 10 ** 10 }}",
            "{{ [0] * 10 ** 10 }}",
            "{{ 10 ** (10 ** 10) }}",
            "{{ '%0999999999d' % 1 }}",
            "{{ '{:>999999999999}'.format(1) }}",
            "{{ 'x' | center(10 ** 12) }}",
            "{{ 'x' | indent(10 ** 12) }}{{ ('x\\n' * 10000) | indent(10 ** 9) }}",
            "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
            "{% set ns = namespace(a=[]) %}{% for i in range(300) %}{% set ns.a = [ns.a] %}{% endfor %}{{ 'x' * 10 ** 9 }}",
        ] {
            assert!(render(text).is_err(), "{text}");
        }
    });
}

#[test]
fn deep_nesting_is_refused_and_never_overflows_the_stack() {
    with_a_stack(|| {
        for (open, close) in [
            ("(", ")"),
            ("[", "]"),
            ("{1: ", "}"),
            ("-", ""),
            ("not ", ""),
            ("f(", ")"),
            ("l[", "]"),
        ] {
            let text = format!("{{{{ {}1{} }}}}", open.repeat(5_000), close.repeat(5_000));
            assert!(render(&text).is_err(), "{open}");
        }
        for (open, close) in [
            ("{% if 1 %}", "{% endif %}"),
            ("{% for i in [1] %}", "{% endfor %}"),
        ] {
            let text = format!("{}x{}", open.repeat(5_000), close.repeat(5_000));
            assert!(render(&text).is_err(), "{open}");
        }
    });
}

#[test]
fn a_list_in_itself_prints_and_compares() {
    assert_eq!(
        render("{% set a = [] %}{% set _ = a.append(a) %}{{ a }}").as_deref(),
        Ok("[[...]]")
    );
}

#[test]
fn rows_of_yaml_end_with_data_or_an_error() {
    const TOKENS: &[&str] = &[
        "a",
        ": ",
        "- ",
        "\n",
        "  ",
        "    ",
        "[",
        "]",
        "{",
        "}",
        ",",
        "'",
        "\"",
        "|",
        ">",
        "#",
        "&x",
        "*x",
        "!!str ",
        "!!int ",
        "!!binary ",
        "? ",
        "---\n",
        "...\n",
        "yes",
        "0644",
        "1:30",
        "2024-01-02",
        "<<: ",
        "~",
        "\t",
        "%",
        "@",
        "ä",
        "\\",
        "1e3",
        "!vault |",
        "!unsafe ",
        "0x",
        "\u{feff}",
    ];
    with_a_stack(|| {
        let mut numbers = Numbers(7);
        for _ in 0..6_000 {
            let mut text = String::new();
            for _ in 0..numbers.below(20) {
                text.push_str(numbers.pick(TOKENS));
            }
            let sources = Sources::default();
            let id = sources.add("random.yml", text);
            if let Ok(loaded) = regrole::yaml::load_all(&sources, id) {
                for node in loaded.documents.into_iter().flatten() {
                    let _ = node.to_value().to_str();
                }
            }
        }
        let sources = Sources::default();
        let id = sources.add("backslash.yml", "a: \"b\\");
        assert!(regrole::yaml::load_all(&sources, id).is_err());
        let deep = "[".repeat(20_000);
        let sources = Sources::default();
        let id = sources.add("deep.yml", deep);
        assert!(regrole::yaml::load_all(&sources, id).is_err());
    });
}

#[test]
fn formats_of_any_pieces_end_with_text_or_an_error() {
    const PIECES: &[&str] = &[
        "{",
        "}",
        "{}",
        "{0}",
        "{a}",
        "{9}",
        "{0",
        "!r",
        "!s",
        "!a",
        "!x",
        ":",
        "<",
        ">",
        "^",
        "=",
        "+",
        "-",
        " ",
        "#",
        "0",
        "12",
        ",",
        "_",
        ".3",
        ".",
        "d",
        "f",
        "g",
        "e",
        "%",
        "x",
        "o",
        "b",
        "c",
        "s",
        "n",
        "z",
        "%s",
        "%d",
        "%5.2f",
        "%(a)s",
        "%(",
        "%-05x",
        "%*d",
        "%%",
        "ä",
        "[0]",
        ".a",
        "99999999999",
    ];
    const VALUES: &[&str] = &["n", "s", "l", "d", "1.5", "-0.0", "2 ** 70", "none", "true"];
    with_a_stack(|| {
        let mut numbers = Numbers(7);
        for _ in 0..4_000 {
            let format: String = (0..numbers.below(8))
                .map(|_| numbers.pick(PIECES))
                .collect();
            let (one, two) = (numbers.pick(VALUES), numbers.pick(VALUES));
            let _ = render(&format!(
                "{{{{ '{format}'.format({one}, {two}, a={one}) }}}}"
            ));
            let _ = render(&format!("{{{{ '{format}' % ({one}, {two}) }}}}"));
            let _ = render(&format!("{{{{ '{format}' % {{'a': {one}}} }}}}"));
        }
    });
}

#[test]
fn regular_expressions_of_any_pieces_end_with_a_value_or_an_error() {
    const PIECES: &[&str] = &[
        "a",
        "b",
        ".",
        "*",
        "+",
        "?",
        "(",
        ")",
        "[",
        "]",
        "[^a]",
        "{2}",
        "{2,",
        "}",
        "|",
        "^",
        "$",
        "(?:",
        "(?P<n>",
        "(?P=n)",
        "(?=",
        "(?!",
        "(?<=",
        "(?<!",
        "(?i)",
        "(?#",
        "\\\\d",
        "\\\\b",
        "\\\\1",
        "\\\\g<1>",
        "\\\\Z",
        "\\\\",
        "ä",
        "(a+)+",
        "[a-",
        "[:alpha:]",
        "*?",
        "++",
    ];
    let mut numbers = Numbers(11);
    let mut requests = Vec::new();
    for _ in 0..1_500 {
        let pattern: String = (0..numbers.below(8))
            .map(|_| numbers.pick(PIECES))
            .collect();
        let filter = numbers.pick(&["regex_search", "regex_findall", "regex_replace"]);
        let more = if filter == "regex_replace" {
            ", '<\\\\1>'"
        } else {
            ""
        };
        let text =
            format!("{{{{ 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaac äb' | {filter}('{pattern}'{more}) }}}}");
        requests.push(serde_json::json!({"template": text, "mode": "native"}));
    }
    let catastrophe = "{{ ('a' * 60) is match('(a|a|b?)+(a+)+$c(?=d)') }}";
    requests.push(serde_json::json!({"template": catastrophe, "mode": "native"}));
    for answer in answers(requests) {
        assert!(
            answer["out"].is_string() || answer["err"].is_string(),
            "{answer}"
        );
    }
}

#[test]
fn a_comma_right_behind_a_tag_is_an_error_and_no_panic() {
    let read = |text: &str| {
        let sources = Sources::default();
        let source = sources.add("play.yml", text);
        regrole::yaml::load(&sources, source).map(|node| node.expect("a node").to_value().repr())
    };
    for text in ["{:!,", " {+*::!{!..,", "{!,'0''"] {
        assert!(read(text).is_err(), "{text}");
    }
    for text in ["[!!str, a]", "[a, &x !!str, b]", "- {a: !t, b: 1}"] {
        let error = read(text).expect_err(text);
        assert!(
            error.message().contains("comma right behind"),
            "{text}: {error}"
        );
    }
    for (text, value) in [
        ("a: hello!, you", "{'a': 'hello!, you'}"),
        ("[\"a !x, b\", 'c !y, d']", "['a !x, b', 'c !y, d']"),
        ("# [!!str, a]\n[1]", "[1]"),
        ("!!str \"a !x, b\"", "'a !x, b'"),
        ("[!!str a, b]", "['a', 'b']"),
        (">\n x! ,!\n .!", "'x! ,! .!'"),
    ] {
        assert_eq!(read(text).expect(text), value);
    }
}

#[test]
fn a_first_character_like_a_byte_order_mark_is_text() {
    for (text, value) in [("Ａ: 1", "{'Ａ': 1}"), ("\u{feff}a: 1", "{'a': 1}")] {
        let sources = Sources::default();
        let source = sources.add("vars.yml", text);
        let node = regrole::yaml::load(&sources, source).expect(text);
        assert_eq!(node.expect("a node").to_value().repr(), value);
    }
}

/// **Source:** what `PyYAML` makes of these texts.
#[test]
fn a_block_scalar_may_end_with_the_text() {
    for (text, value) in [
        ("a: |\n  text", "{'a': 'text'}"),
        ("a: |+\n  text", "{'a': 'text'}"),
        ("a: |-\n  text", "{'a': 'text'}"),
        ("a: >\n  text", "{'a': 'text'}"),
        ("a: |\n  text\n  ", "{'a': 'text\\n'}"),
        ("a: |+\n  text\n  ", "{'a': 'text\\n'}"),
        ("a: |+\n  text\n\n  ", "{'a': 'text\\n\\n'}"),
        ("a: |\n  text\n\n", "{'a': 'text\\n'}"),
        ("a: >+\n  x\n  y", "{'a': 'x y'}"),
        ("a: |\n", "{'a': ''}"),
        ("a: |", "{'a': ''}"),
        ("a: |\n  ", "{'a': ''}"),
        ("a: |+\n  ", "{'a': ''}"),
        ("a: |\n  text\n# c", "{'a': 'text\\n'}"),
        ("a: |\n  text\n  # c", "{'a': 'text\\n# c'}"),
        ("a: |+\n  t\n\n\n # c", "{'a': 't\\n\\n\\n'}"),
        ("- |\n x\n- >\n y", "['x\\n', 'y']"),
        ("a: |\n  x\n   ", "{'a': 'x\\n '}"),
        ("a: |\n  x\n    y", "{'a': 'x\\n  y'}"),
        ("a: |2\n  x", "{'a': 'x'}"),
        ("a: | # c\n  x", "{'a': 'x'}"),
        ("a: |+ # -\n  x\n ", "{'a': 'x\\n'}"),
    ] {
        let sources = Sources::default();
        let source = sources.add("vars.yml", text);
        let node = regrole::yaml::load(&sources, source).expect(text);
        assert_eq!(node.expect("a node").to_value().repr(), value, "{text:?}");
    }
}
