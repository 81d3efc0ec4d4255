// A load generator for WebSocket servers that speak boson.v1: one thread, epoll, prebuilt masked frames.
//
//   mode=reply   every connection keeps `window` messages under way; each reply frees one
//   mode=relay   connections come in pairs: the even one sends `relay.data`, the odd one receives it
//   mode=cycle   connect, be registered, leave: `cycles` times in `conns` places at once
//   mode=storm   all connect at leisure, within `gather` ms; then all sockets break, with untilTold=1 when stdin ends,
//                and they connect again within `within` ms. Who is refused comes back when it was told to
//   mode=lost    the first `dying` of them are cut off; how long until all after `skip` hear of another route
//
// With rate=N (messages a second over all connections) reply and relay are open loops instead of closed ones; with
// windows=N they are measured so often, each time after `warm` ms.
// Arguments are key=value, see `struct Options`. On stdout: "measuring" when the window begins, then one line of
// JSON with what was measured, for each window.
#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <queue>
#include <random>
#include <string>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <vector>

using Bytes = std::vector<uint8_t>;

[[noreturn]] static void die(const char *format, ...) {
  va_list values;
  va_start(values, format);
  fputs("wsload: ", stderr);
  vfprintf(stderr, format, values);
  fputc('\n', stderr);
  exit(1);
}

// ── options ──────────────────────────────────────────────────────────────────────────────────────

static std::map<std::string, std::string> arguments;
static std::string text(const char *key, const char *otherwise) {
  auto found = arguments.find(key);
  return found == arguments.end() ? otherwise : found->second;
}
static long number(const char *key, long otherwise) {
  auto found = arguments.find(key);
  return found == arguments.end() ? otherwise : atol(found->second.c_str());
}

struct Options {
  std::string mode = text("mode", "reply");
  int port = number("port", 0);
  std::string path = text("path", "/");
  std::string protocol = text("protocol", "");
  // Process whose CPU and memory are reported.
  int pid = number("pid", 0);
  int conns = number("conns", 100);
  // Connections come from 127.20.0.1 and so many addresses in all.
  int sources = number("sources", 1);
  // Connections being opened at the same time.
  int opening = number("opening", 128);
  // `resume`: attach a session with the ticket of its index. `none`: the server expects no greeting. `echo`: it
  // sends the same bytes back.
  bool resumes = text("hello", "none") == "resume";
  bool echoes = text("hello", "none") == "echo";
  // Index of the first ticket, and how many identities `cycle` goes round.
  long first = number("first", 0);
  long identities = number("identities", 1024);
  // Cycles that count, and those before them that do not.
  long cycles = number("cycles", 1000);
  long warmCycles = number("warmCycles", 0);
  int window = number("window", 1);
  int burst = number("burst", 1);
  // Values in one WebSocket message.
  int bundle = number("bundle", 1);
  // relay: bytes of a packet.
  int size = number("size", 1300);
  // reply: the message, and where in it a big-endian uint32 counts up from 0x10000 (-1: nowhere).
  std::string value = text("value", "");
  int seqAt = number("seqAt", -1);
  double rate = number("rate", 0);
  // relay: the last `apart` pairs count in no figure; with stalled=1 their receivers never read.
  int apart = number("apart", 0);
  bool stalled = number("stalled", 0);
  double apartRate = number("apartRate", 0);
  // storm: within this time all of them come, ms; the first time, and when their sockets have broken.
  double gatherMs = number("gather", 6000);
  double withinMs = number("within", 500);
  // lost: connections that are cut off, and the first that is waited for.
  int dying = number("dying", 0);
  int skip = number("skip", 0);
  // storm: the sockets break when stdin ends.
  bool untilTold = number("untilTold", 0);
  // Keep the connections after the report until stdin ends.
  bool holds = number("hold", 0);
  double warmMs = number("warm", 500);
  double ms = number("ms", 2000);
  int windows = number("windows", 1);
};
static Options *opt;

// ── clocks and counters ──────────────────────────────────────────────────────────────────────────

