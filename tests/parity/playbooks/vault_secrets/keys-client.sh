#!/bin/sh
echo "of $2"
