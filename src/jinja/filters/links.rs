//! `urlize`: makes links of what looks like one.

use super::known;
use crate::diag::Result;
use crate::jinja::Row;
use crate::value::{Args, Runtime, Str, Value, escape_html};

/// The family.
pub(super) static TABLE: &[Row] = &[Row::new(
    "urlize",
    urlize,
    "Makes links of URLs and addresses in text.",
    "'x@y.zz' | urlize | string => Markup('<a href=\"mailto:x@y.zz\">x@y.zz</a>')",
)];

/// Ends of names of hosts that are taken for links without `www.` or a scheme.
const KNOWN_ENDS: [&str; 3] = [".org", ".com", ".net"];

fn urlize(runtime: &mut dyn Runtime, args: Args) -> Result<Value> {
    let [value, limit, nofollow, target, rel, schemes] = args.bind(
        "do_urlize",
        [
            "value",
            "trim_url_limit",
            "nofollow",
            "target",
            "rel",
            "extra_schemes",
        ],
        1,
    )?;
    let given = |value: Option<Value>| value.filter(|v| !v.is_none()).map(|v| v.to_str());
    let mut rels: Vec<String> = given(rel)
        .unwrap_or_default()
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    if nofollow.is_some_and(|v| v.truth()) {
        rels.push("nofollow".to_owned());
    }
    rels.push("noopener".to_owned());
    rels.sort();
    rels.dedup();
    let schemes: Vec<String> = match schemes.filter(|s| !s.is_none()) {
        Some(list) => list.items()?.map(|s| s.to_str()).collect(),
        None => Vec::new(),
    };
    let link = Link {
        limit: limit
            .and_then(|l| l.as_i64())
            .and_then(|l| usize::try_from(l).ok()),
        attributes: format!(
            " rel=\"{}\"{}",
            escape_html(&rels.join(" ")),
            given(target)
                .map(|target| format!(" target=\"{}\"", escape_html(&target)))
                .unwrap_or_default()
        ),
        schemes,
    };
    let text = escape_html(&known(value)?.to_str());
    let mut out = String::new();
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let blank = rest.starts_with(char::is_whitespace);
        let end = rest
            .find(|c: char| c.is_whitespace() != blank)
            .unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if blank {
            out.push_str(word);
        } else {
            out.push_str(&link.word(word));
        }
        rest = after;
    }
    let _ = runtime;
    Ok(Value::Str(Str::new(out).with_markup(true)))
}

struct Link {
    limit: Option<usize>,
    attributes: String,
    schemes: Vec<String>,
}

impl Link {
    fn shown(&self, url: &str) -> String {
        match self.limit {
            Some(limit) if url.chars().count() > limit => {
                format!("{}...", url.chars().take(limit).collect::<String>())
            }
            _ => url.to_owned(),
        }
    }

    /// Makes a link of a word, punctuation around it left out.
    fn word(&self, word: &str) -> String {
        let mut head = "";
        let mut middle = word;
        for open in ["(", "<", "&lt;"] {
            while let Some(rest) = middle.strip_prefix(open) {
                middle = rest;
            }
        }
        head = word.get(..word.len() - middle.len()).unwrap_or(head);
        let ends = [")", ">", ".", ",", "\n", "&gt;"];
        let mut inner = middle;
        while let Some(rest) = ends.iter().find_map(|end| inner.strip_suffix(end)) {
            inner = rest;
        }
        let mut tail = middle.get(inner.len()..).unwrap_or("");
        // A bracket that is opened inside is closed inside.
        for (open, close) in [("(", ")"), ("<", ">"), ("&lt;", "&gt;")] {
            while inner.matches(open).count() > inner.matches(close).count()
                && let Some(at) = tail.find(close)
            {
                let length = inner.len() + at + close.len();
                inner = middle.get(..length).unwrap_or(inner);
                tail = middle.get(length..).unwrap_or("");
            }
        }
        match self.made(inner) {
            Some(link) => format!("{head}{link}{tail}"),
            None => word.to_owned(),
        }
    }

    fn made(&self, text: &str) -> Option<String> {
        let shown = self.shown(text);
        let attributes = &self.attributes;
        if ["http://", "https://"].iter().any(|s| text.starts_with(s)) && text.len() > 8 {
            return Some(format!("<a href=\"{text}\"{attributes}>{shown}</a>"));
        }
        if is_host(text) {
            return Some(format!(
                "<a href=\"https://{text}\"{attributes}>{shown}</a>"
            ));
        }
        if let Some(address) = text.strip_prefix("mailto:")
            && is_address(address)
        {
            return Some(format!("<a href=\"{text}\">{address}</a>"));
        }
        if is_address(text) && !text.starts_with("www.") && !text.contains(':') {
            return Some(format!("<a href=\"mailto:{text}\">{text}</a>"));
        }
        let extra = self
            .schemes
            .iter()
            .any(|scheme| text != scheme && text.starts_with(scheme.as_str()));
        extra.then(|| format!("<a href=\"{text}\"{attributes}>{text}</a>"))
    }
}

fn is_host(text: &str) -> bool {
    let name = text.split(['/', '?', '#', ':']).next().unwrap_or("");
    let plain = !name.is_empty()
        && !text.contains('@')
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'));
    plain
        && (name.strip_prefix("www.").is_some_and(|n| n.contains('.'))
            || KNOWN_ENDS
                .iter()
                .any(|end| name.len() > end.len() && name.ends_with(end)))
}

fn is_address(text: &str) -> bool {
    match text.split_once('@') {
        Some((user, host)) => {
            !user.is_empty()
                && !user.contains(char::is_whitespace)
                && !host.contains('@')
                && host.split('.').count() > 1
                && host.split('.').all(|part| {
                    !part.is_empty()
                        && part
                            .chars()
                            .all(|c| c.is_alphanumeric() || c == '-' || c == '_')
                })
        }
        None => false,
    }
}
