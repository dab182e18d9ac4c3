//! Inventories: sources, groups, hosts, patterns.
