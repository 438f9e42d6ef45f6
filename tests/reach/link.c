/* A link between two hosts that are namespaces of networks, for kernels that cannot delay one (netem): each packet that
 * enters it at one end leaves it at the other so long after a line of so many bytes a second has carried it.
 *
 *     link make A B NANOSECONDS BYTES     fv0 in A and fv1 in B, files of namespaces; says "up" and stays; 0: no limit
 *     link speed B ADDRESS                microseconds one way and MB/s each way, by TCP, from here to B
 *
 * Exits 2 for bad usage, 1 for what the system refuses. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A packet is up to 64 KiB, since the kernel leaves it to the link to cut it into frames; 64 MiB are under way. */
enum { PACKET = 65536 + 64, PACKETS = 1024, PORT = 7077, TURNS = 300 };
static const double turns_seconds = 1, stream_seconds = 0.5;
static const uint64_t spin = 60000; /* ns before a packet is due, since a timer is that late */

typedef struct packet {
  uint64_t due;
  size_t size;
  unsigned char bytes[PACKET];
} packet;

typedef struct direction {
  int from, to;
  uint64_t delay, rate, busy_until;
  packet *ring;
  size_t first, count;
} direction;

static _Noreturn void end(const char *what) {
  fprintf(stderr, "link: %s: %s\n", what, strerror(errno));
  exit(1);
}

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

/* Before the processes that compute, where that is permitted: else it is late, whatever the link. */
static void hurry(void) { (void)sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = 10}); }

static void enter(const char *space) {
  const int fd = open(space, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || setns(fd, CLONE_NEWNET) != 0) end(space);
  close(fd);
}

/* --- link make --------------------------------------------------------------------------------------------------- */

static int open_end(const char *space, const char *name) {
  struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR};
  enter(space);
  const int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
  if (fd < 0 || ioctl(fd, TUNSETIFF, &request) != 0) end("/dev/net/tun");
  if (ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4) != 0) end("TUNSETOFFLOAD");
  return fd;
}

/* What an end that is down does not take is lost, as on any link. */
static void send_due(direction *d) {
  for (; d->count > 0 && d->ring[d->first].due <= now(); d->count--) {
    const packet *p = &d->ring[d->first];
    while (write(d->to, p->bytes, p->size) < 0 && errno == EINTR) continue;
    d->first = (d->first + 1) % PACKETS;
  }
}

static void take(direction *d) {
  packet *p = &d->ring[(d->first + d->count) % PACKETS];
  const ssize_t size = read(d->from, p->bytes, PACKET);
  if (size <= 0) return;
  const uint64_t time = now(), begins = d->busy_until > time ? d->busy_until : time;
  d->busy_until = begins + (d->rate > 0 ? (uint64_t)size * 1000000000U / d->rate : 0);
  p->due = d->busy_until + d->delay;
  p->size = (size_t)size;
  d->count++;
}

static void *carry(void *user) {
  direction *d = user;
  prctl(PR_SET_TIMERSLACK, 1);
  for (;;) {
    send_due(d);
    const uint64_t time = now(), due = d->count > 0 ? d->ring[d->first].due : 0,
                   left = due > time + spin ? due - time - spin : 0;
    const struct timespec wait = {(time_t)(left / 1000000000U), (long)(left % 1000000000U)};
    struct pollfd in = {.fd = d->count < PACKETS ? d->from : -1, .events = POLLIN};
    if (ppoll(&in, 1, d->count > 0 ? &wait : NULL, NULL) > 0) take(d);
  }
  return NULL;
}

static int make(char **arguments) {
  char *after[2];
  const uint64_t delay = strtoull(arguments[2], &after[0], 10), rate = strtoull(arguments[3], &after[1], 10);
  if (*after[0] != '\0' || *after[1] != '\0') return 2;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int a = open_end(arguments[0], "fv0"), b = open_end(arguments[1], "fv1");
  direction there = {.from = a, .to = b, .delay = delay, .rate = rate}, back = there;
  back.from = b, back.to = a;
  there.ring = calloc(PACKETS, sizeof *there.ring);
  back.ring = calloc(PACKETS, sizeof *back.ring);
  if (there.ring == NULL || back.ring == NULL) end("memory");
  hurry();
  pthread_t thread;
  if ((errno = pthread_create(&thread, NULL, carry, &there)) != 0) end("a thread");
  printf("up\n");
  fflush(stdout);
  (void)carry(&back);
  return 0;
}

