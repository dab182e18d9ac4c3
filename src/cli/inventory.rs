//! `inventory`: what ansible-inventory shows.
//!
//! **Source:** ansible-inventory's documentation, and what it was seen to print.

use std::collections::HashSet;

use clap::Args;

use super::session::Session;
use super::setup::{self, Setup};
use super::vault::VaultArgs;
use crate::compat::Level;
use crate::diag::{Error, Kind, Notice, Result};
use crate::executor::Options;
use crate::inventory::{Group, Inventory, is_localhost};
use crate::playbook::reserved_names;
use crate::template::merge_dicts;
use crate::value::{Dict, JsonStyle, Value};
use crate::yaml;

/// Flags of `inventory`.
#[derive(Args)]
pub(super) struct InventoryArgs {
    /// For `--graph`: the group to start at.
    group: Option<String>,
    /// Inventory: a file, a directory, a program, or hosts with commas.
    #[arg(
        short = 'i',
        long = "inventory",
        alias = "inventory-file",
        value_name = "INVENTORY"
    )]
    inventory: Vec<String>,
    /// Show all groups, hosts and variables.
    #[arg(long)]
    list: bool,
    /// Show groups and hosts as a tree.
    #[arg(long)]
    graph: bool,
    /// Show one host's variables.
    #[arg(long)]
    host: Option<String>,
    /// With `--graph`: show variables.
    #[arg(long)]
    vars: bool,
    /// Write YAML in place of JSON.
    #[arg(short = 'y', long)]
    yaml: bool,
    /// Write TOML in place of JSON.
    #[arg(long)]
    toml: bool,
    /// With `--list`: keep variables where they are set.
    #[arg(long)]
    export: bool,
    /// With `--list`: write to a file.
    #[arg(long, value_name = "FILE")]
    output: Option<String>,
    /// Only hosts that match this pattern.
    #[arg(short = 'l', long, value_name = "PATTERN")]
    limit: Option<String>,
    /// Variables: `key=value`, YAML or JSON, or `@file`.
    #[arg(short = 'e', long, value_name = "VARS")]
    extra_vars: Vec<String>,
    /// The directory whose `group_vars` and `host_vars` count as the playbook's.
    #[arg(long, value_name = "DIR")]
    playbook_dir: Option<String>,
    /// Forget cached facts first.
    #[arg(long)]
    flush_cache: bool,
    /// Say more; up to five times.
    #[arg(short = 'v', long = "verbose", action = clap::ArgAction::Count)]
    verbose: u8,
    /// The compatibility level: 2.9, 2.18 or 2.19.
    #[arg(long, value_name = "LEVEL")]
    compat: Option<String>,
    #[command(flatten)]
    vault: VaultArgs,
}

/// Variables that the engine sets itself; they are not shown.
const INTERNAL: &[&str] = &[
    "ansible_diff_mode",
    "ansible_config_file",
    "ansible_facts",
    "ansible_forks",
    "ansible_inventory_sources",
    "ansible_limit",
    "ansible_playbook_python",
    "ansible_run_tags",
    "ansible_skip_tags",
    "ansible_verbosity",
    "ansible_version",
    "inventory_dir",
    "inventory_file",
    "inventory_hostname",
    "inventory_hostname_short",
    "groups",
    "group_names",
    "omit",
    "playbook_dir",
];

/// Shows an inventory.
///
/// # Errors
/// A host or group that isn't there; what reading raises.
pub(super) fn run(args: &InventoryArgs, session: &Session) -> Result<u8> {
    let dir = std::env::current_dir().unwrap_or_default();
    let dir = args.playbook_dir.as_ref().map_or(dir, Into::into);
    let settings = session.configure(args.compat.as_deref(), &dir, args.verbose)?;
    check(args)?;
    let options = Options {
        limit: args.limit.clone(),
        verbosity: args.verbose,
        ..Options::default()
    };
    let keyring = session.unlock(&args.vault, &settings)?;
    let extra = setup::extra_vars(&session.sources, &args.extra_vars, settings.1.level)?;
    let setup = setup::setup(
        session,
        &options,
        settings,
        keyring,
        &args.inventory,
        extra,
        &dir,
    )?;
    session.tell_notices();
    let inventory = setup.store.inventory().clone();
    let inventory = inventory.borrow();
    let matched = inventory.select("all")?;
    for warning in matched.warnings {
        session.notices.tell(&Notice::warning(warning));
    }
    let shown = Shown {
        session,
        setup: &setup,
        inventory: &inventory,
        level: setup.chosen.level,
        export: args.export,
        marks_unsafe: !args.yaml
            && (args.list
                || (args.host.is_some() && setup.chosen.level.marks_unsafe_of_one_host())),
        hosts: matched.hosts.into_iter().collect(),
    };
    if let Some(host) = &args.host {
        return print(args, &shown.one_host(host)?, shown.level);
    }
    if args.graph {
        let start = args.group.as_deref().unwrap_or("all");
        let Some(group) = inventory.group(start) else {
            return Err(usage("Pattern must be valid group name when using --graph"));
        };
        let mut out = format!("@{start}:\n");
        shown.graph(group, 0, args.vars, &mut out)?;
        super::print(&out);
        return Ok(0);
    }
    if args.yaml {
        let all = shown.tree("all", &mut HashSet::new())?;
        let root = Dict::new();
        if !all.is_empty() || shown.level.inventory_shows_empty_groups() {
            root.set("all", all);
        }
        return print(args, &Value::Dict(root), shown.level);
    }
    print(args, &Value::Dict(shown.list()?), shown.level)
}

