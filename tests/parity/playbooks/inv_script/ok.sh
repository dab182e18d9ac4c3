#!/bin/sh
cat <<'J'
{"_meta": {"hostvars": {"s1": {"a": 1, "t": "{{ a }}"}, "s9": {"b": 2}}},
 "g": {"hosts": ["s1", "s2"], "vars": {"v": [1, {"k": "w"}]}, "children": ["c"]},
 "c": {"hosts": ["s3"]}, "all": {"vars": {"z": 1}, "children": ["g", "ungrouped"]}, "alone": {"hosts": []},
 "ungrouped": {"hosts": ["s5"]}}
J
