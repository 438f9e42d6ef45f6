/* Several processes train one network together, each with a part of every batch, over plain sockets and without MPI: 1,
 * 2, 3 and 4 of them, to the same bits.
 *
 *     sample_ranks [DEVICE]
 *
 * Exits 1 when a network is another or did not learn, else with the status of what failed. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fovea/network.h"

enum { SIDE = 8, IMAGES = 128, BATCH = 64, STEPS = 8, MOST = BATCH / 16 };

/* --- the transport: a socket to each other rank, as it might be to another host ---------------------------------- */

typedef struct peers {
  int rank, count, sockets[MOST];
  bool lost; /* one of them: the library has no sentence for that */
} peers;

/* Of a meeting, for each rank: where its part lies, and how much of it is here and of ours is there. */
typedef struct part {
  char *data;
  size_t size, got, sent;
} part;

static short still_wanted(const peers *p, const part *parts, int r) {
  if (r == p->rank) return 0;
  return (short)((parts[r].got < parts[r].size ? POLLIN : 0) | (parts[r].sent < parts[p->rank].size ? POLLOUT : 0));
}

/* What the socket has or takes at this moment; false when the other rank is gone. */
static bool move(const peers *p, part *parts, int r, short events) {
  const part *own = &parts[p->rank];
  ssize_t n = 0;
  if (events & POLLIN) {
    n = recv(p->sockets[r], parts[r].data + parts[r].got, parts[r].size - parts[r].got, MSG_DONTWAIT);
    if (n > 0) parts[r].got += (size_t)n;
  } else {
    n = send(p->sockets[r], own->data + parts[r].sent, own->size - parts[r].sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0) parts[r].sent += (size_t)n;
  }
  return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

/* To and from all others at once: two that both sent first would wait for each other when their buffers are full. All
 * of the meeting is over when it has begun, which is allowed; a transport that works beside the training is faster. */
static fovea_status begin(void *user, void *data, const size_t *bytes, void **request) {
  peers *p = user;
  part parts[MOST];
  char *next = data;
  *request = NULL;
  for (int r = 0; r < p->count; next += bytes[r++]) parts[r] = (part){.data = next, .size = bytes[r]};
  for (;;) {
    struct pollfd sockets[MOST];
    bool over = true;
    for (int r = 0; r < p->count; r++) {
      const short events = still_wanted(p, parts, r);
      sockets[r] = (struct pollfd){.fd = events ? p->sockets[r] : -1, .events = events};
      over = over && !events;
    }
    if (over) return FOVEA_OK;
    if (poll(sockets, (nfds_t)p->count, -1) < 0) continue;
    for (int r = 0; r < p->count; r++) {
      if (!sockets[r].revents || move(p, parts, r, sockets[r].revents)) continue;
      fprintf(stderr, "ranks: rank %d of %d has lost rank %d\n", p->rank, p->count, r);
      p->lost = true;
      return FOVEA_DEVICE;
    }
  }
}

static fovea_status end(void *user, void *request) {
  (void)user, (void)request;
  return FOVEA_OK;
}

/* --- one rank ---------------------------------------------------------------------------------------------------- */

/* 8 x 8 -> 4 x 4 -> 8 numbers -> 4 x 4 -> 8 x 8. The normalization is over the whole batch, and so are its statistics.
 */
static void add_layers(fovea_graph *graph) {
  fovea_conv2d conv = {.filters = 4, .kernel = 3, .stride = 2, .same = true};
  fovea_tensor x = fovea_add_conv2d(graph, fovea_add_input(graph, 1, SIDE, SIDE), "down", &conv);
  x = fovea_add_activation(graph, fovea_add_batchnorm(graph, x, "norm", 0.9F, 1e-3F), FOVEA_RELU);
  x = fovea_add_dense(graph, x, "code", 8, true);
  x = fovea_add_dense(graph, x, "spread", 4 * (SIDE / 2) * (SIDE / 2), true);
  x = fovea_add_reshape(graph, x, 4, SIDE / 2, SIDE / 2);
  conv.filters = 1;
  conv.bias = true;
  fovea_add_sigmoid_bce(graph, fovea_add_conv2d_transpose(graph, x, "up", &conv));
}

/* Bars at all places, every rank's own copy of all images. */
static void draw(uint8_t *pixels) {
  for (int i = 0; i < IMAGES; i++) {
    for (int p = 0; p < SIDE * SIDE; p++) {
      const int place = i & 8 ? p / SIDE : p % SIDE;
      pixels[i * SIDE * SIDE + p] = place == i % SIDE ? (uint8_t)(255 - i / 2) : (uint8_t)(i / 4);
    }
  }
}

/* FNV-1a of all parameters. */
static fovea_status hash_parameters(fovea_network *network, uint64_t *hash) {
  fovea_status status = FOVEA_OK;
  *hash = 14695981039346656037U;
  for (size_t i = 0; i < fovea_network_parameter_count(network) && !status; i++) {
    const size_t count = fovea_network_parameter(network, i)->count;
    float *values = malloc(count * sizeof *values);
    if (!values) return FOVEA_NO_MEMORY;
    status = fovea_network_get(network, i, FOVEA_VALUE, values);
    const unsigned char *bytes = (const unsigned char *)values;
    for (size_t b = 0; b < count * sizeof *values && !status; b++) *hash = (*hash ^ bytes[b]) * 1099511628211U;
    free(values);
  }
  return status;
}

typedef struct outcome {
  fovea_status status;
  uint64_t hash;
  double first, last; /* losses */
} outcome;

static fovea_status train(fovea_network *network, const uint8_t *pixels, outcome *result) {
  fovea_losses losses;
  fovea_status status = FOVEA_OK;
  for (int step = 0; step < STEPS && !status; step++) {
    const size_t first = (size_t)(step % (IMAGES / BATCH)) * BATCH;
    /* The whole batch: the library takes this rank's part of it. */
    status = fovea_network_train_step(network, pixels + first * SIDE * SIDE, NULL, BATCH, 0.02F);
    if (!status && (step == 0 || step == STEPS - 1)) status = fovea_network_losses(network, &losses);
    if (step == 0 && !status) result->first = losses.bce;
  }
  if (!status) result->last = losses.bce;
  return status ? status : hash_parameters(network, &result->hash);
}

/* OpenCL begins here, in the rank's own process: after a fork its threads would be missing. */
static fovea_status run(peers *own, const char *name, outcome *result) {
  uint8_t pixels[IMAGES * SIDE * SIDE];
  fovea_device *device = NULL;
  fovea_graph *graph = NULL;
  fovea_network *network = NULL;
  const fovea_ranks ranks = {
      .rank = own->rank, .count = own->count, .user = own, .begin = begin, .end = end, .sync_batchnorm = true};
  const fovea_network_options options = {.batch = BATCH, .seed = 1, .training = true, .ranks = &ranks};
  draw(pixels);
  fovea_status status = fovea_device_open(name, &device);
  if (!status) status = fovea_graph_create(&graph);
  if (!status) {
    add_layers(graph);
    status = fovea_network_create(device, graph, &options, &network);
  }
  if (!status) status = train(network, pixels, result);
  if (status && !own->lost) fprintf(stderr, "ranks: rank %d of %d: %s\n", own->rank, own->count, fovea_error_message());
  fovea_network_destroy(network);
  fovea_graph_destroy(graph);
  fovea_device_close(device);
  return status;
}

/* --- all ranks --------------------------------------------------------------------------------------------------- */

/* A child: keeps its own ends of the sockets, so that the others see when it is gone. */
static _Noreturn void be_rank(int sockets[MOST][MOST], int rank, int count, const char *name, int to) {
  outcome result = {0};
  peers own = {.rank = rank, .count = count};
  for (int r = 0; r < count; r++) {
    own.sockets[r] = sockets[rank][r];
    for (int other = 0; other < count && r != rank; other++)
      if (other != r) close(sockets[r][other]);
  }
  result.status = run(&own, name, &result);
  _exit(write(to, &result, sizeof result) == sizeof result ? 0 : 1);
}

/* results[count]: FOVEA_DEVICE of a rank that did not live to tell. */
static bool start(int count, const char *name, outcome *results) {
  int sockets[MOST][MOST], pipes[MOST][2], pair[2];
  pid_t ranks[MOST];
  for (int a = 0; a < count; a++) {
    for (int b = 0; b < a; b++) {
      if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) return false;
      sockets[a][b] = pair[0];
      sockets[b][a] = pair[1];
    }
  }
  for (int r = 0; r < count; r++) {
    if (pipe(pipes[r]) != 0 || (ranks[r] = fork()) < 0) return false;
    if (ranks[r] == 0) be_rank(sockets, r, count, name, pipes[r][1]);
    close(pipes[r][1]);
  }
  for (int a = 0; a < count; a++)
    for (int b = 0; b < count; b++)
      if (a != b) close(sockets[a][b]);
  for (int r = 0; r < count; r++) {
    results[r].status = FOVEA_DEVICE;
    if (read(pipes[r][0], &results[r], sizeof results[r]) < 0) results[r].status = FOVEA_IO;
    close(pipes[r][0]);
    while (waitpid(ranks[r], NULL, 0) < 0 && errno == EINTR) continue;
  }
  return true;
}

int main(int argc, char **argv) {
  outcome results[MOST], alone = {0};
  printf("ranks   first loss   last loss   parameters\n");
  for (int count = 1; count <= MOST; count++) {
    if (!start(count, argc > 1 ? argv[1] : NULL, results)) {
      perror("ranks");
      return FOVEA_IO;
    }
    for (int r = 0; r < count; r++)
      if (results[r].status) return (int)results[r].status;
    if (count == 1) alone = results[0];
    printf("%5d   %10.4f   %9.4f   %016" PRIx64 "\n", count, results[0].first, results[0].last, results[0].hash);
    fflush(stdout);
    for (int r = 0; r < count; r++) {
      if (results[r].hash == alone.hash && results[r].last == alone.last) continue;
      fprintf(stderr, "ranks: rank %d of %d has another network: %016" PRIx64 "\n", r, count, results[r].hash);
      return 1;
    }
  }
  if (!(alone.last < alone.first)) {
    fprintf(stderr, "ranks: the loss did not fall: %g, then %g\n", alone.first, alone.last);
    return 1;
  }
  return 0;
}
