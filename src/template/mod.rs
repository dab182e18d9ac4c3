//! Ansible on top of the Jinja engine: lazy variables, native results, trust, lookups.
