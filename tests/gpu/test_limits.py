#!/usr/bin/env python3
"""test_limits.py BUILD: that the census can fail, and says so by the right figure; and that it reads code right. Compiles
nothing."""
import contextlib
import io
import json
import pathlib
import subprocess
import sys
import tempfile

import amdgcn
import census
import figures
import ptx

HERE, BUILD = pathlib.Path(__file__).resolve().parent, sys.argv[1]
wrong = []


def expect(what, is_so):
    if not is_so:
        wrong.append(what)


def check(limits, *network, update=False):
    """Exit status, and the lines of figures that are worse and better."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "limits.json"
        path.write_text(json.dumps(limits))
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            status = census.main(["check", "--build", BUILD, "--without", "clang", "--limits", str(path),
                                  *(["--update"] if update else []), "--", *network])
        lines = said.getvalue().splitlines()
        return (status, [l.split()[0] for l in lines if "  WORSE" in l], [l.split()[0] for l in lines if "  better" in l],
                json.loads(path.read_text()))


# --- limits -------------------------------------------------------------------------------------------------------

# entry: most, limit, goal; figure; worse, better, meets its goal
CASES = [(True, 10, 5, 11, True, False, False), (True, 10, 5, 10, False, False, False),
         (True, 10, 5, 5, False, True, True), (False, 0.5, 0.55, 0.499, True, False, False),
         (False, 0.5, 0.55, 0.5001, False, False, False), (False, 0.5, 0.55, 0.6, False, True, True),
         (True, 10, None, 12, True, False, True), (True, 10, 5, None, False, True, True),
         (True, None, 5, 9, False, True, False), (True, 0, 0, 1, True, False, False)]


def test_judgement():
    for most, limit, goal, value, worse, better, met in CASES:
        entry = {"most": most, "limit": limit, "goal": goal}
        said = figures.is_worse(entry, value), figures.is_better(entry, value), figures.meets(entry, value)
        expect(f"{entry} with {value}: {said}", said == (worse, better, met))


def test_each_figure_of_the_plan():
    limits = figures.read_limits(HERE / "limits.json")
    status, worse, _, _ = check(limits)
    expect(f"today's figures are worse than their limits: {worse}", status == 0 and not worse)
    today = check(limits, update=True)[3]
    for name in [n for n, e in limits.items() if e["by"] == "plan" and today[n]["limit"]]:
        step = -1 if limits[name]["most"] else 1
        for by, expected in ((step, (1, [name], [])), (-step, (0, [], [name]))):
            changed = {n: dict(e) for n, e in today.items()}
            changed[name]["limit"] += by
            got = check(changed)
            expect(f"{name} with a limit moved by {by}: {got[:3]}", got[:3] == expected)
            expect(f"{name}: --update does not give today's figure", check(changed, update=True)[3] == today)


def test_a_worse_plan():
    """A device that allows groups of 16 work-items is one on which groups are small."""
    try:
        status, worse, _, _ = check(figures.read_limits(HERE / "limits.json"), "--group", "16")
    except SystemExit as said:
        status, worse = None, said
    expect(f"groups of 16: {worse}", status == 1 and "small_groups" in worse)


def test_device_classes():
    """Whatever a device allows in a work-group, from the 16 lanes on, each network has its plan."""
    for size in ("16", "32", "64", "128", "1024"):
        for network in ([], ["--small"], ["--attention", "cbam", "--evaluation"]):
            try:
                census.launches.make(pathlib.Path(BUILD) / "list_launches", ["--batch", "16,1024", "--group", size, *network])
            except SystemExit as said:
                expect(f"groups of {size}, {network}: {said}", False)


# What is asked for, and a part of the sentence that refuses it.
REFUSED = [(["check", "--", "--small"], "limits.json is of the seed network"),
           (["check", "--update", "--", "--small"], "limits.json is of the seed network"),
           (["check", "--batch", "8,16"], "limits.json is of the seed network"),
           (["check", "--limits", "/nowhere"], "/nowhere is no file of limits"),
           (["check", "--limits", __file__], "is no file of limits"),
           (["launches", "--build", "/nowhere"], "--build is the folder"),
           (["launches", "h100"], "it takes no names"), (["launches", "--", "--batch", "16"], "goes before --"),
           (["launches", "--batch", "8"], "a multiple of 16"), (["launches", "--", "--arch", "none"], "usage: list_launches"),
           (["launches", "--arch", "12,8"], "--arch: of list_launches, to be given after --"),
           (["launches", "--update"], "--update is of check"),
           (["model", "foo"], "known: h100 (NVIDIA H100), "), (["programs", "gfx1030"], "known: sm_90, gfx1100, gfx90a"),
           (["model", "--batch", "64,64"], "larger than the first"), (["model", "--batch", "0"], "--batch 0"),
           (["model", "--jobs", "0"], "no number from 1 on")]


def run(*words):
    """Somewhere else, as a user may be."""
    return subprocess.run([sys.executable, "-B", HERE / "census.py", words[0], "--build", pathlib.Path(BUILD).resolve(),
                           *words[1:]], capture_output=True, text=True, cwd="/")


def test_refusals():
    before = (HERE / "limits.json").read_text()
    for words, sentence in REFUSED:
        done = run(*words)
        good = done.returncode == 2 and sentence in done.stderr and "Traceback" not in done.stderr and not done.stdout
        expect(f"{words}: {done.returncode}: {done.stderr}{done.stdout[:200]}", good)
    if (HERE / "limits.json").read_text() != before:
        expect("a refused --update changes limits.json", False)
        (HERE / "limits.json").write_text(before)


def test_one_batch():
    said = [run("launches", "--batch", batch, "--", "--small").stdout for batch in ("16", "16,32")]
    expect("one batch has no column of another", said[0] and "items at" not in said[0] and "items at 32" in said[1])
    expect("after --, --help has no options", "--local-memory N" in run("launches", "--", "--help").stdout)


# --- reading --------------------------------------------------------------------------------------------------------

PTX = """
.visible .entry sum(
	.param .u64 .ptr .global .align 4 sum_param_0,
	.param .u32 sum_param_1
)
{
	.reg .pred 	%p<3>;
	ld.param.u64 	%rd1, [sum_param_0];
	ld.param.u32 	%r1, [sum_param_1];
	mov.u32 	%r2, %tid.x;
	mul.wide.u32 	%rd2, %r2, 4;
	add.s64 	%rd3, %rd1, %rd2;
	mov.u32 	%r3, %ctaid.x;
	setp.ge.s32 	%p1, %r3, %r1;
	@%p1 bra 	$L__BB0_2;
$L__BB0_1:
	ld.global.f32 	%f1, [%rd3];
	ld.global.v4.f32 	{%f2, %f3, %f4, %f5}, [%rd1+16];
	fma.rn.f32 	%f6, %f1, %f2, %f6;
	div.rn.f32 	%f7, %f6, %f3;
	add.s32 	%r3, %r3, 2;
	setp.lt.s32 	%p2, %r3, %r1;
	@%p2 bra 	$L__BB0_1;
$L__BB0_2:
	st.global.f32 	[%rd3], %f6;
	ret;
}
"""

GCN = """
sum:
; %bb.0:
	s_load_dwordx2 s[0:1], s[4:5], 0x0
	s_cbranch_scc1 .LBB0_2
