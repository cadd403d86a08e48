#include "runtime/Metrics.h"

#include "runtime/Error.h"
#include "runtime/OutputFile.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace sinter::runtime {

JsonLines::~JsonLines() {
  if (file)
    std::fclose(file);
}

void JsonLines::open(const char *mode) {
  file = std::fopen(path.c_str(), mode);
  if (!file)
    throw Error(fmt::format("cannot write {}: {}", path, std::strerror(errno)));
}

void JsonLines::begin(const std::string &where) {
  path = where;
  open("we");
}

void JsonLines::resume(const std::string &where, const char *key, int64_t last) {
  path = where;
  if (std::FILE *old = std::fopen(path.c_str(), "re")) {
    std::string kept, line;
    const auto finishLine = [&] {
      const nlohmann::json json = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
      if (json.is_object() && json.contains(key) && json.at(key).is_number_integer() &&
          json.at(key).get<int64_t>() <= last)
        kept += line + "\n";
      line.clear();
    };
    for (int c = std::fgetc(old); c != EOF; c = std::fgetc(old)) {
      if (c == '\n')
        finishLine();
      else
        line.push_back(static_cast<char>(c));
    }
    std::fclose(old);
    OutputFile rewritten(path);
    rewritten.write(kept.data(), kept.size());
    rewritten.commit();
  }
  open("ae");
}

void JsonLines::add(const std::string &object) {
  if (!file)
    return;
  const std::string line = object + "\n";
  if (std::fwrite(line.data(), 1, line.size(), file) != line.size() || std::fflush(file) != 0)
    throw Error(fmt::format("cannot write {}: {}", path, std::strerror(errno)));
}

} // namespace sinter::runtime
