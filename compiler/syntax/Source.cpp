#include "compiler/syntax/Source.h"

#include "compiler/syntax/Utf8.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace sinter::syntax {

Span join(Span first, Span last) {
  if (!first.valid())
    return last;
  if (!last.valid() || last.file != first.file)
    return first;
  return {first.file, first.begin, std::max(first.end, last.end)};
}

FileId SourceManager::add(std::string path, std::string text) {
  File file{std::move(path), std::move(text), {}, {0}};
  for (size_t at = 0; (at = file.text.find('\n', at)) != std::string::npos;)
    file.lineBegins.push_back(static_cast<uint32_t>(++at));
  files.push_back(std::move(file));
  return static_cast<FileId>(files.size() - 1);
}

SourceManager::Loaded SourceManager::load(const std::filesystem::path &path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status))
    return {noFile, false, "no such file"};
  if (std::filesystem::is_directory(status))
    return {noFile, false, "is a folder"};
  auto identity = std::filesystem::canonical(path, error);
  if (error)
    identity = path.lexically_normal();
  for (size_t i = 0; i < files.size(); ++i)
    if (files[i].identity == identity)
      return {static_cast<FileId>(i), false, {}};

  std::FILE *stream = std::fopen(path.c_str(), "rb");
  if (!stream)
    return {noFile, false, std::strerror(errno)};
  std::string text;
  std::string buffer(size_t{1} << 16, '\0');
  while (const size_t count = std::fread(buffer.data(), 1, buffer.size(), stream)) {
    text.append(buffer, 0, count);
    if (text.size() > maxFileBytes)
      break;
  }
  const bool failed = std::ferror(stream) != 0;
  const int reason = errno;
  std::fclose(stream);
  if (failed)
    return {noFile, false, std::strerror(reason)};
  if (text.size() > maxFileBytes)
    return {noFile, true, {}};
  const FileId id = add(path.string(), std::move(text));
  files[id].identity = std::move(identity);
  return {id, false, {}};
}

std::string_view SourceManager::text(Span span) const {
  if (!span.valid())
    return {};
  return text(span.file).substr(span.begin, span.end - span.begin);
}

LineColumn SourceManager::lineColumn(FileId file, uint32_t offset) const {
  const auto &begins = files[file].lineBegins;
  const auto next = std::upper_bound(begins.begin(), begins.end(), offset);
  const auto line = static_cast<uint32_t>(next - begins.begin());
  uint32_t at = begins[line - 1];
  if (line == 1 && text(file).starts_with(byteOrderMark))
    at = std::min<uint32_t>(offset, byteOrderMark.size());
  uint32_t column = 1;
  for (; at < offset; ++column)
    at += decodeUtf8(text(file), at).length;
  return {line, column};
}

std::string_view SourceManager::lineText(FileId file, uint32_t line) const {
  const auto &begins = files[file].lineBegins;
  const uint32_t begin = begins[line - 1];
  std::string_view rest = text(file).substr(begin);
  rest = rest.substr(0, rest.find('\n'));
  if (rest.ends_with('\r'))
    rest.remove_suffix(1);
  return rest;
}

std::string SourceManager::describe(Span span) const {
  if (!span.valid())
    return {};
  const auto [line, column] = lineColumn(span);
  return path(span.file) + ":" + std::to_string(line) + ":" + std::to_string(column);
}

std::filesystem::path SourceManager::resolve(FileId file, std::string_view said) const {
  return (std::filesystem::path(path(file)).parent_path() / said).lexically_normal();
}

} // namespace sinter::syntax