fn usage(message: &str) -> Error {
    Error::new(Kind::Options, message)
}

/// Refuses flags that don't go together.
fn check(args: &InventoryArgs) -> Result<()> {
    let actions = [args.list, args.graph, args.host.is_some()];
    match actions.iter().filter(|is_given| **is_given).count() {
        0 => Err(usage(
            "No action selected, at least one of --host, --graph or --list needs to be specified.",
        )),
        1 if args.toml => Err(Error::new(
            Kind::Unsupported,
            "writing TOML is not supported; use --yaml or JSON",
        )),
        1 => Ok(()),
        _ => Err(usage(
            "Conflicting options used, only one of --host, --graph or --list can be used at the same time.",
        )),
    }
}

/// Writes a value in the form that the flags ask for.
fn print(args: &InventoryArgs, value: &Value, level: Level) -> Result<u8> {
    let text = if args.yaml {
        let style = yaml::EmitStyle {
            scalars: None,
            indent: 2,
            width: 80,
            sort_keys: true,
            flow: Some(false),
            by_python: false,
            explicit_start: false,
            explicit_end: false,
        };
        yaml::emit_with_anchors(value, &style)?
    } else {
        let style = JsonStyle {
            sort_keys: true,
            ascii: level.inventory_is_ascii(),
            ..JsonStyle::indented(4)
        };
        value.to_json(&style)? + "\n"
    };
    match args.output.as_ref().filter(|_| args.list) {
        Some(path) if !args.yaml => {
            let text = text.trim_end_matches('\n');
            std::fs::write(path, text).map_err(|error| Error::io(path, &error))?;
        }
        Some(path) => std::fs::write(path, text).map_err(|error| Error::io(path, &error))?,
        None => super::print(&text),
    }
    Ok(0)
}

/// What is shown, and of which hosts.
struct Shown<'a> {
    session: &'a Session,
    setup: &'a Setup,
    inventory: &'a Inventory,
    level: Level,
    /// Keep variables where they are set.
    export: bool,
    /// Mark strings that are no templates, as JSON for other programs has them.
    marks_unsafe: bool,
    hosts: HashSet<String>,
}

