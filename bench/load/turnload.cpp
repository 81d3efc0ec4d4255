// A load generator for TURN servers: one thread, epoll, ChannelData there and back.
//
//   client ─ ChannelData ─→ server ─→ peer ─ the same bytes ─→ server ─ ChannelData ─→ client
//
// It knows nothing of credentials: until "go" comes on stdin it is the sockets of whoever starts it.
//
//   stdin    send I HEX      from client I to the server
//   stdout   {"peers":[…]}   the ports of the peers, first of all; then
//            got I HEX       what the server said to client I
//
// After "go" every client keeps `window` packets under way on its first channel. Arguments are key=value, see
// `struct Options`. On stdout: "measuring" when the window of time begins, then one line of JSON with what was measured.
#include <algorithm>
#include <arpa/inet.h>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <netinet/in.h>
#include <string>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <vector>

[[noreturn]] static void die(const char *format, ...) {
  va_list values;
  va_start(values, format);
  fputs("turnload: ", stderr);
  vfprintf(stderr, format, values);
  fputc('\n', stderr);
  exit(1);
}

static std::map<std::string, std::string> arguments;
static long number(const char *key, long otherwise) {
  auto found = arguments.find(key);
  return found == arguments.end() ? otherwise : atol(found->second.c_str());
}

struct Options {
  int port = number("port", 0);
  // Process whose CPU time is reported.
  int pid = number("pid", 0);
  int clients = number("clients", 16);
  int size = number("size", 1200);
  int window = number("window", 32);
  double warmMs = number("warm", 500);
  double ms = number("ms", 2000);
};
static Options *opt;

static uint64_t nanos(clockid_t clock = CLOCK_MONOTONIC) {
  timespec t;
  if (clock_gettime(clock, &t)) return 0;
  return uint64_t(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}
static double serverCpuSeconds() {
  clockid_t clock;
  return opt->pid && !clock_getcpuclockid(opt->pid, &clock) ? nanos(clock) / 1e9 : 0;
}
// What all processors of the machine have worked, s.
static double machineCpuSeconds() {
  unsigned long user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, softirq = 0;
  FILE *file = fopen("/proc/stat", "r");
  if (!file) return 0;
  if (fscanf(file, "cpu %lu %lu %lu %lu %lu %lu %lu", &user, &nice, &system, &idle, &wait, &irq, &softirq) != 7) user = 0;
  fclose(file);
  return double(user + nice + system + irq + softirq) / sysconf(_SC_CLK_TCK);
}

// ── sockets ──────────────────────────────────────────────────────────────────────────────────────

// The server's own address is no peer, so peers have another one of this machine.
static const char *CLIENT_ADDRESS = "127.0.0.1", *PEER_ADDRESS = "127.0.0.2";
static const int FIRST_CHANNEL = 0x4000, CHANNEL_HEADER = 4, BATCH = 64, MTU = 2048;
// A window from which nothing has come back for so long is lost, ns.
static const uint64_t GIVE_UP = 200'000'000;

static sockaddr_in at(const char *address, int port) {
  sockaddr_in it{};
  it.sin_family = AF_INET;
  it.sin_port = htons(port);
  inet_pton(AF_INET, address, &it.sin_addr);
  return it;
}

static int openSocket(const char *address) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  sockaddr_in here = at(address, 0);
  int bytes = 4 << 20;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
  if (fd < 0 || bind(fd, (sockaddr *)&here, sizeof here)) die("no socket on %s", address);
  return fd;
}

struct Client {
  int fd = openSocket(CLIENT_ADDRESS), peer = openSocket(PEER_ADDRESS);
  long underWay = 0;
  uint64_t heard = 0;
};
static std::vector<Client> clients;
static int poller;
static bool flowing = false;
static uint64_t received = 0, lost = 0;

static uint8_t buffers[BATCH][MTU];
static iovec parts[BATCH];
static mmsghdr batch[BATCH];
static sockaddr_in names[BATCH];
static std::vector<uint8_t> packet;

// Receives a batch; every message has its buffer and its sender.
static int receive(int fd) {
  for (int i = 0; i < BATCH; i++) {
    parts[i] = {buffers[i], MTU};
    batch[i].msg_hdr = {&names[i], sizeof names[i], &parts[i], 1, nullptr, 0, 0};
  }
  return std::max(0, recvmmsg(fd, batch, BATCH, 0, nullptr));
}

static void fill(Client &c) {
  while (c.underWay < opt->window) {
    int count = std::min<long>(BATCH, opt->window - c.underWay);
    for (int i = 0; i < count; i++) {
      parts[i] = {packet.data(), packet.size()};
      batch[i].msg_hdr = {nullptr, 0, &parts[i], 1, nullptr, 0, 0};
    }
    int sent = sendmmsg(c.fd, batch, count, 0);
    if (sent <= 0) return;
    c.underWay += sent;
  }
}

// What the server relayed to a peer goes back to where it came from.
static void echo(Client &c) {
  for (int count; (count = receive(c.peer)) > 0;) {
    received += count;
    for (int i = 0; i < count; i++) parts[i].iov_len = batch[i].msg_len;
    sendmmsg(c.peer, batch, count, 0);
    if (count < BATCH) return;
  }
}

static void hear(Client &c) {
  for (int count; (count = receive(c.fd)) > 0;) {
    for (int i = 0; i < count; i++) {
      bool isMessage = buffers[i][0] < 0x40;
      if (isMessage && !flowing) {
        printf("got %ld ", &c - clients.data());
        for (unsigned n = 0; n < batch[i].msg_len; n++) printf("%02x", buffers[i][n]);
        putchar('\n');
      } else if (!isMessage && flowing) {
        received++;
        c.underWay--;
        c.heard = nanos();
      }
    }
    if (count < BATCH) break;
  }
  fflush(stdout);
  if (flowing) fill(c);
}

