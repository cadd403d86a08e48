#include "runtime/Metrics.h"

#include "runtime/Error.h"
#include "runtime/OutputFile.h"

#include <algorithm>
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

void JsonLines::resume(const std::string &where,
                       std::initializer_list<std::pair<const char *, int64_t>> keys) {
  path = where;
  if (std::FILE *old = std::fopen(path.c_str(), "re")) {
    std::string kept, line;
    const auto finishLine = [&] {
      const nlohmann::json json = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
      const auto within = [&](const std::pair<const char *, int64_t> &limit) {
        return json.contains(limit.first) && json.at(limit.first).is_number_integer() &&
               json.at(limit.first).get<int64_t>() <= limit.second;
      };
      if (json.is_object() && std::all_of(keys.begin(), keys.end(), within))
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