impl Shown<'_> {
    /// Returns the only host that a pattern means, with all its variables.
    fn one_host(&self, pattern: &str) -> Result<Value> {
        let matched = if self.inventory.has_host(pattern) || is_localhost(pattern) {
            vec![pattern.to_owned()]
        } else {
            let found = self.inventory.select(pattern)?;
            for warning in found.warnings {
                self.session.notices.tell(&Notice::warning(warning));
            }
            found.hosts
        };
        match &matched[..] {
            [host] => Ok(Value::Dict(self.merged(host))),
            _ => Err(usage(
                "You must pass a single valid host to --host parameter",
            )),
        }
    }

    /// Returns a host's variables, all levels merged.
    fn merged(&self, host: &str) -> Dict {
        let store = &self.setup.store;
        let merges = store.run_names().merges_dicts;
        let vars = Dict::new();
        let layers = store.host_layers(host);
        for layer in layers
            .iter()
            .map(|layer| &layer.vars)
            .chain([store.extra()])
        {
            for (key, value) in layer.to_vec() {
                let value = match (vars.get_key(&key), value) {
                    (Some(Value::Dict(low)), Value::Dict(high)) if merges => {
                        Value::Dict(merge_dicts(&low, &high))
                    }
                    (_, value) => value,
                };
                vars.set_key(key, value);
            }
        }
        for notice in reserved_names(&vars, self.level) {
            self.session.notices.tell(&notice);
        }
        self.visible(&vars)
    }

    fn host_vars(&self, host: &str) -> Result<Dict> {
        match self.inventory.host(host).filter(|_| self.export) {
            Some(known) => {
                let vars = self.setup.files.host_vars(self.inventory, known)?;
                Ok(self.visible(&vars))
            }
            None => Ok(self.merged(host)),
        }
    }

    fn group_vars(&self, group: &Group) -> Result<Dict> {
        let vars = self.setup.files.group_vars(self.inventory, group)?;
        if group.priority != 1 {
            vars.set("ansible_group_priority", Value::Int(group.priority));
        }
        Ok(self.visible(&vars))
    }

    /// Returns variables as they are shown: without those that the engine sets.
    fn visible(&self, vars: &Dict) -> Dict {
        vars.to_vec()
            .into_iter()
            .filter(|(key, _)| key.as_str().is_none_or(|key| !INTERNAL.contains(&key)))
            .map(|(key, value)| {
                if !self.marks_unsafe {
                    return (key, value);
                }
                let value = value.map_leaves(&mut |leaf| match leaf {
                    Value::Str(text) if !text.is_trusted() => {
                        Value::dict([("__ansible_unsafe", Value::Str(text.clone()))])
                    }
                    other => other.clone(),
                });
                (key, value)
            })
            .collect()
    }

    fn children(&self, group: &Group) -> Vec<&Group> {
        let mut children: Vec<&Group> = group
            .children
            .iter()
            .map(|at| &self.inventory.groups()[*at])
            .collect();
        if self.level.sorts_inventory() {
            children.sort_by(|a, b| a.name.cmp(&b.name));
        }
        children
    }

    /// Returns the names of all hosts of a group, whatever the limit.
    fn all_hosts(&self, group: &Group) -> Vec<&str> {
        let mut hosts: Vec<&str> = group
            .hosts
            .iter()
            .map(|at| self.inventory.hosts()[*at].name.as_str())
            .collect();
        if self.level.sorts_inventory() {
            hosts.sort_unstable();
        }
        hosts
    }

    fn hosts(&self, group: &Group) -> Vec<&str> {
        let mut hosts = self.all_hosts(group);
        hosts.retain(|host| self.hosts.contains(*host));
        hosts
    }

    /// Returns what inventory programs print.
    fn list(&self) -> Result<Dict> {
        let out = Dict::new();
        if let Some(all) = self.inventory.group("all") {
            self.list_group(all, &out, &mut HashSet::new())?;
        }
        let hostvars = Dict::new();
        for host in self.inventory.hosts() {
            if self.hosts.contains(&host.name) {
                let vars = self.host_vars(&host.name)?;
                if !vars.is_empty() {
                    hostvars.set(&host.name, vars);
                }
            }
        }
        let meta = Dict::new();
        meta.set("hostvars", hostvars);
        if let Some(profile) = self.level.inventory_profile() {
            meta.set("profile", profile);
        }
        out.set("_meta", meta);
        Ok(out)
    }

    fn list_group<'a>(
        &'a self,
        group: &'a Group,
        out: &Dict,
        seen: &mut HashSet<&'a str>,
    ) -> Result<()> {
        if !seen.insert(&group.name) {
            return Ok(());
        }
        let names = |names: Vec<&str>| Value::list(names.into_iter().map(Value::str).collect());
        let shown = Dict::new();
        let hosts = self.hosts(group);
        if group.name != "all" && !hosts.is_empty() {
            shown.set("hosts", names(hosts));
        }
        let children = self.children(group);
        if !children.is_empty() {
            let children = children.iter().map(|child| child.name.as_str());
            shown.set("children", names(children.collect()));
        }
        if self.export {
            let vars = self.group_vars(group)?;
            if !vars.is_empty() {
                shown.set("vars", vars);
            }
        }
        if !shown.is_empty() {
            out.set(&group.name, shown);
        }
        for child in children {
            self.list_group(child, out, seen)?;
        }
        Ok(())
    }

    /// Returns a group as YAML inventories have it; a host's variables stand where it comes first.
    fn tree(&self, name: &str, seen: &mut HashSet<String>) -> Result<Dict> {
        let out = Dict::new();
        let Some(group) = self.inventory.group(name) else {
            return Ok(out);
        };
        let children = Dict::new();
        for child in self.children(group) {
            let shown = self.tree(&child.name, seen)?;
            if !shown.is_empty() || self.level.inventory_shows_empty_groups() {
                children.set(&child.name, shown);
            }
        }
        if !children.is_empty() {
            out.set("children", children);
        }
        let hosts = Dict::new();
        if name != "all" {
            for host in self.hosts(group) {
                let vars = if seen.insert(host.to_owned()) {
                    self.host_vars(host)?
                } else {
                    Dict::new()
                };
                hosts.set(host, vars);
            }
        }
        if !hosts.is_empty() {
            out.set("hosts", hosts);
        }
        if self.export {
            let vars = self.group_vars(group)?;
            if !vars.is_empty() {
                out.set("vars", vars);
            }
        }
        Ok(out)
    }

    fn graph(&self, group: &Group, depth: usize, vars: bool, out: &mut String) -> Result<()> {
        let edge = "  |".repeat(depth + 1);
        for child in self.children(group) {
            out.push_str(&format!("{edge}--@{}:\n", child.name));
            self.graph(child, depth + 1, vars, out)?;
        }
        if group.name != "all" {
            for host in self.all_hosts(group) {
                out.push_str(&format!("{edge}--{host}\n"));
                if vars {
                    show_vars(&self.host_vars(host)?, depth + 1, out);
                }
            }
        }
        if vars {
            show_vars(&self.group_vars(group)?, depth, out);
        }
        Ok(())
    }
}

fn show_vars(vars: &Dict, depth: usize, out: &mut String) {
    let mut pairs: Vec<(String, String)> = vars
        .to_vec()
        .into_iter()
        .map(|(key, value)| (key.value().to_str(), value.to_str()))
        .collect();
    pairs.sort();
    for (key, value) in pairs {
        out.push_str(&format!(
            "{}--{{{key} = {value}}}\n",
            "  |".repeat(depth + 1)
        ));
    }
}
