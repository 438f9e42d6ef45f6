#!/usr/bin/env bash
# The main job, end to end: trains the seed network on real images, draws what it learned, runs the 32 configurations of
# the experiment on a smaller network, and prints the regression that says which of them helped.
set -euo pipefail

# --- what it does, in fixed numbers, so that two runs on a device give the same results --------------------------
train_images=8192     # of 60,000
test_images=1024      # of 10,000
train_epochs=2
train_bn_momentum=0.95
sweep_arch=8,6,4,3
sweep_depth=1
sweep_images=3072
sweep_test_images=512
sweep_epochs=2
sweep_bn_momentum=0.9
data=/usr/share/datasets/fashion-mnist

usage() {
  cat <<'END'
usage: demo.sh [--device D]

Installs what is missing (Debian packages, by apt, as root or with sudo), builds, and runs the main job in at most
6 minutes on 2 cores. D is an index, cpu, gpu, or part of a name or vendor, as in `fovea devices`.
The results go to the folder demo in the repository, or to $FOVEA_DEMO_OUT; those of an earlier demo are replaced.
END
}

device=()
while [ $# -gt 0 ]; do
  case $1 in
    --device)
      [ $# -ge 2 ] || { echo 'demo: --device needs a value; see --help' >&2; exit 2; }
      device=(--device "$2")
      shift 2
      ;;
    --device=*) device=("$1"); shift ;;
    -h | --help) usage; exit 0 ;;
    *) echo "demo: unknown argument $1; see --help" >&2; exit 2 ;;
  esac
done

# shellcheck source=samples/setup.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/setup.sh"

out=${FOVEA_DEMO_OUT:-$fovea_root/demo}
case $out in /*) ;; *) out=$PWD/$out ;; esac
marker=$out/.made-by-fovea-demo

# Only what an earlier demo made is removed, from a folder that carries the demo's mark.
prepare_out() {
  if [ -e "$out" ] && [ ! -f "$marker" ] && { [ ! -d "$out" ] || [ -n "$(ls -A -- "$out")" ]; }; then
    echo "demo: $out is there and was not made by the demo; name another folder in FOVEA_DEMO_OUT" >&2
    exit 2
  fi
  if ! mkdir -p -- "$out" || ! : >"$marker"; then
    echo "demo: cannot write to $out" >&2
    exit 5
  fi
  rm -rf -- "$out/seed" "$out/sweep"
  rm -f -- "$out/reconstructions.png" "$out/walk.png" "$out/regression.txt" "$out/differences.png" \
    "$out/interactions.png" "$out/coefficients.png" "$out/report.html" "$out/sweep.html"
}

step() { printf '\n%s\n' "$*" >&2; }

prepare_out
fovea_setup fovea
start=$SECONDS
fovea=$fovea_build_dir/fovea

step '1. The OpenCL devices here'
"$fovea" devices

step "2. The seed network learns from $train_images of 60,000 images, $train_epochs epochs"
printf '%s\n' \
  "   All options are the experiment's own but one: batch normalization's moving averages need some" \
  "   500 steps to arrive at the momentum of 0.99, and this is shorter, so it is $train_bn_momentum here." >&2
"$fovea" train --data "$data" --out "$out/seed" --limit-train "$train_images" --limit-test "$test_images" \
  --epochs "$train_epochs" --bn-momentum "$train_bn_momentum" "${device[@]}"

step '3. Pictures: test images beside their reconstructions, and a walk through the latent space'
"$fovea" reconstruct --run "$out/seed" --data "$data" --out "$out/reconstructions.png" "${device[@]}"
"$fovea" reconstruct --run "$out/seed" --data "$data" --walk --out "$out/walk.png" "${device[@]}"

step '4. The experiment: activation x attention x batch normalization x dropout, 32 networks'
printf '%s\n' \
  "   To take minutes and not hours, each is small (units $sweep_arch, depth $sweep_depth), has one seed, and" \
  "   sees $sweep_images images $sweep_epochs times. Batch normalization's momentum is $sweep_bn_momentum," \
  "   so that its averages arrive. It shows the method: what helps networks this small, trained this briefly," \
  "   need not help the seed network." >&2
"$fovea" sweep --data "$data" --out "$out/sweep" --arch "$sweep_arch" --depth "$sweep_depth" \
  --epochs "$sweep_epochs" --limit-train "$sweep_images" --limit-test "$sweep_test_images" \
  --bn-momentum "$sweep_bn_momentum" "${device[@]}"

step '5. Which of them helped: least squares of the test loss (a negative difference helps)'
"$fovea" regress "$out/sweep/results.csv" --plot "$out/differences.png" --plot-pairs "$out/interactions.png" \
  >"$out/regression.txt"

step '6. Two pages with all of it, to open in a browser'
"$fovea" report "$out/seed" --out "$out/report.html" "${device[@]}"
"$fovea" report "$out/sweep" --out "$out/sweep.html"

# --- every file, with a word on those to open first ---------------------------------------------------------------
about() {
  case $1 in
    seed/checkpoint.safetensors) echo 'the trained network: any safetensors reader opens it' ;;
    seed/config.json) echo 'all settings of the training' ;;
    seed/metrics.csv) echo 'the losses of each epoch' ;;
    seed/curves.png) echo 'the losses as curves' ;;
    seed/latent.png) echo 'the codes of train and test images, coloured by label' ;;
    reconstructions.png | seed/reconstructions-*.png) echo 'test images beside their reconstructions' ;;
    walk.png | seed/walk.png) echo 'the latent space, 30 x 30 points of it' ;;
    sweep/results.csv) echo 'one line a configuration' ;;
    differences.png) echo 'what each factor does: differences from the baseline, means' ;;
    interactions.png) echo 'pairs of factors' ;;
    regression.txt) echo 'the table below' ;;
    report.html) echo 'the seed network as a page' ;;
    sweep.html) echo 'the experiment as a page' ;;
  esac
}
step "Done in $((SECONDS - start)) s after set-up. The files, in $out:"
(cd -- "$out" && find . -type f ! -name '.*' | sed 's|^\./||' | LC_ALL=C sort) | while IFS= read -r file; do
  note=$(about "$file")
  if [ -n "$note" ]; then printf '  %-42s %s\n' "$file" "$note"; else printf '  %s\n' "$file"; fi
done
echo
cat -- "$out/regression.txt"
step 'In words (a sentence a factor):'
sed '/^$/,$d' "$out/regression.txt"
step 'To look at all of it, open in a browser:'
printf '  %s\n' "$out/report.html" "$out/sweep.html"
