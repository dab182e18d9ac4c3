//! A Jinja2 engine on Python's value model. Knows nothing of Ansible.
