//! Who the process is, its environment, the machine's time and host keys.

use jiff::tz::{Dst, TimeZone};
use jiff::{Timestamp, ToSpan};

use super::host::Host;
use crate::system::accounts;
use crate::value::Dict;

pub(super) fn user(host: &Host<'_>, facts: &Dict) {
    let Ok(identity) = host.system.identity() else {
        return;
    };
    facts.set("effective_user_id", identity.uid);
    facts.set("real_user_id", identity.uid);
    facts.set("effective_group_id", identity.gid);
    facts.set("real_group_id", identity.gid);
    let Some(user) = accounts::user_by_id(host.system, identity.uid) else {
        return;
    };
    facts.set("user_id", user.name.as_str());
    facts.set("user_uid", user.uid);
    facts.set("user_gid", user.gid);
    facts.set("user_gecos", user.gecos.as_str());
    facts.set("user_dir", user.home.as_str());
    facts.set("user_shell", user.shell.as_str());
}

pub(super) fn env(host: &Host<'_>, facts: &Dict) {
    let env = Dict::new();
    let own = host.text("/proc/self/environ").unwrap_or_default();
    for (name, value) in own.split('\0').filter_map(|pair| pair.split_once('=')) {
        env.set(name, value);
    }
    for (name, value) in host.environment {
        env.set(name, value.as_str());
    }
    facts.set("env", env);
}

pub(super) fn ssh_host_keys(host: &Host<'_>, facts: &Dict) {
    for kind in ["dsa", "rsa", "ecdsa", "ed25519"] {
        let key = ["/etc/ssh", "/etc/openssh", "/etc"]
            .iter()
            .find_map(|dir| host.text(format!("{dir}/ssh_host_{kind}_key.pub")));
        let Some(key) = key else { continue };
        let mut words = key.split_whitespace();
        if let (Some(name), Some(data)) = (words.next(), words.next()) {
            facts.set(format!("ssh_host_key_{kind}_public"), data);
            facts.set(format!("ssh_host_key_{kind}_public_keytype"), name);
        }
    }
}

/// Reports the time, in the machine's zone and in UTC.
pub(super) fn date_time(host: &Host<'_>, facts: &Dict) {
    let Some(now) = now(host) else { return };
    let zone = zone(host);
    let local = now.to_zoned(zone.clone());
    let utc = now.to_zoned(TimeZone::UTC);
    let time = Dict::new();
    for (name, format) in [
        ("year", "%Y"),
        ("month", "%m"),
        ("weekday", "%A"),
        ("weekday_number", "%w"),
        ("weeknumber", "%W"),
        ("day", "%d"),
        ("hour", "%H"),
        ("minute", "%M"),
        ("second", "%S"),
        ("epoch", "%s"),
        ("epoch_int", "%s"),
        ("date", "%Y-%m-%d"),
        ("time", "%H:%M:%S"),
        ("iso8601_basic", "%Y%m%dT%H%M%S%6f"),
        ("iso8601_basic_short", "%Y%m%dT%H%M%S"),
        ("tz", "%Z"),
        ("tz_offset", "%z"),
    ] {
        time.set(name, local.strftime(format).to_string());
    }
    time.set(
        "iso8601_micro",
        utc.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string(),
    );
    time.set("iso8601", utc.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    time.set("tz_dst", summer_name(&zone, now));
    facts.set("date_time", time);
}

fn now(host: &Host<'_>) -> Option<Timestamp> {
    let local = host.system.local_now().ok()?;
    let seconds = host.system.mktime(local).ok()?;
    Timestamp::new(seconds, local.subsec_nanosecond()).ok()
}

fn zone(host: &Host<'_>) -> TimeZone {
    let path = match host.system.env("TZ") {
        Some(name) if !name.is_empty() => {
            let name = name.trim_start_matches(':').to_owned();
            if name.starts_with('/') {
                name
            } else {
                format!("/usr/share/zoneinfo/{name}")
            }
        }
        _ => "/etc/localtime".to_owned(),
    };
    host.system
        .read(path.as_ref())
        .ok()
        .and_then(|bytes| TimeZone::tzif("local", &bytes).ok())
        .unwrap_or(TimeZone::UTC)
}

/// Returns what the zone is called in summer; its usual name where there is no summer time.
fn summer_name(zone: &TimeZone, now: Timestamp) -> String {
    let months = (0..12).filter_map(|month| now.checked_add((month * 730).hours()).ok());
    for moment in months {
        let info = zone.to_offset_info(moment);
        if info.dst() == Dst::Yes {
            return info.abbreviation().to_owned();
        }
    }
    zone.to_offset_info(now).abbreviation().to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::system::Fake;
    use crate::value::Value;

    #[test]
    fn the_time_is_told_in_every_form() {
        let machine = Fake::new();
        let environment = BTreeMap::new();
        let host = Host::new(&machine, &environment);
        let facts = Dict::new();
        date_time(&host, &facts);
        let Some(Value::Dict(time)) = facts.get("date_time") else {
            panic!("no time");
        };
        let get = |name: &str| time.get(name).expect("there").to_str();
        assert_eq!(get("iso8601_micro"), "2024-05-06T07:08:09.101112Z");
        assert_eq!(get("iso8601_basic"), "20240506T070809101112");
        assert_eq!(get("weekday"), "Monday");
        assert_eq!(get("weeknumber"), "19");
        assert_eq!(get("epoch"), "1714979289");
        assert_eq!((get("tz").as_str(), get("tz_dst").as_str()), ("UTC", "UTC"));
        assert_eq!(get("tz_offset"), "+0000");
    }
}
