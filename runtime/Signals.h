//===- Signals.h - an orderly end -------------------------------------------------------------===//
#pragma once

namespace sinter::runtime {

/// While one of these lives, the first SIGINT or SIGTERM only asks for an end and the second one
/// ends the program at once. A full disk or file limit (SIGXFSZ) and a reader that has gone away
/// (SIGPIPE) are errors of a write then, not signals. The handlers that were there before come back
/// at the end.
class SignalWatch {
public:
  SignalWatch();
  ~SignalWatch();
  SignalWatch(const SignalWatch &) = delete;
  SignalWatch &operator=(const SignalWatch &) = delete;

  /// The signal that asked for an end; 0 if none has.
  static int asked();
};

} // namespace sinter::runtime
