#!/usr/bin/env bash
# step.sh NAME COMMAND...: says what is happening, and how long it took; fails as the command fails.
name=$1
shift
echo "==> $name"
started=$SECONDS
"$@"
status=$?
if [ $status -eq 0 ]; then echo "    $name: done in $((SECONDS - started)) s"; else echo "    $name: FAILED after $((SECONDS - started)) s (exit status $status)"; fi
exit $status
