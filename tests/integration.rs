//! The one integration binary: each module below is one area.

mod agent;
mod apiserver_test;
mod bad_hosts;
mod bad_input;
mod bad_kube;
mod command_line;
mod facts;
mod faults;
mod lab;
mod layers;
mod parity;
mod python_plugins;
mod real_api;
mod reference;
mod registry;
mod robustness;
mod shell_hosts;
mod side_by_side;
#[path = "apiserver/server/mod.rs"]
mod standin;
mod support;
mod template_cases;
mod template_records;
