//! The one integration binary: each module below is one area.

mod agent;
mod apiserver_test;
mod bad_hosts;
mod bad_input;
mod facts;
mod lab;
mod layers;
mod parity;
mod registry;
#[path = "apiserver/server/mod.rs"]
mod standin;
mod support;
mod template_cases;