static uint64_t nanos(clockid_t clock = CLOCK_MONOTONIC) {
  timespec t;
  if (clock_gettime(clock, &t)) return 0;
  return uint64_t(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}
static double serverCpuSeconds() {
  clockid_t clock;
  return opt->pid && !clock_getcpuclockid(opt->pid, &clock) ? nanos(clock) / 1e9 : 0;
}
static double ownCpuSeconds() { return nanos(CLOCK_PROCESS_CPUTIME_ID) / 1e9; }
// What all processors of the machine have worked, s.
static double machineCpuSeconds() {
  unsigned long user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, softirq = 0;
  FILE *file = fopen("/proc/stat", "r");
  if (!file) return 0;
  if (fscanf(file, "cpu %lu %lu %lu %lu %lu %lu %lu", &user, &nice, &system, &idle, &wait, &irq, &softirq) != 7) user = 0;
  fclose(file);
  return double(user + nice + system + irq + softirq) / sysconf(_SC_CLK_TCK);
}
static long serverRssBytes() {
  char path[64];
  long pages = 0, resident = 0;
  snprintf(path, sizeof path, "/proc/%d/statm", opt->pid);
  FILE *file = fopen(path, "r");
  if (!file) return 0;
  if (fscanf(file, "%ld %ld", &pages, &resident) != 2) resident = 0;
  fclose(file);
  return resident * sysconf(_SC_PAGESIZE);
}

// Latencies in buckets a sixty-fourth of their value wide.
struct Histogram {
  std::array<uint64_t, 64 * 64> counts{};
  uint64_t total = 0;
  static size_t bucket(uint64_t ns) {
    if (ns < 64) return ns;
    int power = 63 - __builtin_clzll(ns);
    return size_t(power - 5) * 64 + ((ns >> (power - 6)) & 63);
  }
  static double floorOf(size_t bucket) {
    return bucket < 64 ? bucket : double((uint64_t(64) + bucket % 64) << (bucket / 64 - 1));
  }
  void add(uint64_t ns) {
    counts[bucket(ns)]++;
    total++;
  }
  // Returns below what this share of them is; 1: the longest.
  double micros(double share) const {
    uint64_t seen = 0, wanted = std::min(uint64_t(total * share) + 1, total);
    for (size_t i = 0; i < counts.size(); i++)
      if ((seen += counts[i]) >= wanted && seen > 0) return floorOf(i) / 1e3;
    return 0;
  }
};

// ── connections ──────────────────────────────────────────────────────────────────────────────────

enum class Phase { closed, connecting, upgrading, greeting, ready };

struct Conn {
  int fd = -1;
  Phase phase = Phase::closed;
  long identity = 0;
  uint32_t link = 0;
  // Payload bytes of the current WebSocket message that are still to come.
  uint64_t inMessage = 0;
  // The beginning of a frame header or value whose end has not arrived.
  Bytes carry;
  Bytes unsent;
  size_t unsentFrom = 0;
  bool wantsWrite = false;
  bool apart = false;
  bool deaf = false;
  // Messages or packets sent; how many of them are answered (reply) or passed on (relay, by sequence number).
  uint64_t sent = 0, settled = 0, settledBefore = 0;
  // reply: when each message that is under way was sent.
  std::vector<uint64_t> sentAt;
};

static int poller;
static std::vector<Conn> conns;
static int readyCount = 0;
static bool flowing = false;
static uint64_t received = 0, frames = 0, lost = 0, skipped = 0;
static Histogram latency;
static std::vector<std::array<uint8_t, 32>> tickets;
static constexpr size_t READ_MAX = 1 << 20;
static uint8_t inbox[READ_MAX + (1 << 17)];

static int indexOf(const Conn &c) { return &c - conns.data(); }
static Conn &peerOf(const Conn &c) { return conns[indexOf(c) ^ 1]; }
static bool isRelay() { return opt->mode == "relay"; }
static bool isCycle() { return opt->mode == "cycle"; }
static bool isStorm() { return opt->mode == "storm"; }
static bool isLost() { return opt->mode == "lost"; }

// storm: what has become of each connection's wish to be back.
struct Return {
  uint64_t firstAt = 0;
  int refusals = 0;
  uint64_t askedMs = 0; // how long the server asked it to stay away; 0: it did not say
};
static std::vector<Return> returns;
using Appointment = std::pair<uint64_t, int>; // when, and which connection
static std::priority_queue<Appointment, std::vector<Appointment>, std::greater<Appointment>> appointments;
static std::mt19937 chance(20261121);
static double drawn() { return std::uniform_real_distribution<double>(0, 1)(chance); }
static uint64_t turnedAway = 0, broken = 0;
static void comeAgain(Conn &c);
static void heardOfAnother(Conn &c);

static void watch(Conn &c, bool writable, int operation = EPOLL_CTL_MOD) {
  if (operation == EPOLL_CTL_MOD && c.wantsWrite == writable) return;
  c.wantsWrite = writable;
  epoll_event event{};
  event.events = (c.phase == Phase::connecting || c.deaf ? 0u : EPOLLIN) | (writable ? EPOLLOUT : 0u);
  event.data.u32 = indexOf(c);
  epoll_ctl(poller, operation, c.fd, &event);
}

// Sends now what the socket takes and keeps the rest.
static void send(Conn &c, const uint8_t *bytes, size_t size) {
  if (c.unsentFrom == c.unsent.size()) {
    ssize_t taken = ::send(c.fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (taken < 0 && errno != EAGAIN) {
      if (c.apart || isStorm()) return;
      die("connection %d: send: %s", indexOf(c), strerror(errno));
    }
    size_t done = taken < 0 ? 0 : size_t(taken);
    if (done == size) return;
    bytes += done;
    size -= done;
    c.unsent.clear();
    c.unsentFrom = 0;
  }
  c.unsent.insert(c.unsent.end(), bytes, bytes + size);
  watch(c, true);
}
static bool isBlocked(const Conn &c) { return c.unsentFrom < c.unsent.size(); }
static void sendRest(Conn &c) {
  Bytes rest(c.unsent.begin() + c.unsentFrom, c.unsent.end());
  c.unsent.clear();
  c.unsentFrom = 0;
  send(c, rest.data(), rest.size());
  if (!isBlocked(c)) watch(c, false);
}

// ── frames ───────────────────────────────────────────────────────────────────────────────────────

static constexpr uint8_t MASK[4] = {0x3d, 0x91, 0x5e, 0xa7};

// Appends a masked frame; returns where its payload begins.
static size_t appendFrame(Bytes &out, const Bytes &payload, uint8_t opcode = 2) {
  size_t size = payload.size();
  out.push_back(0x80 | opcode);
  if (size < 126) out.push_back(0x80 | size);
  else if (size < 65536) {
    out.push_back(0x80 | 126);
    out.push_back(size >> 8);
    out.push_back(size & 255);
  } else {
    out.push_back(0x80 | 127);
    for (int shift = 56; shift >= 0; shift -= 8) out.push_back((uint64_t(size) >> shift) & 255);
  }
  out.insert(out.end(), MASK, MASK + 4);
  size_t begins = out.size();
  for (size_t i = 0; i < size; i++) out.push_back(payload[i] ^ MASK[i & 3]);
  return begins;
}
static void sendValue(Conn &c, const Bytes &value, uint8_t opcode = 2) {
  Bytes frame;
  appendFrame(frame, value, opcode);
  send(c, frame.data(), frame.size());
}

// One burst, prebuilt; what differs between packets is patched in before each send.
struct Burst {
  Bytes bytes;
  size_t valueSize = 0;
  std::vector<size_t> payloads; // where the payload of each frame begins

  void patch(int value, size_t offset, uint32_t word) {
    size_t within = size_t(value % opt->bundle) * valueSize + offset;
    uint8_t *at = bytes.data() + payloads[value / opt->bundle] + within;
    for (int i = 0; i < 4; i++) at[i] = uint8_t(word >> (24 - 8 * i)) ^ MASK[(within + i) & 3];
  }
};
static Burst burst;

// Where the packet's own fields are, counted from the beginning of its payload: a WireGuard data message
// has its counter at 8, and from 16 on everything is opaque to whoever forwards it.
static constexpr int SEQ_IN_PACKET = 8, TIME_IN_PACKET = 16;
static size_t packetAt(size_t size) { return size < 256 ? 9 : 10; }

static Bytes relayValue(int size) {
  Bytes value = {0x93, 0x40, 0xce, 0, 0, 0, 0};
  if (size < 256) value.insert(value.end(), {0xc4, uint8_t(size)});
  else value.insert(value.end(), {0xc5, uint8_t(size >> 8), uint8_t(size)});
  size_t begins = value.size();
  value.resize(begins + size, 0x5a);
  const uint8_t header[16] = {4, 0, 0, 0, 1, 2, 3, 4};
  memcpy(&value[begins], header, 16);
  return value;
}
static Bytes fromHex(const std::string &hex) {
  Bytes bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) bytes.push_back(strtol(hex.substr(i, 2).c_str(), nullptr, 16));
  return bytes;
}
static void buildBurst() {
  Bytes value = isRelay() ? relayValue(opt->size) : fromHex(opt->value);
  if (value.empty()) die("reply wants value=<hex of one msgpack value>");
  Bytes message;
  for (int i = 0; i < opt->bundle; i++) message.insert(message.end(), value.begin(), value.end());
  burst.valueSize = value.size();
  for (int i = 0; i < opt->burst / opt->bundle; i++) burst.payloads.push_back(appendFrame(burst.bytes, message));
}

static void sendBurst(Conn &c) {
  uint64_t now = nanos();
  for (int i = 0; i < opt->burst; i++) {
    uint32_t seq = uint32_t(c.sent + i);
    if (isRelay()) {
      size_t packet = packetAt(opt->size);
      burst.patch(i, 3, c.link);
      burst.patch(i, packet + SEQ_IN_PACKET, seq);
      burst.patch(i, packet + TIME_IN_PACKET, now >> 32);
      burst.patch(i, packet + TIME_IN_PACKET + 4, uint32_t(now));
    } else {
      if (opt->seqAt >= 0) burst.patch(i, opt->seqAt, 0x10000 + seq);
      c.sentAt[seq % opt->window] = now;
    }
  }
  c.sent += opt->burst;
  send(c, burst.bytes.data(), burst.bytes.size());
}
static void fillWindow(Conn &c) {
  while (!isBlocked(c) && c.sent + opt->burst <= c.settled + opt->window) sendBurst(c);
}

// ── what arrives ─────────────────────────────────────────────────────────────────────────────────

static uint32_t word(const uint8_t *at) { return uint32_t(at[0]) << 24 | at[1] << 16 | at[2] << 8 | at[3]; }

// Returns the size of the msgpack value at `at`, or 0 when its end has not arrived.
static size_t valueSize(const uint8_t *at, size_t size) {
  size_t p = 0;
  for (size_t open = 1; open > 0; open--) {
    if (p >= size) return 0;
    uint8_t t = at[p++];
    if (t < 0x80 || t >= 0xe0 || t == 0xc0 || t == 0xc2 || t == 0xc3) continue;
    if (t >= 0x90 && t < 0xa0) open += t & 15;
    else if (t >= 0xa0 && t < 0xc0) p += t & 31;
    else if (t == 0xcc || t == 0xd0) p += 1;
    else if (t == 0xcd || t == 0xd1) p += 2;
    else if (t == 0xce || t == 0xd2 || t == 0xca) p += 4;
    else if (t == 0xcf || t == 0xd3 || t == 0xcb) p += 8;
    else if (t == 0xc4 || t == 0xd9) {
      if (p >= size) return 0;
      p += 1 + at[p];
    } else if (t == 0xc5 || t == 0xda) {
      if (p + 1 >= size) return 0;
      p += 2 + (at[p] << 8 | at[p + 1]);
    } else if (t == 0xdc) {
      if (p + 1 >= size) return 0;
      open += at[p] << 8 | at[p + 1];
      p += 2;
    } else die("a value with the byte %02x, which this protocol does not have", t);
  }
  return p <= size ? p : 0;
}

static void becomeReady(Conn &c);

// `resumed` is [5, sessionId, generation, ticket, links]: keeps the ticket for the next resume.
static void keepTicket(Conn &c, const uint8_t *value, size_t size) {
  size_t at = 2;
  at += valueSize(value + at, size - at);
  at += valueSize(value + at, size - at);
  if (at + 34 > size || value[at] != 0xc4 || value[at + 1] != 32) die("`resumed` without a ticket");
  memcpy(tickets[c.identity].data(), value + at + 2, 32);
}

// `refused` is [6, code, reason, retryAfterMs?]: keeps how long to stay away.
static void keepSlot(Conn &c, const uint8_t *value, size_t size) {
  size_t at = 2;
  at += valueSize(value + at, size - at);
  at += valueSize(value + at, size - at);
  if (at >= size) die("connection %d (identity %ld) was refused for good: %.*s", indexOf(c), c.identity, int(size - 2), value + 2);
  uint64_t ms = value[at] < 0x80 ? value[at] : 0;
  int bytes = value[at] == 0xcc ? 1 : value[at] == 0xcd ? 2 : value[at] == 0xce ? 4 : 0;
  for (int i = 1; i <= bytes; i++) ms = ms << 8 | value[at + i];
  returns[indexOf(c)].askedMs = ms;
}

static void packetArrived(Conn &c, const uint8_t *packet) {
  Conn &sender = peerOf(c);
  uint32_t seq = word(packet + SEQ_IN_PACKET);
  if (!c.apart) {
    received++;
    uint64_t sentAt = uint64_t(word(packet + TIME_IN_PACKET)) << 32 | word(packet + TIME_IN_PACKET + 4);
    latency.add(nanos() - sentAt);
  }
  if (seq < uint32_t(sender.settled)) return; // given up before, and late
  if (!c.apart) lost += seq - uint32_t(sender.settled);
  sender.settled = seq + 1;
}
static void replyArrived(Conn &c) {
  if (c.settled == c.sent) return;
  latency.add(nanos() - c.sentAt[c.settled % opt->window]);
  c.settled++;
  received++;
}

static void sendResume(Conn &c) {
  Bytes resume = {0x92, 0x04, 0xc4, 0x20};
  resume.insert(resume.end(), tickets[c.identity].begin(), tickets[c.identity].end());
  sendValue(c, resume);
}

static void valueArrived(Conn &c, const uint8_t *value, size_t size) {
  switch (value[0] == 0xdc ? value[3] : value[1]) {
  case 0x04: // a bare server sends the greeting back
    if (c.phase == Phase::greeting) becomeReady(c);
    return;
  case 0x23: return heardOfAnother(c);
  case 0x40: return packetArrived(c, value + packetAt(opt->size));
  case 0x10: // a bare server sends the heartbeat back
  case 0x11: return replyArrived(c);
  case 0x01: return sendResume(c);
  case 0x05:
    keepTicket(c, value, size);
    if (!isRelay() && c.phase == Phase::greeting) becomeReady(c);
    return;
  case 0x30: {
    c.link = word(value + 3);
    sendValue(c, {0x92, 0x31, 0xce, value[3], value[4], value[5], value[6]});
    if (c.phase == Phase::greeting) becomeReady(c);
    return;
  }
  case 0x06:
    if (isStorm()) return keepSlot(c, value, size);
    [[fallthrough]];
  case 0x0c: die("connection %d (identity %ld) was refused: %.*s", indexOf(c), c.identity, int(size - 2), value + 2);
  default: return; // routes, pressure and whatever else the session is told
  }
}

// Reads one frame header at `at`; returns its size, or 0 when its end has not arrived.
static size_t frameHeader(Conn &c, const uint8_t *at, size_t size) {
  if (size < 2) return 0;
  uint64_t length = at[1] & 127;
  size_t header = length < 126 ? 2 : length == 126 ? 4 : 10;
  if (size < header) return 0;
  if (length == 126) length = at[2] << 8 | at[3];
  else if (length == 127) length = uint64_t(word(at + 2)) << 32 | word(at + 6);
  switch (at[0] & 15) {
  case 2:
    c.inMessage = length;
    frames++;
    return header;
  case 9:
    if (size < header + length) return 0;
    sendValue(c, Bytes(at + header, at + header + length), 10);
    return header + length;
  case 8:
    if (size < header + length) return 0;
    if (isStorm()) {
      comeAgain(c);
      return header + length;
    }
    die("connection %d (identity %ld): the server closed it: %d %.*s", indexOf(c), c.identity,
        length >= 2 ? at[header] << 8 | at[header + 1] : 1005, length > 2 ? int(length - 2) : 0, at + header + 2);
  default: die("a frame with opcode %d", at[0] & 15);
  }
}

// Works through what has arrived; returns how much of it.
static size_t parse(Conn &c, const uint8_t *at, size_t size) {
  size_t done = 0;
  while (done < size && c.fd >= 0) {
    if (c.inMessage == 0) {
      size_t header = frameHeader(c, at + done, size - done);
      if (header == 0) break;
      done += header;
      continue;
    }
    size_t value = valueSize(at + done, std::min<uint64_t>(size - done, c.inMessage));
    if (value == 0) break;
    c.inMessage -= value;
    valueArrived(c, at + done, value);
    done += value;
  }
  return done;
}

static size_t upgradeArrived(Conn &c, uint8_t *at, size_t size) {
  at[size] = 0;
  const char *end = strstr(reinterpret_cast<char *>(at), "\r\n\r\n");
  if (!end) return 0;
  if (isStorm() && !strncmp(reinterpret_cast<char *>(at), "HTTP/1.1 503", 12)) {
    const char *seconds = strcasestr(reinterpret_cast<char *>(at), "retry-after: ");
    // Told in whole seconds, it is blurred by one, as agents do.
    if (seconds) returns[indexOf(c)].askedMs = uint64_t((atoi(seconds + 13) + drawn()) * 1e3);
    turnedAway++;
    comeAgain(c);
    return size;
  }
  if (strncmp(reinterpret_cast<char *>(at), "HTTP/1.1 101", 12)) die("connection %d: %.120s", indexOf(c), at);
  c.phase = Phase::greeting;
  if (opt->echoes) sendResume(c);
  else if (!opt->resumes) becomeReady(c);
  return end + 4 - reinterpret_cast<char *>(at);
}

static void readable(Conn &c) {
  size_t carried = c.carry.size();
  memcpy(inbox, c.carry.data(), carried);
  ssize_t got = recv(c.fd, inbox + carried, READ_MAX, MSG_DONTWAIT);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0 && isStorm()) return comeAgain(c);
  if (got <= 0) die("connection %d (identity %ld) was lost: %s", indexOf(c), c.identity, got ? strerror(errno) : "end of stream");
  size_t size = carried + got, done = 0;
  if (c.phase == Phase::upgrading) {
    done = upgradeArrived(c, inbox, size);
    if (done == 0) return c.carry.assign(inbox, inbox + size);
  }
  if (c.fd >= 0) done += parse(c, inbox + done, size - done);
  if (c.fd >= 0) c.carry.assign(inbox + done, inbox + size);
}

