#!/bin/sh
if [ "$1" = --list ]; then echo '{"g": ["m1", "m2"], "k": {"a": 1}}'
elif [ "$2" = m1 ]; then echo '{"x": "host", "n": 1.0}'
else echo '{}'; fi
