//! The value model of Python, as Jinja templates and Ansible see it.
