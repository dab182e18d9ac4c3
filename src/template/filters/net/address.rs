//! Addresses and networks of both versions, as numbers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use num_bigint::BigInt;

use crate::value::Value;

/// An address with the network it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) v6: bool,
    pub(super) bits: u128,
    pub(super) prefix: u32,
    /// The prefix was written.
    pub(super) has_prefix: bool,
}

impl Address {
    /// Reads `10.0.0.1`, `10.0.0.1/24`, `10.0.0.1/255.255.255.0`, the same of version 6, or a number.
    pub(super) fn read(value: &Value) -> Option<Address> {
        match value {
            Value::Str(text) => Address::parse(text),
            Value::Int(number) => Address::number(u128::try_from(*number).ok()?),
            Value::Big(big) => Address::number(u128::try_from(big.as_ref()).ok()?),
            _ => None,
        }
    }

    /// Makes an address of a number: of version 4 where it fits.
    pub(super) fn number(bits: u128) -> Option<Address> {
        let v6 = bits > u128::from(u32::MAX);
        Some(Address::single(v6, bits))
    }

    /// Makes an address without a network.
    pub(super) fn single(v6: bool, bits: u128) -> Address {
        Address {
            v6,
            bits,
            prefix: if v6 { 128 } else { 32 },
            has_prefix: false,
        }
    }

    pub(super) fn parse(text: &str) -> Option<Address> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        if let Some(prefix) = prefix
            && text.bytes().all(|b| b.is_ascii_digit() || b == b'/')
        {
            let bits: u128 = address.parse().ok()?;
            let mut made = Address::number(bits)?;
            made.prefix = prefix.parse().ok()?;
            made.has_prefix = true;
            return (made.prefix <= made.width()).then_some(made);
        }
        let (v6, bits) = match address.parse::<IpAddr>().ok()? {
            IpAddr::V4(ip) => (false, u128::from(u32::from(ip))),
            IpAddr::V6(ip) => (true, u128::from(ip)),
        };
        let mut made = Address::single(v6, bits);
        if let Some(prefix) = prefix {
            made.has_prefix = true;
            made.prefix = match prefix.parse::<u32>() {
                Ok(prefix) if prefix <= made.width() => prefix,
                Ok(_) => return None,
                Err(_) => mask_length(prefix)?,
            };
        }
        Some(made)
    }

    /// Returns the number of bits of an address.
    pub(super) fn width(self) -> u32 {
        if self.v6 { 128 } else { 32 }
    }

    fn all(self) -> u128 {
        if self.v6 {
            u128::MAX
        } else {
            u128::from(u32::MAX)
        }
    }

    pub(super) fn host_mask(self) -> u128 {
        match self.width() - self.prefix {
            128 => u128::MAX,
            host => (1u128 << host) - 1,
        }
    }

    pub(super) fn net_mask(self) -> u128 {
        self.all() & !self.host_mask()
    }

    pub(super) fn network(self) -> u128 {
        self.bits & self.net_mask()
    }

    pub(super) fn last(self) -> u128 {
        self.network() | self.host_mask()
    }

    /// Returns how many addresses the network has.
    pub(super) fn size(self) -> BigInt {
        BigInt::from(self.host_mask()) + 1
    }

    pub(super) fn is_single(self) -> bool {
        self.prefix == self.width()
    }

    /// Says whether it is a network and not an address in one.
    pub(super) fn is_network(self) -> bool {
        !self.is_single() && self.bits == self.network()
    }

    /// Says whether another address or network is inside.
    pub(super) fn contains(self, other: Address) -> bool {
        self.v6 == other.v6 && self.network() <= other.network() && other.last() <= self.last()
    }

    /// Returns the first and the last address that hosts may have.
    pub(super) fn usable(self) -> Option<(u128, u128)> {
        match self.host_mask() {
            0 => None,
            1 => Some((self.network(), self.last())),
            _ => Some((self.network() + 1, self.last() - 1)),
        }
    }

    /// Writes other bits as an address of this version.
    pub(super) fn text(self, bits: u128) -> String {
        if self.v6 {
            Ipv6Addr::from(bits).to_string()
        } else {
            Ipv4Addr::from(bits as u32).to_string()
        }
    }

    pub(super) fn with_prefix(self, bits: u128) -> String {
        format!("{}/{}", self.text(bits), self.prefix)
    }

    /// Returns the name that reverse look-ups use.
    pub(super) fn reverse_name(self) -> String {
        if self.v6 {
            let nibbles: Vec<String> = (0..32)
                .map(|at| format!("{:x}", (self.bits >> (4 * at)) & 0xf))
                .collect();
            format!("{}.ip6.arpa.", nibbles.join("."))
        } else {
            let [a, b, c, d] = (self.bits as u32).to_be_bytes();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa.")
        }
    }

    /// Says whether the address lies in one of some networks.
    pub(super) fn is_in(self, networks: &[&str]) -> bool {
        networks
            .iter()
            .filter_map(|network| Address::parse(network))
            .any(|network| network.contains(Address::single(self.v6, self.bits)))
    }
}

fn mask_length(text: &str) -> Option<u32> {
    let mask = u32::from(text.parse::<Ipv4Addr>().ok()?);
    let length = mask.leading_ones();
    let host = !mask;
    (mask.checked_shl(length).unwrap_or(0) == 0)
        .then_some(length)
        .or_else(|| {
            // A mask of the host's part, as Cisco writes it.
            (host.checked_shl(host.leading_ones()).unwrap_or(0) == 0).then_some(host.leading_ones())
        })
}

pub(super) const PRIVATE: &[&str] = &[
    "0.0.0.0/8",
    "10.0.0.0/8",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/29",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "240.0.0.0/4",
    "::/127",
    "::ffff:0:0/96",
    "100::/64",
    "2001::/23",
    "2001:db8::/32",
    "fc00::/7",
    "fe80::/10",
];
pub(super) const LOOPBACK: &[&str] = &["127.0.0.0/8", "::1/128"];
pub(super) const LINK_LOCAL: &[&str] = &["169.254.0.0/16", "fe80::/10"];
pub(super) const MULTICAST: &[&str] = &["224.0.0.0/4", "ff00::/8"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_with_prefixes_masks_and_as_numbers() {
        let read = |text: &str| Address::parse(text).map(|a| a.with_prefix(a.bits));
        assert_eq!(read("10.0.0.1/24").as_deref(), Some("10.0.0.1/24"));
        assert_eq!(read("10.0.0.1/255.255.0.0").as_deref(), Some("10.0.0.1/16"));
        assert_eq!(read("fd85::1/64").as_deref(), Some("fd85::1/64"));
        for wrong in [
            "10.0.0.1/33",
            "10.0.0",
            "x",
            "",
            "10.0.0.1/255.0.255.0",
            "::1/129",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        let seven = Address::read(&Value::Int(7)).map(|a| a.text(a.bits));
        assert_eq!(seven.as_deref(), Some("0.0.0.7"));
    }

    #[test]
    fn the_whole_of_version_six_is_counted_without_overflow() {
        let all = Address::parse("::/0").expect("a network");
        assert_eq!(all.size(), BigInt::from(1) << 128);
        assert_eq!(all.network(), 0);
        assert_eq!(all.last(), u128::MAX);
    }
}