static void giveUp(uint64_t now) {
  for (Client &c : clients)
    if (now - c.heard > GIVE_UP) {
      lost += c.underWay;
      c.underWay = 0;
      c.heard = now;
      fill(c);
    }
}

static void dispatch(int timeoutMs) {
  epoll_event events[256];
  int count = epoll_wait(poller, events, 256, timeoutMs);
  for (int i = 0; i < count; i++) {
    Client &c = clients[events[i].data.u32 >> 1];
    if (events[i].data.u32 & 1) echo(c);
    else hear(c);
  }
}

static void watch(int fd, uint32_t what) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u32 = what;
  if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event)) die("epoll");
}

// ── what whoever starts it says ──────────────────────────────────────────────────────────────────

static void sendHex(int client, const char *hex) {
  std::vector<uint8_t> bytes(strlen(hex) / 2);
  for (size_t i = 0; i < bytes.size(); i++) {
    unsigned byte;
    if (sscanf(hex + 2 * i, "%2x", &byte) != 1) die("wanted hex");
    bytes[i] = byte;
  }
  if (send(clients.at(client).fd, bytes.data(), bytes.size(), 0) < 0) die("send");
}

static bool obey(const std::string &line) {
  if (line == "go") return true;
  int client, from = 0;
  if (sscanf(line.c_str(), "send %d %n", &client, &from) != 1 || from == 0) die("wanted send or go: %s", line.c_str());
  sendHex(client, line.c_str() + from);
  return false;
}

static void obeyUntilGo() {
  std::string waiting;
  for (;;) {
    dispatch(1);
    fd_set set;
    FD_ZERO(&set);
    FD_SET(STDIN_FILENO, &set);
    timeval now{};
    if (select(1, &set, nullptr, nullptr, &now) <= 0) continue;
    char text[65536];
    ssize_t count = read(STDIN_FILENO, text, sizeof text);
    if (count <= 0) exit(0);
    waiting.append(text, count);
    for (size_t end; (end = waiting.find('\n')) != std::string::npos; waiting.erase(0, end + 1))
      if (obey(waiting.substr(0, end))) return;
  }
}

// ── measuring ────────────────────────────────────────────────────────────────────────────────────

struct Reading {
  uint64_t at = nanos(), received = ::received, lost = ::lost;
  double server = serverCpuSeconds(), own = nanos(CLOCK_PROCESS_CPUTIME_ID) / 1e9, machine = machineCpuSeconds();
};

static void report(const Reading &from) {
  Reading to;
  double seconds = (to.at - from.at) / 1e9, server = to.server - from.server, own = to.own - from.own;
  uint64_t count = to.received - from.received;
  printf("{\"count\":%lu,\"seconds\":%.4f,\"perSecond\":%.1f,\"lost\":%lu,"
         "\"serverBusy\":%.4f,\"clientBusy\":%.4f,\"foreignBusy\":%.4f,\"serverMicros\":%.4f}\n",
         count, seconds, count / seconds, to.lost - from.lost, server / seconds, own / seconds,
         std::max(0.0, to.machine - from.machine - server - own) / seconds, count ? server / count * 1e6 : 0);
}

int main(int count, char **values) {
  for (int i = 1; i < count; i++) {
    const char *equals = strchr(values[i], '=');
    if (!equals) die("%s: wanted key=value", values[i]);
    arguments[std::string(values[i], equals - values[i])] = equals + 1;
  }
  Options options;
  opt = &options;
  if (!opt->port) die("wanted port=N");
  if (opt->size < 1 || opt->size > MTU - CHANNEL_HEADER) die("wanted a size from 1 to %d", MTU - CHANNEL_HEADER);
  packet.assign(CHANNEL_HEADER + opt->size, 0x2a);
  const uint8_t header[] = {FIRST_CHANNEL >> 8, FIRST_CHANNEL & 0xff, uint8_t(opt->size >> 8), uint8_t(opt->size)};
  std::copy(header, header + CHANNEL_HEADER, packet.begin());

  poller = epoll_create1(0);
  clients.resize(opt->clients);
  sockaddr_in server = at(CLIENT_ADDRESS, opt->port);
  std::string ports;
  for (size_t i = 0; i < clients.size(); i++) {
    if (connect(clients[i].fd, (sockaddr *)&server, sizeof server)) die("connect");
    watch(clients[i].fd, i << 1);
    watch(clients[i].peer, i << 1 | 1);
    sockaddr_in own;
    socklen_t length = sizeof own;
    getsockname(clients[i].peer, (sockaddr *)&own, &length);
    ports += (i ? "," : "") + std::to_string(ntohs(own.sin_port));
  }
  printf("{\"peers\":[%s]}\n", ports.c_str());
  fflush(stdout);
  obeyUntilGo();

  flowing = true;
  uint64_t begin = nanos(), measureAt = begin + uint64_t(opt->warmMs * 1e6), endAt = measureAt + uint64_t(opt->ms * 1e6);
  for (Client &c : clients) {
    c.heard = begin;
    fill(c);
  }
  bool measuring = false;
  uint64_t lookAt = begin;
  Reading from;
  for (uint64_t now; (now = nanos()) < endAt;) {
    dispatch(10);
    if (now >= lookAt) {
      giveUp(now);
      lookAt = now + GIVE_UP / 4;
    }
    if (measuring || now < measureAt) continue;
    measuring = true;
    puts("\"measuring\"");
    fflush(stdout);
    from = Reading{};
  }
  report(from);
  fflush(stdout);
  // Whoever started this may still have something to say; nobody sends it any more.
  for (char bytes[4096]; read(STDIN_FILENO, bytes, sizeof bytes) > 0;);
}
