h-xsh
