//! The one integration binary: each module below is one area.

mod apiserver_test;
mod lab;
mod parity;
#[path = "apiserver/server/mod.rs"]
mod standin;
mod support;
