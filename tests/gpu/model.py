"""A model of a launch's time on GPUs that are not here. It is no measurement: it says which launches are worth a look, and
whether a change makes a step better or worse. Its input is the plan (list_launches.c) and the way of work-items through
the kernels' PTX (ptx.py), for every device the same.

Of a launch of W waves on S schedulers, each wave of I issued instructions, M of which ask for memory:

    issue    W / S * (ISSUE * I + MEMORY * M) * width / lanes           what the schedulers have to do
    latency  max(1, W / S / resident) * (STALL * I * width / lanes + R * far + N * near + B * barrier)
             a wave alone waits R times for what is beyond the L1, N times for what is in it (launches.py)
    memory   bytes / bandwidth of memory, or of the L2 where they fit it twice; MISS of the loads / bandwidth of the L2
    time     START + the most of these;  of a step: the sum of max(LAUNCH, time + GAP)

W / S is at least 1 in what the schedulers have to do. `resident` is how many waves of a scheduler the registers and the
local memory allow.

ISSUE, MEMORY, STALL and MISS were fitted to another model of 353 launches, the plan of then, on an H100, by ptxas's stall
counts (README.md says how near it is): a PTX instruction is some 1.2 of the machine's, which waits for others; a load
takes the slots of several, since the four schedulers of a multiprocessor share what serves it."""
import collections

from blocks import issued

ISSUE, MEMORY, STALL, MISS = 1.5, 5.0, 1.5, 0.3
START, GAP, LAUNCH = 0.4, 1.5, 4.0  # us
REGISTERS = 128  # of a work-item, where no compiler says

# units: multiprocessors. schedulers: of a unit. width: of a wave; lanes: that a scheduler has. clock: cycles a us.
# far, near, barrier: cycles. l2, memory: bytes a us; l2_size: bytes. registers, waves, lds: of a unit, 32-bit registers
# of a lane times lanes; most waves, bytes.
Device = collections.namedtuple(
    "Device", "name target units schedulers width lanes clock far near barrier l2 memory l2_size registers waves lds")

DEVICES = {
    # Data sheet of the H100 SXM5; latencies and the L2's bandwidth of that other model.
    "h100": Device("NVIDIA H100", "sm_90", 132, 4, 32, 32, 1980, 270, 33, 30, 5.5e6, 3.0e6, 50e6, 65536, 64, 227 << 10),
    # AMD's page of the RX 7900 XTX (96 compute units of 2 SIMD32, 2.3 GHz game clock, 960 GB/s, 96 MB Infinity Cache)
    # and the RDNA3 ISA guide (1536 registers a SIMD lane, 16 waves). Latencies: orders of magnitude.
    "gfx1100": Device("AMD RX 7900 XTX", "gfx1100", 96, 2, 32, 32, 2300, 300, 60, 30, 3.5e6, 0.96e6, 96e6, 98304, 32,
                      64 << 10),
    # AMD's page of the MI210 (104 compute units of 4 SIMD16, 1.7 GHz, 1.6 TB/s, 8 MB L2) and the CDNA2 ISA guide.
    "gfx90a": Device("AMD MI210", "gfx90a", 104, 4, 64, 16, 1700, 350, 120, 40, 3.5e6, 1.6e6, 8e6, 131072, 32, 64 << 10),
    # Intel's page of the A770 (32 Xe cores of 16 vector engines of 8 lanes, 2.1 GHz, 560 GB/s, 16 MB L2); a vector engine
    # holds 8 threads of 128 registers of 32 bytes.
    "arc": Device("Intel Arc A770", None, 32, 16, 16, 8, 2100, 300, 60, 40, 2.0e6, 0.56e6, 16e6, 65536, 128, 64 << 10),
}

Time = collections.namedtuple("Time", "us bound")


def resident(device, launch, resources):
    """Waves that a scheduler holds; resources: what a compiler said of the kernel, or None."""
    a_group = -(-launch.group // device.width)
    registers = resources.registers if resources and resources.registers else REGISTERS
    if device.target is None:
        registers = REGISTERS  # threads are 8 whatever a kernel takes
    waves = min(device.waves, device.registers // (-(-registers // 8) * 8 * device.width))
    groups = max(1, waves // a_group)
    if resources and resources.lds:
        groups = min(groups, max(1, device.lds // resources.lds))
    return max(1, groups * a_group / device.schedulers)


def time_of(device, launch, walk, resources):
    each, waves, schedulers = walk.each, launch.waves(device.width), device.units * device.schedulers
    slots, instructions = device.width / device.lanes, issued(walk.each)
    memory = sum(each.get(c, 0) for c in ("load", "uniform", "store", "local_load", "local_store"))
    a_wave = (ISSUE * instructions + MEMORY * memory) * slots
    alone = (STALL * instructions * slots + walk.far * device.far + walk.near * device.near
             + each.get("barrier", 0) * device.barrier)
    share = waves / schedulers
    bandwidth = device.l2 if 2 * launch.bytes <= device.l2_size else device.memory
    loads = 4 * each.get("load_words", 0) * launch.items
    times = {"issue": max(1, share) * a_wave / device.clock,
             "latency": max(1, share / resident(device, launch, resources)) * alone / device.clock,
             "memory": launch.bytes / bandwidth,
             "L2": MISS * loads / device.l2}
    bound = max(times, key=times.get)
    return Time(START + times[bound], bound)


def step(times):
    """us, of launches in one queue."""
    return sum(max(LAUNCH, t.us + GAP) for t in times)
