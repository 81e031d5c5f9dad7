#!/usr/bin/env bash
# Kills trainings with SIGKILL at random moments, a hundred times or as often as is said, continues them, and compares what they
# learn with what an undisturbed training learns, bit for bit. The test itself is in src/interruption.rs, where it kills
# a few times whenever all tests are run.
#
#   tests/kills.sh [KILLS]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
ATELIER_KILLS=${1:-100} cargo test --package e2e --test e2e -- --exact --nocapture \
    interruption::killed_runs_learn_what_they_would_have_learnt
