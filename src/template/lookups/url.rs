//! `url`: what servers answer.

use std::time::Duration;

use super::config::configured;
use super::{Options, failed, refused};
use crate::diag::{Error, Result};
use crate::http::{Fault, Redirects, Request, send};
use crate::template::templar::Templar;
use crate::value::Value;

pub(super) fn url(templar: &Templar, terms: &[Value], options: Options) -> Result<Vec<Value>> {
    let level = templar.level();
    let get = |name: &str| configured(templar, "url", options, name);
    let text = |name: &str| Ok(Some(get(name)?).filter(Value::truth).map(|v| v.to_str()));
    let is_set = |name: &str| Ok(get(name)?.truth());
    let mut request = Request::get("");
    let redirects = text("follow_redirects")?.unwrap_or_default();
    request.redirects = match redirects.as_str() {
        "urllib2" => Redirects::Python,
        "all" | "yes" | "True" => Redirects::All,
        "none" | "no" | "False" => Redirects::None,
        "safe" => Redirects::Safe,
        other => {
            let choices = ["all", "none", "safe", "urllib2", "no", "yes"];
            let said = level.no_choice_of_lookup("url", "follow_redirects", other, &choices);
            return Err(refused(said));
        }
    };
    if is_set("use_gssapi")? {
        return Err(refused("`use_gssapi` is not supported")
            .help("give `username` and `password`, or a header `Authorization`"));
    }
    if text("ciphers")?.is_some() {
        return Err(refused("`ciphers` is not supported")
            .help("leave it out: TLS 1.2 and 1.3 are used with the ciphers that are safe today"));
    }
    if let Value::Dict(headers) = get("headers")? {
        let pairs = headers.to_vec().into_iter();
        request.headers = pairs
            .map(|(name, value)| (name.value().to_str(), value.to_str()))
            .collect();
    }
    let mut add = |name: &str, value: String| {
        let known = &mut request.headers;
        if !known
            .iter()
            .any(|(other, _)| other.eq_ignore_ascii_case(name))
        {
            known.push((name.to_owned(), value));
        }
    };
    if let Some(agent) = text("http_agent")? {
        add("User-Agent", agent);
    }
    if is_set("force")? {
        add("Cache-Control", "no-cache".to_owned());
    }
    if let Value::List(names) = get("unredirected_headers")? {
        request.unredirected = names.to_vec().iter().map(Value::to_str).collect();
    }
    if let Some(seconds) = get("timeout")?.as_f64() {
        request.timeout = Duration::try_from_secs_f64(seconds)
            .map_err(|_| failed("Timeout value out of range"))?;
    }
    request.validate_certs = is_set("validate_certs")?;
    request.ca_path = text("ca_path")?.map(Into::into);
    request.unix_socket = text("unix_socket")?.map(Into::into);
    request.use_proxy = is_set("use_proxy")?;
    request.use_netrc = is_set("use_netrc")?;
    request.force_basic_auth = is_set("force_basic_auth")?;
    if let Some(user) = text("username")? {
        request.credentials = Some((user, text("password")?.unwrap_or_default()));
    }
    let splits = is_set("split_lines")?;
    let mut out = Vec::new();
    for term in terms {
        let Value::Str(url) = term else {
            let kind = term.type_name();
            return Err(failed(format!("'{kind}' object has no attribute 'decode'")));
        };
        request.url = url.to_string();
        let response = send(&request, &templar.0.shared.options.environment)
            .map_err(|fault| worded(templar, url, fault))?;
        let body = String::from_utf8_lossy(&response.body);
        if splits {
            // As lines of bytes end in Python.
            let body = body.replace("\r\n", "\n").replace('\r', "\n");
            out.extend(body.lines().map(Value::str));
        } else {
            out.push(Value::str(body));
        }
    }
    Ok(out)
}

/// Words why there is no answer.
fn worded(templar: &Templar, url: &str, fault: Fault) -> Error {
    let colon = templar.level().colon_behind_url();
    match fault {
        Fault::Status(said) => failed(format!("Received HTTP error for {url}{colon} {said}")),
        Fault::Unreachable(said) => failed(format!(
            "Failed lookup url for {url}{colon} <urlopen error {said}>"
        )),
        Fault::Other(said) => failed(said),
    }
}
