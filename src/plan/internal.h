/* A plan, seen from inside src/plan: record.c records, fuse.c fuses, plan.c goes over the graph, memory.c places,
 * launch.c launches, side_stream.c lets some of a training step run beside others, shard.c divides the batch among
 * shards of the device, schedule.c runs that. */
#ifndef FOVEA_PLAN_INTERNAL_H
#define FOVEA_PLAN_INTERNAL_H

#include "graph/graph.h"
#include "plan/plan.h"
#include "plan/record.h"
#include "runtime/command_buffer.h"
#include "runtime/launch.h"

enum { MAX_ARGUMENTS = 40, LANES = 16, SAVED_SLOTS = 4, FOREVER = 1 << 30, CANARY = 32 };

typedef enum argument_kind {
  ARGUMENT_VIEW,
  ARGUMENT_BUFFER,
  ARGUMENT_TABLE, /* the record's own */
  ARGUMENT_INT,
  ARGUMENT_UINT,
  ARGUMENT_FLOAT
} argument_kind;

typedef struct argument {
  argument_kind kind;
  const char *what;
  fovea_view view;
  int i;
  uint32_t u;
  float f;
} argument;

typedef enum record_kind {
  RECORD_KERNEL,
  RECORD_GEMM,
  RECORD_ZERO,
  RECORD_COPY,
  RECORD_BEGIN, /* of a meeting */
  RECORD_END
} record_kind;

struct fovea_record {
  record_kind kind;
  char file[48], options[160], kernel[48];
  argument arguments[MAX_ARGUMENTS];
  int argument_count;
  size_t local, size[3]; /* local 0: a plain range */
  size_t unit;           /* of `local`, which may be fewer units; 0: exactly so many */
  bool flat;             /* size[0] work-items and no more than are needed beyond */
  int most, request;     /* of the work-group, 0: any; of a recording of requests, 0: none */
  int group;             /* of records of the side stream: side_stream.c; 0: not one of them */
  bool prepacks;         /* fovea_record_prepacks_weights */
  int batch_axis;        /* 1 + that of the range which runs over the batch; 0: none */
  bool whole;            /* not divided among shards, though over the batch */
  bool begins;           /* a segment: shard.c */
  int joins;             /* the last of the groups that have to be done before; 0: none */
  bool joins_all;        /* that were recorded before */
  int meeting;           /* of RECORD_BEGIN and RECORD_END */
  double flops, bytes;
  double products; /* fovea_record_products; 0: half of the flops */
  fovea_gemm gemm;
  fovea_part *parts; /* of a multi-tensor launch; its table says for each `share` items whose they are */
  int part_count, share;
  int layers;         /* alike.c; 0: no such launch */
  fovea_record *next; /* another of those layers */
  fovea_buffer *table;
  fovea_launch *launch;
};

/* What comes of `size` floats, which each rank gives or all have together, a bucket of slices, one a rank. */
typedef enum meeting_kind {
  MEETING_WHOLE,   /* [ranks][size], everybody's, at every rank */
  MEETING_SCATTER, /* [ranks][slice], of everybody's bucket the rank's own slice */
  MEETING_GATHER   /* [size], the bucket, of which each rank gives its own slice */
} meeting_kind;

/* Of the ranks (meeting.c): from `own` of each to `all`. */
typedef struct fovea_meeting {
  meeting_kind kind;
  fovea_view own, all;
  size_t size;
  bool gradients; /* travel while the pass goes on */
  bool summed;    /* those gradients; recorded */
  float *data;    /* on the host, as `all` */
  float *give;    /* a bucket that is scattered, on the host; else NULL */
  size_t *bytes;  /* of each rank */
  void *request;  /* between its begin and its end */
  bool begun;
} fovea_meeting;

/* A multi-tensor launch that is not recorded yet. */
typedef struct multi_tensor {
  fovea_part *parts;
  int count, capacity, units;
  int storage; /* that parts were given room in */
  size_t size; /* floats of it, 0: none yet */
} multi_tensor;

