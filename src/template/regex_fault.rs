//! What Python's `re` refuses in a regular expression, in its words and with its positions.
//!
//! The expression is read once from left to right, with a stack of open groups, in the order in which Python looks at
//! things; what it accepts is compiled elsewhere.
//!
//! **Source:** the syntax in the documentation of Python 3.11's `re`, and what it says of wrong expressions.

use crate::value::Value;

/// Says what is wrong with a regular expression.
pub(super) fn regex_fault(pattern: &str) -> Option<String> {
    let chars: Vec<char> = pattern.chars().collect();
    let mut reader = Reader {
        chars: &chars,
        at: 0,
        open: Vec::new(),
        part: Part::default(),
        groups: Vec::new(),
        promised: Vec::new(),
        is_verbose: false,
        has_loose_look_behind: false,
    };
    let Fault(said, at) = reader.read().err()?;
    let Some(at) = at else {
        return Some(said);
    };
    if !chars.contains(&'\n') {
        return Some(format!("{said} at position {at}"));
    }
    let line = chars[..at].iter().filter(|c| **c == '\n').count() + 1;
    let start = chars[..at]
        .iter()
        .rposition(|c| *c == '\n')
        .map_or(0, |at| at + 1);
    let column = at - start + 1;
    Some(format!(
        "{said} at position {at} (line {line}, column {column})"
    ))
}

/// What is said, and where.
struct Fault(String, Option<usize>);

type Checked<T = ()> = Result<T, Fault>;

fn fault<T>(said: impl Into<String>, at: usize) -> Checked<T> {
    Err(Fault(said.into(), Some(at)))
}

/// What stands before a repetition.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Last {
    #[default]
    Nothing,
    /// A place: `^`, `\b`.
    Place,
    Repeated,
    Item,
}

/// How many characters something takes, at least and at most.
type Width = (u64, u64);

/// The part of a group that is read: a sequence, with what stood before a `|`.
#[derive(Clone, Copy, Default)]
struct Part {
    last: Last,
    /// The width of the last item, and of what is before it.
    item: Width,
    before: Width,
    branches: usize,
    /// The width of the branches before.
    others: Option<Width>,
}

impl Part {
    fn add(&mut self, last: Last, item: Width) {
        self.before = plus(self.before, self.item);
        self.item = item;
        self.last = last;
    }

    fn branch(&mut self) {
        *self = Part {
            branches: self.branches + 1,
            others: Some(self.width()),
            ..Part::default()
        };
    }

    fn width(&self) -> Width {
        let own = plus(self.before, self.item);
        match self.others {
            Some((least, most)) => (least.min(own.0), most.max(own.1)),
            None => own,
        }
    }
}

fn plus(a: Width, b: Width) -> Width {
    (a.0.saturating_add(b.0), a.1.saturating_add(b.1))
}

/// What kind a group is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Numbered from 1.
    Captured(usize),
    Plain,
    Look,
    LookBehind,
    Conditional,
}

struct Open {
    at: usize,
    kind: Kind,
    outer: Part,
    was_verbose: bool,
}

struct Group {
    name: Option<String>,
    /// Its width, once it is closed.
    width: Option<Width>,
}

struct Reader<'a> {
    chars: &'a [char],
    at: usize,
    open: Vec<Open>,
    part: Part,
    groups: Vec<Group>,
    /// Groups that a condition names before they are there.
    promised: Vec<(usize, usize)>,
    is_verbose: bool,
    has_loose_look_behind: bool,
}

