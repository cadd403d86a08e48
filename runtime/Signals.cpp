#include "runtime/Signals.h"

#include <array>
#include <csignal>
#include <unistd.h>

namespace sinter::runtime {

namespace {

volatile std::sig_atomic_t askedBy = 0;

void onSignal(int signal) {
  if (askedBy != 0)
    _exit(128 + signal);
  askedBy = signal;
}

struct Watched {
  int signal;
  void (*handler)(int);
};
const std::array<Watched, 4> watched = {
    {{SIGINT, onSignal}, {SIGTERM, onSignal}, {SIGXFSZ, SIG_IGN}, {SIGPIPE, SIG_IGN}}};
std::array<struct sigaction, 4> before;

} // namespace

SignalWatch::SignalWatch() {
  askedBy = 0;
  for (size_t i = 0; i < watched.size(); ++i) {
    struct sigaction action{};
    action.sa_handler = watched[i].handler;
    action.sa_flags = SA_RESTART;
    sigaction(watched[i].signal, &action, &before[i]);
  }
}

SignalWatch::~SignalWatch() {
  for (size_t i = 0; i < watched.size(); ++i)
    sigaction(watched[i].signal, &before[i], nullptr);
}

int SignalWatch::asked() { return askedBy; }

} // namespace sinter::runtime