// ── opening ──────────────────────────────────────────────────────────────────────────────────────

static long opened = 0;
static int openingNow = 0;

static void start(Conn &c, long identity) {
  bool apart = c.apart;
  c = Conn{};
  c.apart = apart;
  c.identity = identity;
  c.link = 0x10000 + indexOf(c) / 2;
  c.sentAt.resize(opt->window);
  c.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (c.fd < 0) die("socket: %s (open files are limited to %ld)", strerror(errno), sysconf(_SC_OPEN_MAX));
  int one = 1, small = 4096;
  setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (apart && opt->stalled && indexOf(c) % 2) setsockopt(c.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  setsockopt(c.fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(0x7f140001u + identity % opt->sources);
  if (bind(c.fd, reinterpret_cast<sockaddr *>(&address), sizeof address)) die("bind: %s", strerror(errno));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(opt->port);
  if (connect(c.fd, reinterpret_cast<sockaddr *>(&address), sizeof address) && errno != EINPROGRESS)
    die("connect: %s", strerror(errno));
  c.phase = Phase::connecting;
  watch(c, true, EPOLL_CTL_ADD);
  openingNow++;
}

static void connected(Conn &c) {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(c.fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error && isStorm()) return comeAgain(c);
  if (error) die("connect: %s", strerror(error));
  std::string request = "GET " + opt->path + (opt->resumes ? "" : "?id=" + std::to_string(c.identity)) +
                        " HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
                        (opt->protocol.empty() ? "" : "Sec-WebSocket-Protocol: " + opt->protocol + "\r\n") + "\r\n";
  c.phase = Phase::upgrading;
  watch(c, false);
  send(c, reinterpret_cast<const uint8_t *>(request.data()), request.size());
}

static void hangUp(Conn &c) {
  close(c.fd);
  c.fd = -1;
  c.phase = Phase::closed;
}

static void becomeReady(Conn &c) {
  c.phase = Phase::ready;
  readyCount++;
  openingNow--;
  if (isStorm()) latency.add(nanos() - returns[indexOf(c)].firstAt);
  if (isCycle()) hangUp(c);
}

// storm: the connection is over before it was ready.
static constexpr double DIAL_AGAIN_MS = 500;
static void comeAgain(Conn &c) {
  if (c.phase == Phase::ready) die("connection %d (identity %ld) was lost after it had returned", indexOf(c), c.identity);
  Return &it = returns[indexOf(c)];
  hangUp(c);
  openingNow--;
  if (it.askedMs == 0) broken++;
  else it.refusals++;
  double waitMs = it.askedMs ? double(it.askedMs) : drawn() * DIAL_AGAIN_MS;
  it.askedMs = 0;
  appointments.push({nanos() + uint64_t(waitMs * 1e6), indexOf(c)});
}

// ── the run ──────────────────────────────────────────────────────────────────────────────────────

static void dispatch(int timeoutMs) {
  static std::vector<epoll_event> events(4096);
  int count = epoll_wait(poller, events.data(), events.size(), timeoutMs);
  for (int i = 0; i < count; i++) {
    Conn &c = conns[events[i].data.u32];
    if (c.fd < 0) continue;
    if (c.phase == Phase::connecting) {
      connected(c);
      continue;
    }
    if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
      if (!c.deaf) readable(c);
      if (c.fd >= 0 && c.phase == Phase::ready && flowing && opt->rate == 0) {
        Conn &sender = isRelay() ? conns[indexOf(c) & ~1] : c;
        if (!sender.apart) fillWindow(sender);
      }
    }
    if (c.fd >= 0 && events[i].events & EPOLLOUT) sendRest(c);
  }
}

static void openAll() {
  uint64_t giveUp = nanos() + 60'000'000'000;
  while (readyCount < opt->conns) {
    while (opened < opt->conns && openingNow < opt->opening) {
      start(conns[opened], opt->first + opened);
      opened++;
    }
    dispatch(100);
    if (nanos() > giveUp) die("only %d of %d connections were ready within a minute", readyCount, opt->conns);
  }
}

// What a paced sender owes since the last look.
struct Pace {
  double perSecond;
  uint64_t began = nanos(), done = 0;
  bool due() { return done < uint64_t((nanos() - began) / 1e9 * perSecond) && ++done; }
};

// A burst that is lost as a whole would stop its pair for ever: what does not arrive within a look is given up.
static void giveUpLost() {
  for (Conn &c : conns) {
    if (c.settled < c.sent && c.settled == c.settledBefore && !isBlocked(c)) {
      if (!c.apart) lost += c.sent - c.settled;
      c.settled = c.sent;
      if (!c.apart && opt->rate == 0) fillWindow(c);
    }
    c.settledBefore = c.settled;
  }
}

struct Reading {
  uint64_t at = nanos(), received = ::received, frames = ::frames, lost = ::lost, skipped = ::skipped;
  double server = serverCpuSeconds(), own = ownCpuSeconds(), machine = machineCpuSeconds();
};

static void report(const Reading &from, uint64_t count, double openSeconds, double openServerCpu) {
  Reading to;
  double seconds = (to.at - from.at) / 1e9, server = to.server - from.server, own = to.own - from.own;
  printf("{\"count\":%lu,\"seconds\":%.4f,\"perSecond\":%.1f,\"frames\":%lu,\"lost\":%lu,\"skipped\":%lu,"
         "\"serverBusy\":%.4f,\"clientBusy\":%.4f,\"foreignBusy\":%.4f,\"serverMicros\":%.4f,"
         "\"p50\":%.2f,\"p90\":%.2f,\"p99\":%.2f,\"p999\":%.2f,\"max\":%.2f,\"rssBytes\":%ld,\"openSeconds\":%.3f,\"openServerMicros\":%.3f}\n",
         count, seconds, count / seconds, to.frames - from.frames, to.lost - from.lost, to.skipped - from.skipped,
         server / seconds, own / seconds, std::max(0.0, to.machine - from.machine - server - own) / seconds,
         count ? server / count * 1e6 : 0, latency.micros(.5), latency.micros(.9), latency.micros(.99), latency.micros(.999), latency.micros(1),
         serverRssBytes(), openSeconds, openServerCpu / opt->conns * 1e6);
}

// ── a storm ──────────────────────────────────────────────────────────────────────────────────────

static constexpr uint64_t GIVE_UP_NS = 60'000'000'000;

static void comeWithin(double ms) {
  returns.assign(opt->conns, Return{});
  uint64_t began = nanos();
  for (int i = 0; i < opt->conns; i++) appointments.push({began + uint64_t(drawn() * ms * 1e6), i});
  while (readyCount < opt->conns) {
    uint64_t now = nanos();
    for (; !appointments.empty() && appointments.top().first <= now; appointments.pop()) {
      int i = appointments.top().second;
      if (returns[i].firstAt == 0) returns[i].firstAt = now;
      start(conns[i], opt->first + i);
    }
    dispatch(1);
    if (now > began + GIVE_UP_NS) die("only %d of %d had returned within a minute; %lu turned away, %lu broken", readyCount, opt->conns, turnedAway, broken);
  }
}

static void runStorm() {
  comeWithin(opt->gatherMs);
  puts("\"measuring\"");
  fflush(stdout);
  for (char byte; opt->untilTold && read(STDIN_FILENO, &byte, 1) > 0;);
  for (Conn &c : conns) hangUp(c);
  readyCount = 0;
  turnedAway = broken = 0;
  latency = Histogram{};
  Reading from;
  comeWithin(opt->withinMs);
  int once = 0, more = 0;
  for (const Return &it : returns) (it.refusals == 1 ? once : more) += it.refusals > 0;
  Reading to;
  double seconds = (to.at - from.at) / 1e9, server = to.server - from.server, own = to.own - from.own;
  printf("{\"count\":%d,\"seconds\":%.4f,\"p50\":%.2f,\"p99\":%.2f,\"max\":%.2f,\"refusedOnce\":%d,\"refusedMore\":%d,"
         "\"turnedAway\":%lu,\"broken\":%lu,\"serverMicros\":%.4f,\"serverBusy\":%.4f,\"clientBusy\":%.4f,\"foreignBusy\":%.4f}\n",
         opt->conns, seconds, latency.micros(.5), latency.micros(.99), latency.micros(1), once, more, turnedAway, broken,
         server / opt->conns * 1e6, server / seconds, own / seconds,
         std::max(0.0, to.machine - from.machine - server - own) / seconds);
  fflush(stdout);
  for (char byte; opt->holds && read(STDIN_FILENO, &byte, 1) > 0;);
}

// ── a loss ───────────────────────────────────────────────────────────────────────────────────────

static uint64_t lostAt = 0;
static std::vector<bool> hasHeard;
static int heardCount = 0;

static void heardOfAnother(Conn &c) {
  if (lostAt == 0 || indexOf(c) < opt->skip || hasHeard[indexOf(c)]) return;
  hasHeard[indexOf(c)] = true;
  heardCount++;
  latency.add(nanos() - lostAt);
}

static void runLoss() {
  hasHeard.resize(opt->conns);
  openAll();
  for (uint64_t until = nanos() + uint64_t(opt->warmMs * 1e6); nanos() < until;) dispatch(10);
  puts("\"measuring\"");
  fflush(stdout);
  Reading from;
  lostAt = from.at;
  // A bare server passes the first one's message on to everybody else.
  if (!opt->resumes) sendValue(conns[0], fromHex(opt->value));
  else
    for (int i = 0; i < opt->dying; i++) hangUp(conns[i]);
  while (heardCount < opt->conns - opt->skip) {
    dispatch(10);
    if (nanos() > lostAt + GIVE_UP_NS) die("only %d of %d heard of another route within a minute", heardCount, opt->conns - opt->skip);
  }
  Reading to;
  double seconds = (to.at - from.at) / 1e9, server = to.server - from.server, own = to.own - from.own;
  printf("{\"count\":%d,\"seconds\":%.4f,\"p50\":%.2f,\"p99\":%.2f,\"max\":%.2f,\"serverMicros\":%.4f,"
         "\"serverBusy\":%.4f,\"clientBusy\":%.4f,\"foreignBusy\":%.4f}\n",
         heardCount, seconds, latency.micros(.5), latency.micros(.99), latency.micros(1), server / heardCount * 1e6,
         server / seconds, own / seconds, std::max(0.0, to.machine - from.machine - server - own) / seconds);
}

static void cycleUntil(long total) {
  while (readyCount < total) {
    for (Conn &c : conns)
      if (c.fd < 0 && opened < total) start(c, opt->first + opened++ % opt->identities);
    dispatch(1000);
  }
}

static void runCycles() {
  cycleUntil(opt->warmCycles);
  puts("\"measuring\"");
  fflush(stdout);
  Reading from;
  cycleUntil(opt->warmCycles + opt->cycles);
  report(from, opt->cycles, 0, 0);
}

static void runTraffic() {
  uint64_t opening = nanos();
  double cpu = serverCpuSeconds();
  openAll();
  double openSeconds = (nanos() - opening) / 1e9, openServerCpu = serverCpuSeconds() - cpu;
  if (opt->stalled)
    for (Conn &c : conns)
      if (c.apart && indexOf(c) % 2) {
        c.deaf = true;
        epoll_ctl(poller, EPOLL_CTL_DEL, c.fd, nullptr);
      }
  buildBurst();
  flowing = true;
  int step = isRelay() ? 2 : 1, senders = opt->conns / step, paced = senders - opt->apart;
  if (opt->rate == 0)
    for (int i = 0; i < paced; i++) fillWindow(conns[i * step]);
  Pace pace{opt->rate / opt->burst}, apartPace{opt->apartRate / opt->burst};
  uint64_t begin = nanos(), measureAt = begin + uint64_t(opt->warmMs * 1e6), endAt = measureAt + uint64_t(opt->ms * 1e6);
  uint64_t lookAt = begin;
  int windows = opt->windows;
  bool measuring = false;
  Reading from;
  while (windows > 0) {
    dispatch(opt->rate || opt->apartRate ? 1 : 100);
    while (opt->rate && pace.due()) {
      Conn &c = conns[(pace.done * 7919) % paced * step];
      if (isBlocked(c) || (!isRelay() && c.sent - c.settled >= uint64_t(opt->window))) skipped++;
      else sendBurst(c);
    }
    while (opt->apart && apartPace.due()) {
      Conn &c = conns[(paced + apartPace.done % opt->apart) * step];
      if (!isBlocked(c)) sendBurst(c);
    }
    uint64_t now = nanos();
    if (now >= lookAt) {
      if (isRelay()) giveUpLost();
      lookAt = now + 500'000'000;
    }
    if (!measuring && now >= measureAt) {
      measuring = true;
      puts("\"measuring\"");
      fflush(stdout);
      latency = Histogram{};
      from = Reading{};
    }
    if (now >= endAt) {
      report(from, received - from.received, openSeconds, openServerCpu);
      fflush(stdout);
      measuring = false;
      windows--;
      measureAt = nanos() + uint64_t(opt->warmMs * 1e6);
      endAt = measureAt + uint64_t(opt->ms * 1e6);
    }
  }
  // The connections stay until the other end of stdin closes, so that the server can be looked at with them.
  for (char byte; opt->holds && read(STDIN_FILENO, &byte, 1) > 0;);
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
  if (isRelay() && opt->conns % 2) die("relay wants an even number of connections");
  if (opt->burst % opt->bundle || opt->window < opt->burst) die("wanted bundle ≤ burst ≤ window, bundle dividing burst");
  if (isRelay() && opt->size < 32) die("relay wants packets of at least 32 bytes");

  poller = epoll_create1(0);
  conns.resize(opt->conns);
  for (int i = 0; i < 2 * opt->apart && i < opt->conns; i++) conns[opt->conns - 1 - i].apart = true;
  tickets.resize(opt->first + std::max<long>(opt->conns, isCycle() ? opt->identities : 0));
  // The ticket that a bench server gives identity n: zeroes, and n in the last four bytes.
  for (size_t n = 0; n < tickets.size(); n++)
    for (int i = 0; i < 4; i++) tickets[n][28 + i] = n >> (24 - 8 * i);
  if (isCycle()) runCycles();
  else if (isStorm()) runStorm();
  else if (isLost()) runLoss();
  else runTraffic();
}