const FLAGS: &str = "iLmsxau";

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn read(&mut self) -> Checked {
        while let Some(c) = self.next() {
            let start = self.at - 1;
            if self.is_verbose && c.is_whitespace() {
                continue;
            }
            match c {
                '#' if self.is_verbose => while self.next().is_some_and(|c| c != '\n') {},
                '|' => {
                    let in_condition = self
                        .open
                        .last()
                        .is_some_and(|o| o.kind == Kind::Conditional);
                    if in_condition && self.part.branches == 1 {
                        return fault("conditional backref with more than two branches", start);
                    }
                    self.part.branch();
                }
                ')' => self.close(start)?,
                '(' => self.group(start)?,
                '[' => self.set(start)?,
                '\\' => self.escape(start)?,
                '^' | '$' => self.part.add(Last::Place, (0, 0)),
                '*' | '+' | '?' => self.repeat(
                    start,
                    u64::from(c == '+'),
                    if c == '?' { 1 } else { u64::MAX },
                )?,
                '{' => self.count(start)?,
                _ => self.part.add(Last::Item, (1, 1)),
            }
        }
        if let Some(open) = self.open.last() {
            return fault("missing ), unterminated subpattern", open.at);
        }
        for (group, at) in &self.promised {
            if *group > self.groups.len() {
                return fault(format!("invalid group reference {group}"), *at);
            }
        }
        if self.has_loose_look_behind {
            return Err(Fault(
                "look-behind requires fixed-width pattern".to_owned(),
                None,
            ));
        }
        Ok(())
    }

    fn close(&mut self, at: usize) -> Checked {
        let Some(open) = self.open.pop() else {
            return fault("unbalanced parenthesis", at);
        };
        let mut width = self.part.width();
        self.part = open.outer;
        self.is_verbose = open.was_verbose;
        match open.kind {
            Kind::Captured(number) => {
                if let Some(group) = self.groups.get_mut(number - 1) {
                    group.width = Some(width);
                }
            }
            Kind::LookBehind => {
                self.has_loose_look_behind |= width.0 != width.1;
                width = (0, 0);
            }
            Kind::Look => width = (0, 0),
            Kind::Plain | Kind::Conditional => {}
        }
        self.part.add(Last::Item, width);
        Ok(())
    }

    fn enter(&mut self, at: usize, kind: Kind) {
        self.open.push(Open {
            at,
            kind,
            outer: std::mem::take(&mut self.part),
            was_verbose: self.is_verbose,
        });
    }

    fn repeat(&mut self, at: usize, least: u64, most: u64) -> Checked {
        match self.part.last {
            Last::Nothing | Last::Place => return fault("nothing to repeat", at),
            Last::Repeated => return fault("multiple repeat", at),
            Last::Item => {}
        }
        if !self.eat('?') {
            self.eat('+');
        }
        let (low, high) = self.part.item;
        let high = if high == 0 {
            0
        } else {
            high.saturating_mul(most)
        };
        self.part.item = (low.saturating_mul(least), high);
        self.part.last = Last::Repeated;
        Ok(())
    }

    /// Reads `{2,3}`; what is no count stands for itself.
    fn count(&mut self, start: usize) -> Checked {
        let inside = self.at;
        let (low, high) = if self.peek() == Some('}') {
            (None, None)
        } else {
            let low = self.digits();
            let high = if self.eat(',') {
                self.digits()
            } else {
                low.clone()
            };
            (Some(low), Some(high))
        };
        let (Some(low), Some(high), true) = (low, high, self.eat('}')) else {
            self.at = inside;
            self.part.add(Last::Item, (1, 1));
            return Ok(());
        };
        let number = |digits: &str, usual: u64| match digits {
            "" => Ok(usual),
            digits => match digits.parse::<u64>() {
                Ok(number) if number < u64::from(u32::MAX) => Ok(number),
                _ => Err(Fault("the repetition number is too large".to_owned(), None)),
            },
        };
        let (least, most) = (number(&low, 0)?, number(&high, u64::MAX)?);
        if most < least {
            return fault("min repeat greater than max repeat", inside);
        }
        self.repeat(start, least, most)
    }

    fn digits(&mut self) -> String {
        self.take_while(usize::MAX, |c| c.is_ascii_digit())
    }

    fn take_while(&mut self, most: usize, fits: fn(char) -> bool) -> String {
        let mut out = String::new();
        while out.len() < most
            && let Some(c) = self.peek().filter(|c| fits(*c))
        {
            out.push(c);
            self.at += 1;
        }
        out
    }

    /// Reads a name up to what ends it.
    fn until(&mut self, end: char, what: &str) -> Checked<String> {
        let start = self.at;
        let mut name = String::new();
        loop {
            match self.next() {
                None if name.is_empty() => return fault(format!("missing {what}"), start),
                None => return fault(format!("missing {end}, unterminated name"), start),
                Some(c) if c == end && name.is_empty() => {
                    return fault(format!("missing {what}"), start);
                }
                Some(c) if c == end => return Ok(name),
                Some(c) => name.push(c),
            }
        }
    }

    fn group(&mut self, start: usize) -> Checked {
        if !self.eat('?') {
            return self.capture(start, None);
        }
        let end = self.chars.len();
        let Some(c) = self.next() else {
            return fault("unexpected end of pattern", end);
        };
        match c {
            'P' => self.named(start),
            ':' | '>' => {
                self.enter(start, Kind::Plain);
                Ok(())
            }
            '#' => loop {
                match self.next() {
                    None => return fault("missing ), unterminated comment", start),
                    Some(')') => return Ok(()),
                    Some(_) => {}
                }
            },
            '=' | '!' => {
                self.enter(start, Kind::Look);
                Ok(())
            }
            '<' => match self.next() {
                None => fault("unexpected end of pattern", end),
                Some('=' | '!') => {
                    self.enter(start, Kind::LookBehind);
                    Ok(())
                }
                Some(other) => fault(format!("unknown extension ?<{other}"), start + 1),
            },
            '(' => self.condition(start),
            '-' => self.flags(start, c),
            c if FLAGS.contains(c) => self.flags(start, c),
            other => fault(format!("unknown extension ?{other}"), start + 1),
        }
    }

    fn capture(&mut self, start: usize, name: Option<String>) -> Checked {
        self.groups.push(Group { name, width: None });
        self.enter(start, Kind::Captured(self.groups.len()));
        Ok(())
    }

    fn number_of(&self, name: &str) -> Option<usize> {
        let is_it = |group: &Group| group.name.as_deref() == Some(name);
        self.groups.iter().position(is_it).map(|at| at + 1)
    }

    /// Reads what follows `(?P`.
    fn named(&mut self, start: usize) -> Checked {
        let at = self.at + 1;
        match self.next() {
            Some('<') => {
                let name = self.until('>', "group name")?;
                check_name(&name, at)?;
                if let Some(number) = self.number_of(&name) {
                    let own = self.groups.len() + 1;
                    return fault(
                        format!(
                            "redefinition of group name '{name}' as group {own}; was group {number}"
                        ),
                        at,
                    );
                }
                self.capture(start, Some(name))
            }
            Some('=') => {
                let name = self.until(')', "group name")?;
                check_name(&name, at)?;
                match self.number_of(&name) {
                    None => fault(format!("unknown group name '{name}'"), at),
                    Some(number) => self.refer(number, at),
                }
            }
            None => fault("unexpected end of pattern", self.chars.len()),
            Some(other) => fault(format!("unknown extension ?P{other}"), start + 1),
        }
    }

    /// Adds what a group has matched.
    fn refer(&mut self, number: usize, at: usize) -> Checked {
        match self.groups.get(number - 1).and_then(|group| group.width) {
            Some(width) => {
                self.part.add(Last::Item, width);
                Ok(())
            }
            None => fault("cannot refer to an open group", at),
        }
    }

    /// Reads what follows `(?(`.
    fn condition(&mut self, start: usize) -> Checked {
        let at = self.at;
        let name = self.until(')', "group name")?;
        if is_identifier(&name) {
            if self.number_of(&name).is_none() {
                return fault(format!("unknown group name '{name}'"), at);
            }
        } else {
            let is_number = name.chars().all(|c| c.is_ascii_digit());
            match name.parse::<usize>().ok().filter(|_| is_number) {
                Some(0) => return fault("bad group number", at),
                Some(number) => self.promised.push((number, at)),
                None => check_name(&name, at)?,
            }
        }
        self.enter(start, Kind::Conditional);
        Ok(())
    }

    /// Reads flags, the first of which has been read.
    fn flags(&mut self, start: usize, first: char) -> Checked {
        let (mut on, mut off) = (String::new(), String::new());
        let mut c = first;
        while c != '-' {
            if c == 'L' {
                return fault(
                    "bad inline flags: cannot use 'L' flag with a str pattern",
                    self.at,
                );
            }
            let other = if c == 'a' { 'u' } else { 'a' };
            if "au".contains(c) && on.contains(other) {
                return fault(
                    "bad inline flags: flags 'a', 'u' and 'L' are incompatible",
                    self.at,
                );
            }
            on.push(c);
            c = self.flag("missing -, : or )", ")-:")?;
            if ")-:".contains(c) {
                break;
            }
        }
        if c == ')' {
            return self.turn_on(start, &on);
        }
        if c == '-' {
            c = self.flag("missing flag", "")?;
            while c != ':' {
                if "auL".contains(c) {
                    return fault(
                        "bad inline flags: cannot turn off flags 'a', 'u' and 'L'",
                        self.at,
                    );
                }
                off.push(c);
                c = self.flag("missing :", ":")?;
            }
        }
        if on.chars().any(|flag| off.contains(flag)) {
            return fault("bad inline flags: flag turned on and off", self.at - 1);
        }
        self.enter(start, Kind::Plain);
        self.is_verbose = (self.is_verbose || on.contains('x')) && !off.contains('x');
        Ok(())
    }

    /// Turns flags on for the whole expression.
    fn turn_on(&mut self, start: usize, on: &str) -> Checked {
        let is_first =
            self.open.is_empty() && self.part.branches == 0 && self.part.last == Last::Nothing;
        if !is_first {
            return fault("global flags not at the start of the expression", start);
        }
        self.is_verbose |= on.contains('x');
        Ok(())
    }

    /// Reads one more flag, or one of the ends.
    fn flag(&mut self, missing: &str, ends: &str) -> Checked<char> {
        match self.next() {
            None => fault(missing, self.at),
            Some(c) if ends.contains(c) || FLAGS.contains(c) => Ok(c),
            Some(c) if c.is_alphabetic() => fault("unknown flag", self.at - 1),
            Some(_) => fault(missing, self.at - 1),
        }
    }

    /// Reads an escape outside of a set.
    fn escape(&mut self, start: usize) -> Checked {
        let Some(c) = self.peek() else {
            return fault("bad escape (end of pattern)", start);
        };
        match c {
            'A' | 'b' | 'B' | 'Z' => {
                self.at += 1;
                self.part.add(Last::Place, (0, 0));
                Ok(())
            }
            '1'..='9' => self.number(start),
            _ => {
                self.code(start)?;
                self.part.add(Last::Item, (1, 1));
                Ok(())
            }
        }
    }

    /// Reads the number of a group, or a character in octal.
    fn number(&mut self, start: usize) -> Checked {
        let digits: String = self.chars[self.at..]
            .iter()
            .take(3)
            .take_while(|c| c.is_ascii_digit())
            .collect();
        let is_octal = digits.len() == 3 && digits.chars().all(|c| c < '8');
        if is_octal {
            self.at += 3;
            check_octal(&digits, start)?;
            self.part.add(Last::Item, (1, 1));
            return Ok(());
        }
        let digits = &digits[..digits.len().min(2)];
        self.at += digits.len();
        let number: usize = digits.parse().unwrap_or(0);
        if number > self.groups.len() {
            return fault(format!("invalid group reference {number}"), start + 1);
        }
        self.refer(number, start)
    }

    /// Reads the escape of one character or of a kind of characters; returns the character.
    fn code(&mut self, start: usize) -> Checked<Option<char>> {
        let Some(c) = self.next() else {
            return fault("bad escape (end of pattern)", start);
        };
        let is_hex = |c: char| c.is_ascii_hexdigit();
        match c {
            'x' | 'u' | 'U' => {
                let wanted = match c {
                    'x' => 2,
                    'u' => 4,
                    _ => 8,
                };
                let digits = self.take_while(wanted, is_hex);
                if digits.len() < wanted {
                    return fault(format!("incomplete escape \\{c}{digits}"), start);
                }
                match u32::from_str_radix(&digits, 16) {
                    Ok(code) if code <= 0x10_ffff => Ok(char::from_u32(code)),
                    _ => fault(format!("bad escape \\{c}{digits}"), start),
                }
            }
            'N' => {
                if !self.eat('{') {
                    return fault("missing {", self.at);
                }
                self.until('}', "character name").map(|_| None)
            }
            '0' => {
                let digits = self.take_while(2, |c| c < '8' && c.is_ascii_digit());
                Ok(char::from_u32(u32::from_str_radix(&digits, 8).unwrap_or(0)))
            }
            'd' | 'D' | 's' | 'S' | 'w' | 'W' => Ok(None),
            'a' => Ok(Some('\u{7}')),
            'f' => Ok(Some('\u{c}')),
            'n' => Ok(Some('\n')),
            'r' => Ok(Some('\r')),
            't' => Ok(Some('\t')),
            'v' => Ok(Some('\u{b}')),
            c if c.is_ascii_alphabetic() => fault(format!("bad escape \\{c}"), start),
            c => Ok(Some(c)),
        }
    }

    fn set(&mut self, start: usize) -> Checked {
        self.eat('^');
        let first = self.at;
        loop {
            let at = self.at;
            let Some(c) = self.next() else {
                return fault("unterminated character set", start);
            };
            if c == ']' && at != first {
                break;
            }
            let low = self.member(c, at)?;
            if !self.eat('-') {
                continue;
            }
            let high_at = self.at;
            let Some(c) = self.next() else {
                return fault("unterminated character set", start);
            };
            if c == ']' {
                break;
            }
            let high = self.member(c, high_at)?;
            if !matches!((low, high), (Some(low), Some(high)) if low <= high) {
                let shown: String = self.chars[at..self.at].iter().collect();
                return fault(format!("bad character range {shown}"), at);
            }
        }
        self.part.add(Last::Item, (1, 1));
        Ok(())
    }

    /// Reads a member of a set; `None` where it is a kind of characters.
    fn member(&mut self, c: char, at: usize) -> Checked<Option<char>> {
        if c != '\\' {
            return Ok(Some(c));
        }
        match self.peek() {
            Some('b') => {
                self.at += 1;
                Ok(Some('\u{8}'))
            }
            Some('1'..='7') => {
                let digits = self.take_while(3, |c| c < '8' && c.is_ascii_digit());
                check_octal(&digits, at).map(Some)
            }
            Some(c @ ('8' | '9')) => fault(format!("bad escape \\{c}"), at),
            _ => self.code(at),
        }
    }
}

