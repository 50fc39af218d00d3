#!/bin/sh
# Runs the command line of .venv for a make recipe and says what its exit code means:
# make turns every failing recipe into its own exit code 2.
set -u
cd -- "$(CDPATH='' dirname -- "$0")/.." || exit 5

.venv/bin/palier "$@"
code=$?
case $code in
0) exit 0 ;;
1) meaning='a bug of ours, please report it' ;;
2) meaning='bad arguments or a bad tiers.yaml' ;;
3) meaning='a gate failed' ;;
4) meaning='invalid or inconclusive: the run does not decide' ;;
5) meaning='the stack, the seed or the environment failed' ;;
130) meaning='interrupted; what was measured is kept' ;;
*) meaning='ended by a signal or by the system' ;;
esac
{
    echo
    echo "palier ended with exit code $code: $meaning."
    echo 'make itself reports 2 for every failure; scripts call .venv/bin/palier or read verdict.json.'
} >&2
exit $code