typedef struct storage {
  size_t size;          /* floats */
  int pixels;           /* of the images that it is of; 0: of none */
  int first, last;      /* records that touch it; first -1: none */
  fovea_buffer *buffer; /* its own, or a slab */
  int slab;             /* of a place in one */
  size_t offset;        /* floats */
  bool external;
} storage;

typedef struct node_plan {
  int alias; /* the node that makes this one's value; itself unless fused or a reshape */
  fovea_view value;
  bool wants_gradient;
  fovea_pointwise pointwise;
  int fused; /* fovea_plan_fused */
  fovea_view saved[SAVED_SLOTS];
  bool placed;                       /* value is set */
  bool given;                        /* value may be set to what an evaluation is to go on from */
  int first_record, last_record;     /* of its forward pass: from the first up to before the last */
  int first_backward, last_backward; /* likewise; equal: none */
  bool has_gradient;                 /* inspected: gradient is a copy of what backward was given */
  fovea_view gradient;
} node_plan;

struct fovea_plan {
  fovea_device *device;
  const fovea_graph *graph;
  int batch;
  bool training;
  fovea_resources resources;
  fovea_status status;
  fovea_record **records;
  int record_count, record_capacity;
  fovea_command_buffer *replay; /* NULL: the records are enqueued one by one */
  fovea_command_buffer
      *prepack;           /* those that prepack weights, which `replay` has not; NULL: there are none, or likewise */
  uint64_t prepacked_for; /* changes of the parameters when those ran, and one; 0: never */
  int request;            /* that the records made now answer; 0: none */
  bool on_side_stream;    /* the records made now are of it */
  int group_count;        /* so far */
  multi_tensor multi[FOVEA_MULTI_COUNT];
  fovea_record **put_off; /* alike.c */
  int put_off_count;
  bool apart;           /* no multi-tensor launches: memory is short */
  bool crowded;         /* it was not placed so that they can find all of theirs */
  int latest;           /* for tests: fovea_plan_use_latest_schedule */
  int shards;           /* of the batch and of the device: shard.c; 0: none */
  cl_event *group_done; /* of each group during a run; NULL where the device has one queue */
  storage *storages;
  int storage_count, storage_capacity;
  int *gradient_of; /* storage -> storage of its gradient, -1 */
  bool *gradient_written;
  node_plan *nodes;
  fovea_buffer **slabs; /* NULL until they are made */
  size_t *slab_sizes;   /* floats */
  int slab_count;
  size_t memory;
  fovea_view state, parameters, gradients, pixels, losses, merges;
  fovea_meeting *meetings;
  int meeting_count;
  size_t ready_from, summed_from, travels_from; /* offsets of gradients: each is done with those from there on */
  int losses_record;                            /* the first after the nodes' forward pass */
};

/* record.c. The node's value in a storage of its own; its floats; a copy of a whole storage to one of its size. */
fovea_view fovea_plan_new_value(fovea_plan *plan, int node);
size_t fovea_plan_node_size(const fovea_plan *plan, int node);
void fovea_plan_record_copy(fovea_plan *plan, fovea_view from, fovea_view to);

/* What was recorded once and taken away again is the last record now; NULL after a failure. Its table; what touches a
 * view now. The arguments of a multi-tensor launch: its table and the two buffers, which it does not say are touched.
 */
fovea_record *fovea_plan_record_again(fovea_plan *plan, fovea_record *record);
void fovea_record_table(fovea_record *record);
void fovea_plan_touch(fovea_plan *plan, fovea_view view);
void fovea_record_multi_tensor(fovea_record *record, int share, fovea_view from, fovea_view to);

/* A record of a meeting, which touches the view. */
fovea_record *fovea_plan_record_meeting(fovea_plan *plan, record_kind kind, int meeting, fovea_view view);

/* meeting.c. Gradients before, in and after the backward pass; what the records do, and their memory on the host; after
 * a failure what has begun is ended. */