fn check_octal(digits: &str, at: usize) -> Checked<char> {
    match u8::from_str_radix(digits, 8) {
        Ok(code) => Ok(char::from(code)),
        Err(_) => fault(
            format!("octal escape value \\{digits} outside of range 0-0o377"),
            at,
        ),
    }
}

fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_alphanumeric() || c == '_')
}

fn check_name(name: &str, at: usize) -> Checked {
    if is_identifier(name) {
        return Ok(());
    }
    let shown = Value::str(name).repr();
    fault(format!("bad character in group name {shown}"), at)
}

#[cfg(test)]
mod tests {
    use super::regex_fault;

    #[test]
    fn what_is_wrong_is_said_as_python_says_it() {
        for (pattern, said) in [
            ("(", "missing ), unterminated subpattern at position 0"),
            ("(?", "unexpected end of pattern at position 2"),
            ("(?P", "unexpected end of pattern at position 3"),
            ("(?P<", "missing group name at position 4"),
            ("(?P<a", "missing >, unterminated name at position 4"),
            ("(?P<a>", "missing ), unterminated subpattern at position 0"),
            ("(?P<>x)", "missing group name at position 4"),
            (
                "(?P<1a>x)",
                "bad character in group name '1a' at position 4",
            ),
            (
                "(?P<a>x)(?P<a>y)",
                "redefinition of group name 'a' as group 2; was group 1 at position 12",
            ),
            ("(?P=", "missing group name at position 4"),
            ("(?P=a", "missing ), unterminated name at position 4"),
            ("(?P=a)", "unknown group name 'a' at position 4"),
            ("(?P=1)", "bad character in group name '1' at position 4"),
            ("(?P=)", "missing group name at position 4"),
            ("(?Px)", "unknown extension ?Px at position 1"),
            ("(?P>x)", "unknown extension ?P> at position 1"),
            ("(?z)", "unknown extension ?z at position 1"),
            ("(?<x)", "unknown extension ?<x at position 1"),
            ("(?<", "unexpected end of pattern at position 3"),
            ("(?<=", "missing ), unterminated subpattern at position 0"),
            ("(?<=a", "missing ), unterminated subpattern at position 0"),
            ("(?<=a*)", "look-behind requires fixed-width pattern"),
            ("(?<=a|bc)", "look-behind requires fixed-width pattern"),
            ("(?<=a+)b", "look-behind requires fixed-width pattern"),
            ("(?#", "missing ), unterminated comment at position 0"),
            ("(?#x", "missing ), unterminated comment at position 0"),
            (")", "unbalanced parenthesis at position 0"),
            ("a)", "unbalanced parenthesis at position 1"),
            ("[", "unterminated character set at position 0"),
            ("[a", "unterminated character set at position 0"),
            ("[]", "unterminated character set at position 0"),
            ("[^]", "unterminated character set at position 0"),
            ("[z-a]", "bad character range z-a at position 1"),
            ("[a-\\d]", "bad character range a-\\d at position 1"),
            ("[\\d-a]", "bad character range \\d-a at position 1"),
            ("*", "nothing to repeat at position 0"),
            ("+", "nothing to repeat at position 0"),
            ("?", "nothing to repeat at position 0"),
            ("{1}", "nothing to repeat at position 0"),
            ("a**", "multiple repeat at position 2"),
            ("a*+*", "multiple repeat at position 3"),
            ("a{2}{3}", "multiple repeat at position 4"),
            ("a{2,1}", "min repeat greater than max repeat at position 2"),
            ("x{1,99999999999}", "the repetition number is too large"),
            ("\\", "bad escape (end of pattern) at position 0"),
            ("a\\", "bad escape (end of pattern) at position 1"),
            ("\\1", "invalid group reference 1 at position 1"),
            ("(a)\\2", "invalid group reference 2 at position 4"),
            ("(a\\1)", "cannot refer to an open group at position 2"),
            ("\\8", "invalid group reference 8 at position 1"),
            ("\\g", "bad escape \\g at position 0"),
            ("\\q", "bad escape \\q at position 0"),
            ("\\x", "incomplete escape \\x at position 0"),
            ("\\x1", "incomplete escape \\x1 at position 0"),
            ("\\u12", "incomplete escape \\u12 at position 0"),
            ("\\u", "incomplete escape \\u at position 0"),
            ("\\U1", "incomplete escape \\U1 at position 0"),
            ("\\U00110000", "bad escape \\U00110000 at position 0"),
            ("\\N", "missing { at position 2"),
            ("\\N{", "missing character name at position 3"),
            ("\\N{}", "missing character name at position 3"),
            ("\\N{DIGIT ONE}", "ok"),
            ("[\\q]", "bad escape \\q at position 1"),
            ("[\\x1]", "incomplete escape \\x1 at position 1"),
            ("[\\u1]", "incomplete escape \\u1 at position 1"),
            (
                "\\400",
                "octal escape value \\400 outside of range 0-0o377 at position 0",
            ),
            (
                "[\\400]",
                "octal escape value \\400 outside of range 0-0o377 at position 1",
            ),
            ("(?i", "missing -, : or ) at position 3"),
            ("(?ii", "missing -, : or ) at position 4"),
            (
                "(?i)a(?i)",
                "global flags not at the start of the expression at position 5",
            ),
            (
                "a(?i)",
                "global flags not at the start of the expression at position 1",
            ),
            (
                "(?iL)a",
                "bad inline flags: cannot use 'L' flag with a str pattern at position 4",
            ),
            ("(?-i)a", "missing : at position 4"),
            (
                "(?i-i:a)",
                "bad inline flags: flag turned on and off at position 5",
            ),
            ("(?i-", "missing flag at position 4"),
            ("(?-", "missing flag at position 3"),
            ("(?-:a)", "missing flag at position 3"),
            ("(?i-z:a)", "unknown flag at position 4"),
            (
                "(?-L:a)",
                "bad inline flags: cannot turn off flags 'a', 'u' and 'L' at position 4",
            ),
            (
                "(?au)a",
                "bad inline flags: flags 'a', 'u' and 'L' are incompatible at position 4",
            ),
            ("(?a:a)(?u:b)", "ok"),
            (
                "(?au:b)",
                "bad inline flags: flags 'a', 'u' and 'L' are incompatible at position 4",
            ),
            ("(?iz)", "unknown flag at position 3"),
            ("(?(", "missing group name at position 3"),
            ("(?(1", "missing ), unterminated name at position 3"),
            ("(?(1)a)", "invalid group reference 1 at position 3"),
            (
                "(?(1)a|b|c)",
                "conditional backref with more than two branches at position 8",
            ),
            (
                "(x)(?(1)a|b|c)",
                "conditional backref with more than two branches at position 11",
            ),
            (
                "(x)(?(1)a",
                "missing ), unterminated subpattern at position 3",
            ),
            ("(?(a)b)", "unknown group name 'a' at position 3"),
            ("(?(0)b)", "bad group number at position 3"),
            ("(?(1a)b)", "bad character in group name '1a' at position 3"),
            ("(?()b)", "missing group name at position 3"),
            ("(?(99999)b)", "invalid group reference 99999 at position 3"),
            (
                "(?P<a.b>x)",
                "bad character in group name 'a.b' at position 4",
            ),
            ("(?P<ä>x)", "ok"),
            ("|*", "nothing to repeat at position 1"),
            ("(*)", "nothing to repeat at position 1"),
            ("(?:*)", "nothing to repeat at position 3"),
            ("^*", "nothing to repeat at position 1"),
            ("$*", "nothing to repeat at position 1"),
            ("a|*b", "nothing to repeat at position 2"),
            ("\\b*", "nothing to repeat at position 2"),
            ("(?=a)*", "ok"),
            ("a{,}", "ok"),
            ("a{1,2,3}", "ok"),
            ("a{", "ok"),
            ("\\d{3", "ok"),
            ("(((", "missing ), unterminated subpattern at position 2"),
            ("()())", "unbalanced parenthesis at position 4"),
            ("[[:alpha:]]", "ok"),
            ("\\0", "ok"),
            ("\\00", "ok"),
            ("\\08", "ok"),
            ("\\z", "bad escape \\z at position 0"),
            ("\\Z*", "nothing to repeat at position 2"),
            ("a{1}?*", "multiple repeat at position 5"),
            ("(?>a", "missing ), unterminated subpattern at position 0"),
            ("(?>a)", "ok"),
            ("a++", "ok"),
            ("a?+", "ok"),
            ("a{1,2}+", "ok"),
            ("\\A*", "nothing to repeat at position 2"),
            (
                "(?P<n>a)(?P=n",
                "missing ), unterminated name at position 12",
            ),
            (
                "a\n(",
                "missing ), unterminated subpattern at position 2 (line 2, column 1)",
            ),
            (
                "ab\n\n  c)",
                "unbalanced parenthesis at position 7 (line 3, column 4)",
            ),
            ("(?s", "missing -, : or ) at position 3"),
            ("(?x", "missing -, : or ) at position 3"),
            (
                "(?x)( # c",
                "missing ), unterminated subpattern at position 4",
            ),
            (
                "(?P<a>(?P<b>",
                "missing ), unterminated subpattern at position 6",
            ),
            ("\\p{L}", "bad escape \\p at position 0"),
            ("(?<n>x)", "unknown extension ?<n at position 1"),
            ("(?|a)", "unknown extension ?| at position 1"),
            ("(?&a)", "unknown extension ?& at position 1"),
            ("(?R)", "unknown extension ?R at position 1"),
            ("(?~a)", "unknown extension ?~ at position 1"),
            ("(?!", "missing ), unterminated subpattern at position 0"),
            ("(?!a", "missing ), unterminated subpattern at position 0"),
            ("(?=", "missing ), unterminated subpattern at position 0"),
            ("(?:", "missing ), unterminated subpattern at position 0"),
            ("(?:a", "missing ), unterminated subpattern at position 0"),
        ] {
            assert_eq!(
                regex_fault(pattern).as_deref().unwrap_or("ok"),
                said,
                "{pattern}"
            );
        }
    }
}
