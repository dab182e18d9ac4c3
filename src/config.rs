//! Settings: defaults, ansible.cfg, environment, flags.
