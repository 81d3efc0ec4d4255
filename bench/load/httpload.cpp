// A load generator for HTTP: one thread, epoll, prebuilt requests, one under way on each of `conns` connections.
//
//   httpload port=N conns=N warm=MS ms=MS requests=FILE
//
// FILE holds requests, each after a line with its length; they are sent in turn. On stdout: "measuring" when the
// window begins, then one line of JSON with what was measured.
#include <algorithm>
#include <arpa/inet.h>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <vector>

[[noreturn]] static void die(const char *format, ...) {
  va_list values;
  va_start(values, format);
  fputs("httpload: ", stderr);
  vfprintf(stderr, format, values);
  fputc('\n', stderr);
  exit(1);
}

static std::map<std::string, std::string> arguments;
static std::string text(const char *key) {
  auto found = arguments.find(key);
  if (found == arguments.end()) die("wanted %s=", key);
  return found->second;
}
static long number(const char *key) { return atol(text(key).c_str()); }

static double seconds(clockid_t clock = CLOCK_MONOTONIC) {
  timespec now;
  clock_gettime(clock, &now);
  return now.tv_sec + now.tv_nsec / 1e9;
}

static std::vector<std::string> requests;
static size_t turn = 0;

struct Connection {
  int fd = -1;
  double sentAt = 0;
  std::string heard;
};

static void ask(Connection &connection) {
  const std::string &request = requests[turn++ % requests.size()];
  connection.sentAt = seconds();
  // A request is far smaller than what a socket takes at once.
  if (send(connection.fd, request.data(), request.size(), MSG_NOSIGNAL) != (ssize_t)request.size())
    die("a request was not taken whole");
}

// The length of the first answer in `heard`, 0 while it is not whole; `ok` says whether its status is 2xx.
static size_t wholeAnswer(const std::string &heard, bool &ok) {
  size_t head = heard.find("\r\n\r\n");
  if (head == std::string::npos) return 0;
  ok = heard.size() > 9 && heard[9] == '2';
  size_t named = heard.find("Content-Length: ");
  if (named == std::string::npos || named > head) return head + 4;
  size_t whole = head + 4 + strtoul(heard.c_str() + named + 16, nullptr, 10);
  return heard.size() < whole ? 0 : whole;
}

int main(int count, char **given) {
  for (int i = 1; i < count; i++) {
    std::string argument = given[i];
    size_t equals = argument.find('=');
    if (equals == std::string::npos) die("wanted key=value, got %s", given[i]);
    arguments[argument.substr(0, equals)] = argument.substr(equals + 1);
  }
  std::ifstream file(text("requests"), std::ios::binary);
  for (std::string line; std::getline(file, line);) {
    std::string request(strtoul(line.c_str(), nullptr, 10), '\0');
    file.read(request.data(), request.size());
    requests.push_back(request);
  }
  if (requests.empty()) die("no requests in %s", text("requests").c_str());

  int epoll = epoll_create1(0);
  std::vector<Connection> connections(number("conns"));
  for (size_t i = 0; i < connections.size(); i++) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(number("port"));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (sockaddr *)&to, sizeof to) != 0) die("cannot connect");
    connections[i].fd = fd;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = i;
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    ask(connections[i]);
  }

  double beginsAt = seconds() + number("warm") / 1e3;
  double endsAt = beginsAt + number("ms") / 1e3;
  bool measuring = false;
  double cpu = 0;
  uint64_t good = 0, bad = 0;
  std::vector<float> micros;
  std::string complaint;
  char buffer[65536];
  std::vector<epoll_event> events(connections.size());
  for (double now = seconds(); now < endsAt; now = seconds()) {
    if (!measuring && now >= beginsAt) {
      measuring = true;
      beginsAt = now;
      cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
      good = bad = 0;
      puts("measuring");
      fflush(stdout);
    }
    int ready = epoll_wait(epoll, events.data(), events.size(), 100);
    for (int i = 0; i < ready; i++) {
      Connection &connection = connections[events[i].data.u64];
      ssize_t got = recv(connection.fd, buffer, sizeof buffer, 0);
      if (got <= 0) die("the server closed a connection; heard: %.200s", connection.heard.c_str());
      connection.heard.append(buffer, got);
      bool ok = false;
      size_t length = wholeAnswer(connection.heard, ok);
      if (length == 0) continue;
      ok ? good++ : bad++;
      if (!ok && complaint.empty()) complaint = connection.heard.substr(0, 400);
      if (measuring) micros.push_back((seconds() - connection.sentAt) * 1e6);
      connection.heard.erase(0, length);
      ask(connection);
    }
  }
  if (bad > 0) die("%lu answers were no success, such as: %s", (unsigned long)bad, complaint.c_str());
  double took = seconds() - beginsAt;
  std::sort(micros.begin(), micros.end());
  auto share = [&](double of) { return micros.empty() ? 0.f : micros[(size_t)(of * (micros.size() - 1))]; };
  printf("{\"count\":%lu,\"seconds\":%.6f,\"perSecond\":%.1f,\"clientBusy\":%.3f,\"p50\":%.1f,\"p99\":%.1f}\n",
         (unsigned long)good, took, good / took, (seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu) / took, share(0.5), share(0.99));
}