void fovea_plan_begin_gradients(fovea_plan *plan);
void fovea_plan_gradients_ready(fovea_plan *plan, int node);
void fovea_plan_end_gradients(fovea_plan *plan);
fovea_status fovea_plan_make_meetings(fovea_plan *plan);
fovea_status fovea_plan_run_meeting(fovea_plan *plan, const fovea_record *record);
void fovea_plan_end_meetings(fovea_plan *plan);
void fovea_plan_destroy_meetings(fovea_plan *plan);
static inline bool fovea_record_is_of_meeting(const fovea_record *r) {
  return r->kind == RECORD_BEGIN || r->kind == RECORD_END;
}

/* multi_tensor.c. Records the final sums that wait; records all that waits, before the optimizer or at an evaluation's
 * end; a launch's table, once storages have their places; whether these allow multi-tensor launches. */
void fovea_plan_end_sums(fovea_plan *plan);
void fovea_plan_end_multi(fovea_plan *plan);
bool fovea_plan_is_apart(const fovea_plan *plan);
/* NULL: host memory ran out. The caller frees it. */
int *fovea_plan_table(const fovea_plan *plan, const fovea_record *record, size_t *count);
fovea_status fovea_plan_make_table(fovea_plan *plan, fovea_record *record);
bool fovea_plan_multi_fits(const fovea_plan *plan);
void fovea_plan_destroy_multi(fovea_plan *plan);

/* alike.c. Records what was put off; the table of such a launch, as fovea_plan_table; whether its layers' operands lie
 * in the same buffers. */
void fovea_plan_end_alike(fovea_plan *plan);
int *fovea_plan_layers_table(const fovea_plan *plan, const fovea_record *record, size_t *count);
bool fovea_plan_alike_fits(const fovea_plan *plan, const fovea_record *record);
void fovea_plan_free_record(fovea_record *record);
void fovea_plan_destroy_alike(fovea_plan *plan);

/* fuse.c: which ops share launches; how many inputs a node's output is. */
void fovea_plan_fuse(fovea_plan *plan);
int fovea_plan_readers_of(const fovea_graph *graph, int node);

/* memory.c: a place for every storage; the memory itself; where a view is then. */
fovea_status fovea_plan_place(fovea_plan *plan);
fovea_status fovea_plan_allocate(fovea_plan *plan);
/* Storages share memory only with those of their kind. Of those of a kind above 0 each image's numbers lie in lines of
 * memory that no other image's use, whichever of them are there. */
int fovea_plan_kind(const fovea_plan *plan, const storage *s);
fovea_slice fovea_plan_resolve(const fovea_plan *plan, fovea_view view);
/* Known once the storages are placed, before they are made. */
bool fovea_plan_share_buffer(const fovea_plan *plan, fovea_view a, fovea_view b);

/* launch.c: the records' launches, made once. */
fovea_status fovea_plan_make_launches(fovea_plan *plan);
void fovea_plan_destroy_launches(fovea_plan *plan);

/* side_stream.c. The group of a record that is made now, 0: none. When each group is waited for; before the memory is
 * planned, since what it touches lives until then.
 */
int fovea_plan_next_group(fovea_plan *plan);
fovea_status fovea_plan_join_groups(fovea_plan *plan);

/* shard.c: into how many to divide the plan; then the segments, if it is divided, whose storages live longer;
 * which records are divided, and the range of each of their shards. */
int fovea_plan_choose_shards(const fovea_plan *plan);
void fovea_plan_find_segments(fovea_plan *plan);
bool fovea_plan_is_sharded(const fovea_plan *plan, const fovea_record *record);
fovea_launch_shard fovea_plan_shard(const fovea_plan *plan, const fovea_record *record, int shard);

/* schedule.c: every record, those that prepack weights only if `prepacks`; or the latest-legal schedule, without
 * those. */
fovea_status fovea_plan_run_in_queues(fovea_plan *plan, bool prepacks);
fovea_status fovea_plan_run_latest(fovea_plan *plan);

#endif
