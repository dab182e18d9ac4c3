//! regrole reads unmodified Ansible content and does what `ansible-playbook` does with it.
//!
//! The modules below are layers, listed lowest first; a layer imports only from those above it
//! in this list (`docs/architecture.md` says what each is for, `tests/layers.rs` enforces it).

pub mod diag;
pub mod value;

pub mod http;
pub mod jinja;
pub mod vault;
pub mod yaml;

pub mod compat;
pub mod config;
pub mod inventory;
pub mod playbook;
pub mod template;

pub mod system;
pub mod vars;

pub mod modules;

pub mod actions;
pub mod agent;
pub mod transport;

pub mod executor;
pub mod output;

pub mod cli;
