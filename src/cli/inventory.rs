//! `inventory`: what ansible-inventory shows.

use clap::Args;

use super::session::Session;
use super::setup;
use crate::diag::{Error, Kind, Result};
use crate::executor::Options;
use crate::inventory::Inventory;
use crate::value::{Dict, JsonStyle, Value};
use crate::vars::Store;
use crate::yaml;

/// Flags of `inventory`.
#[derive(Args)]
pub(super) struct InventoryArgs {
    /// For `--graph`: the group to start at.
    group: Option<String>,
    /// Inventory.
    #[arg(short = 'i', long = "inventory")]
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
    /// With `--list`: keep group variables at their groups.
    #[arg(long)]
    export: bool,
    /// Only hosts that match this pattern.
    #[arg(short = 'l', long)]
    limit: Option<String>,
    /// Variables: `key=value`, YAML or JSON, or `@file`.
    #[arg(short = 'e', long)]
    extra_vars: Vec<String>,
}

/// Shows an inventory.
///
/// # Errors
/// A host or group that isn't there; what reading raises.
pub(super) fn run(args: &InventoryArgs, session: &Session) -> Result<u8> {
    let base = std::env::current_dir().unwrap_or_default();
    let settings = session.configure(None, &base)?;
    let options = Options {
        limit: args.limit.clone(),
        ..Options::default()
    };
    let extra = setup::extra_vars(&session.sources, &args.extra_vars, settings.1.level)?;
    let setup = setup::setup(session, &options, settings, &args.inventory, extra, &base)?;
    let inventory = setup.store.inventory().clone();
    session.tell_notices();
    let store = &setup.store;
    if let Some(host) = &args.host {
        if !inventory.borrow().has_host(host) {
            return Err(Error::new(
                Kind::Usage,
                format!("Could not match supplied host pattern, ignoring: {host}"),
            )
            .message_as("You must pass a single valid host to --host parameter"));
        }
        return show(args, &Value::Dict(host_vars(store, host)));
    }
    if args.graph {
        let start = args.group.clone().unwrap_or_else(|| "all".to_owned());
        if !inventory.borrow().has_group(&start) {
            return Err(Error::new(
                Kind::Usage,
                "Pattern must be valid group name when using --graph",
            ));
        }
        let mut out = format!("@{start}:\n");
        graph(&inventory.borrow(), store, &start, 0, args.vars, &mut out);
        super::print(&out);
        return Ok(0);
    }
    if args.list {
        let shown = list(&inventory.borrow(), store, args.export);
        return show(args, &Value::Dict(shown));
    }
    Err(Error::new(
        Kind::Usage,
        "No action selected, at least one of --host, --graph or --list needs to be specified.",
    ))
}

fn show(args: &InventoryArgs, value: &Value) -> Result<u8> {
    let text = if args.yaml {
        yaml::emit(
            value,
            &yaml::EmitStyle {
                indent: 2,
                width: 80,
                sort_keys: true,
                flow: Some(false),
                ends_open: false,
                explicit_start: false,
                explicit_end: false,
            },
        )?
    } else {
        let style = JsonStyle {
            sort_keys: true,
            ascii: false,
            ..JsonStyle::indented(4)
        };
        value.to_json(&style)? + "\n"
    };
    super::print(&text);
    Ok(0)
}

/// Returns a host's variables, all levels of the inventory merged.
fn host_vars(store: &Store, host: &str) -> Dict {
    let vars = Dict::new();
    for layer in store.host_layers(host).iter() {
        for (key, value) in layer.vars.to_vec() {
            vars.set_key(key, value);
        }
    }
    for (key, value) in store.extra().to_vec() {
        vars.set_key(key, value);
    }
    vars
}

fn list(inventory: &Inventory, store: &Store, export: bool) -> Dict {
    let out = Dict::new();
    let meta = Dict::new();
    let hostvars = Dict::new();
    for host in inventory.hosts() {
        let vars = if export {
            host.vars.clone()
        } else {
            host_vars(store, &host.name)
        };
        if !vars.is_empty() {
            hostvars.set(&host.name, vars);
        }
    }
    meta.set("hostvars", hostvars);
    if export {
        meta.set("profile", "inventory_legacy");
    }
    out.set("_meta", meta);
    for group in inventory.groups() {
        let shown = Dict::new();
        let names = |indices: &[usize]| indices.to_vec();
        if group.name != "all" {
            let hosts: Vec<Value> = names(&group.hosts)
                .iter()
                .map(|at| Value::str(&inventory.hosts()[*at].name))
                .collect();
            if !hosts.is_empty() {
                shown.set("hosts", hosts);
            }
        }
        let children: Vec<Value> = group
            .children
            .iter()
            .map(|at| Value::str(&inventory.groups()[*at].name))
            .collect();
        if !children.is_empty() {
            shown.set("children", children);
        }
        if export && !group.vars.is_empty() {
            shown.set("vars", group.vars.clone());
        }
        if !shown.is_empty() {
            out.set(&group.name, shown);
        }
    }
    out
}

fn graph(
    inventory: &Inventory,
    store: &Store,
    name: &str,
    depth: usize,
    vars: bool,
    out: &mut String,
) {
    let Some(group) = inventory.group(name) else {
        return;
    };
    let edge = "  |".repeat(depth + 1);
    let mut children: Vec<&str> = group
        .children
        .iter()
        .map(|at| inventory.groups()[*at].name.as_str())
        .collect();
    children.sort_unstable();
    for child in children {
        out.push_str(&format!("{edge}--@{child}:\n"));
        graph(inventory, store, child, depth + 1, vars, out);
    }
    if name != "all" {
        let mut hosts: Vec<&str> = group
            .hosts
            .iter()
            .map(|at| inventory.hosts()[*at].name.as_str())
            .collect();
        hosts.sort_unstable();
        for host in hosts {
            out.push_str(&format!("{edge}--{host}\n"));
            if vars {
                show_vars(&host_vars(store, host), depth + 1, out);
            }
        }
    }
    if vars {
        show_vars(&group.vars, depth, out);
    }
}

fn show_vars(vars: &Dict, depth: usize, out: &mut String) {
    let mut lines: Vec<String> = vars
        .to_vec()
        .into_iter()
        .map(|(key, value)| format!("{{{} = {}}}", key.value(), value))
        .collect();
    lines.sort();
    for line in lines {
        out.push_str(&format!("{}--{line}\n", "  |".repeat(depth + 1)));
    }
}
