#!/bin/sh
echo "{\"g\": {\"hosts\": 1}}"