.LBB0_1:
	global_load_dwordx4 v[0:3], v4, s[0:1]
	s_load_dword s2, s[0:1], 0x10
	ds_read_b64 v[6:7], v5
	s_waitcnt vmcnt(0)
	v_pk_fma_f32 v[8:9], v[0:1], v[2:3], v[8:9]
	v_dual_fmac_f32 v1, v2, v3 :: v_dual_mul_f32 v4, v5, v6
	v_add_f32_e32 v1, v1, v2
	s_add_i32 s3, s3, 1
	s_cbranch_vccnz .LBB0_1
.LBB0_2:
	global_store_dword v4, v1, s[0:1]
	s_endpgm
.Lfunc_end0:
	.amdhsa_kernel sum
"""


def test_ptx():
    kernel = ptx.read(PTX)["sum"]
    loops = kernel.product_loops()
    expect(f"the loops are {loops}", loops == {1: {1}})
    got = {k: v for k, v in kernel.total(loops[1]).items() if v}
    expect(f"PTX: {got}", got == {"load": 1, "load_words": 1, "uniform": 1, "uniform_words": 4, "fma": 1,
                                  "float": ptx.SLOW, "slow": 1, "integer": 2, "branch": 1})
    for group, count, turns in ((0, 9, 5), (3, 9, 3), (9, 9, 0), (0, 1, 1)):
        way = kernel.way([0, count], {"%ctaid.x": group}, 64)
        expect(f"group {group} of {count}: {way}", way == [1, turns, 1])


def test_amdgcn():
    kernel = amdgcn.read(GCN)["sum"]
    got = {k: v for k, v in kernel.total(kernel.product_loops()[1]).items() if v}
    expect(f"AMD: {got}", got == {"load": 1, "load_words": 4, "uniform": 1, "uniform_words": 1, "local_load": 1, "fma": 3,
                                  "float": 2, "integer": 1, "branch": 1})


for test in (test_judgement, test_each_figure_of_the_plan, test_a_worse_plan, test_device_classes, test_refusals, test_one_batch,
             test_ptx, test_amdgcn):
    test()
print("\n".join(wrong) or "the census fails where it has to, and reads code")
sys.exit(1 if wrong else 0)
