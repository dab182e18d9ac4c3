//! The one integration binary: each module below is one area.

mod apiserver_test;
mod bad_input;
mod lab;
mod parity;
mod layers;
#[path = "apiserver/server/mod.rs"]
mod standin;
mod support;
