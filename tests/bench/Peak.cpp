//===- Peak.cpp - the most that this machine can do, for benchmarks to hold their figures against ---===//
//   peak [threads]      one line of JSON
#include "runtime/MachinePeak.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

static std::string cpuName() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name"))
      return line.substr(line.find(':') + 2);
  return "unknown";
}

int main(int argc, char **argv) {
  const int threads = argc > 1 ? std::max(1, std::atoi(argv[1])) : 1;
  const auto peak = sinter::runtime::measureMachine(static_cast<unsigned>(threads),
                                                    threads * sinter::runtime::largestRead);
  std::printf("{\"cpu\": \"%s\", \"isa\": \"%s\", \"threads\": %d, \"gflop_per_s\": %.1f, "
              "\"gbyte_per_s\": %.1f, \"copy_gbyte_per_s\": %.1f}\n",
              cpuName().c_str(), peak.isa, threads, peak.gflops, peak.gbytes,
              sinter::runtime::measureCopies(static_cast<unsigned>(threads), 8));
}