/* --- link speed -------------------------------------------------------------------------------------------------- */

static unsigned char block[1 << 16];

static void whole(int fd, size_t size, ssize_t (*call)(int fd, size_t size)) {
  while (size > 0) {
    const ssize_t done = call(fd, size < sizeof block ? size : sizeof block);
    if (done <= 0) end("a connection");
    size -= (size_t)done;
  }
}

static ssize_t give(int fd, size_t size) { return send(fd, block, size, MSG_NOSIGNAL); }
static ssize_t get(int fd, size_t size) { return recv(fd, block, size, 0); }

/* A small message leaves at once. */
static int prompt(int fd) {
  const int on = 1;
  if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) end("a socket");
  return fd;
}

/* Gives back each byte until one is not 0, then takes what comes and answers when the other has shut down. */
static void answer(int listening) {
  const int fd = prompt(accept(listening, NULL, NULL));
  do whole(fd, 1, get), whole(fd, 1, give);
  while (block[0] == 0);
  while (get(fd, sizeof block) > 0) continue;
  whole(fd, 1, give);
  exit(0);
}

static int compare(const void *a, const void *b) {
  const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

static double since(uint64_t time) { return (double)(now() - time) / 1e9; }

/* The median of many turns, or of those of a second, in seconds one way. */
static double measure_latency(int fd) {
  static uint64_t turns[TURNS];
  const uint64_t all_begun = now();
  size_t count = 0;
  for (block[0] = 0; block[0] == 0; count++) {
    const uint64_t begun = now();
    block[0] = count + 1 == TURNS || (count > 0 && since(all_begun) > turns_seconds);
    whole(fd, 1, give), whole(fd, 1, get);
    turns[count] = now() - begun;
  }
  qsort(turns, count, sizeof *turns, compare);
  const size_t middle = count / 2;
  return (double)turns[middle] / 2e9;
}

static void ask(int fd) {
  double bytes = 0;
  const double latency = measure_latency(fd);
  const uint64_t begun = now();
  for (; since(begun) < stream_seconds; bytes += sizeof block) whole(fd, sizeof block, give);
  shutdown(fd, SHUT_WR);
  whole(fd, 1, get);
  printf("%.1f us one way, %.0f MB/s\n", latency * 1e6, bytes / (since(begun) - 2 * latency) / 1e6);
}

static int speed(char **arguments) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(PORT)};
  if (inet_pton(AF_INET, arguments[1], &address.sin_addr) != 1) return 2;
  const int fd = prompt(socket(AF_INET, SOCK_STREAM, 0));
  int ready[2], status = 0;
  if (pipe(ready) != 0) end("a pipe");
  hurry();
  const pid_t other = fork();
  if (other == 0) {
    enter(arguments[0]);
    const int listening = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listening, (struct sockaddr *)&address, sizeof address) != 0 || listen(listening, 1) != 0) end("bind");
    if (write(ready[1], "", 1) != 1) end("a pipe");
    answer(listening);
  }
  close(ready[1]);
  if (other < 0 || read(ready[0], block, 1) != 1) end("the other host");
  if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) end(arguments[1]);
  ask(fd);
  return waitpid(other, &status, 0) == other && status == 0 ? 0 : 1;
}

int main(int argc, char **argv) {
  int status = 2;
  if (argc == 6 && strcmp(argv[1], "make") == 0) status = make(argv + 2);
  if (argc == 4 && strcmp(argv[1], "speed") == 0) status = speed(argv + 2);
  if (status == 2) fprintf(stderr, "usage: link make A B NANOSECONDS BYTES | link speed B ADDRESS\n");
  return status;
}
