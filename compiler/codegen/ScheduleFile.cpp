//===- ScheduleFile.cpp - reading, checking and writing of tuned schedules ------------------------===//

#include "compiler/codegen/ScheduleFile.h"

#include "compiler/codegen/Schedule.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mlir;

namespace sinter::codegen {
namespace {

/// One line's object as an entry; an error says what is wrong with it.
llvm::Expected<TunedSchedule> entryOf(StringRef line) {
  auto json = llvm::json::parse(line);
  if (!json)
    return json.takeError();
  const llvm::json::Object *object = json->getAsObject();
  if (!object)
    return llvm::createStringError("a line holds one object, `{{\"cpu\": …}`");
  TunedSchedule entry;
  const std::pair<const char *, std::string *> texts[] = {
      {"cpu", &entry.cpu}, {"contraction", &entry.contraction}, {"schedule", &entry.schedule}};
  for (const auto &[key, into] : texts) {
    const auto value = object->getString(key);
    if (!value)
      return llvm::createStringError("there is no text `%s`", key);
    *into = value->str();
  }
  entry.what = object->getString("what").value_or("").str();
  for (const auto &[key, value] : *object)
    if (!llvm::is_contained({"cpu", "contraction", "what", "schedule", "block"}, StringRef(key)))
      return llvm::createStringError("`" + key.str() +
                                     "` is none of cpu, contraction, what, schedule and block");
  if (object->get("block")) {
    const llvm::json::Array *block = object->getArray("block");
    for (size_t i = 0; block && i < block->size(); ++i) {
      const auto extent = (*block)[i].getAsInteger();
      if (!extent || *extent < 1)
        block = nullptr;
      else
        entry.block.push_back(*extent);
    }
    if (!block)
      return llvm::createStringError("`block` is not a list of positive whole numbers");
  }
  return entry;
}

llvm::Expected<kernel::ScheduleAttr> parsed(StringRef text, const Target &target,
                                            MLIRContext &context) {
  std::string said;
  ScopedDiagnosticHandler listen(&context, [&](Diagnostic &diagnostic) {
    if (said.empty())
      said = diagnostic.str();
    return success();
  });
  auto schedule = dyn_cast_or_null<kernel::ScheduleAttr>(parseAttribute(text, &context));
  if (!schedule)
    return llvm::createStringError("`" + text + "` is not a #kernel.schedule" +
                                   (said.empty() ? "" : ": " + said));
  if (schedule.getMr() < 1 || schedule.getNr() < 1 || schedule.getUnroll() < 1 ||
      schedule.getShares() < 1 || schedule.getChunk() < 0)
    return llvm::createStringError(
        "mr, nr, unroll and shares are positive, and chunk is not negative");
  if (!fitsRegisters(schedule.getMr(), schedule.getNr(), target))
    return llvm::createStringError(
        llvm::formatv("a tile of {0} × {1} vectors does not fit the registers of {2}",
                      schedule.getMr(), schedule.getNr(), target.cpu));
  return schedule;
}

} // namespace

llvm::Expected<ScheduleFile> ScheduleFile::read(StringRef path, const Target &target,
                                                MLIRContext &context) {
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/true);
  if (!buffer)
    return llvm::createStringError(
        llvm::formatv("`{0}` cannot be read: {1}", path, buffer.getError().message()));
  ScheduleFile file;
  StringRef rest = (*buffer)->getBuffer();
  for (int number = 1; !rest.empty(); ++number) {
    StringRef line;
    std::tie(line, rest) = rest.split('\n');
    if (line.trim().empty())
      continue;
    const auto wrong = [&](llvm::Error error) {
      return llvm::createStringError(
          llvm::formatv("{0}:{1}: {2}", path, number, llvm::toString(std::move(error))));
    };
    auto entry = entryOf(line);
    if (!entry)
      return wrong(entry.takeError());
    if (entry->cpu == target.cpu) {
      auto schedule = parsed(entry->schedule, target, context);
      if (!schedule)
        return wrong(schedule.takeError());
      if (!file.own.try_emplace(entry->contraction, file.lines.size(), *schedule).second)
        return wrong(llvm::createStringError("contraction " + entry->contraction +
                                             " stands above already, for the same CPU"));
    }
    file.lines.push_back(std::move(*entry));
  }
  return file;
}

void ScheduleFile::put(TunedSchedule tuned) {
  for (TunedSchedule &line : lines)
    if (line.cpu == tuned.cpu && line.contraction == tuned.contraction) {
      line = std::move(tuned);
      return;
    }
  lines.push_back(std::move(tuned));
}

llvm::Error ScheduleFile::write(StringRef path) const {
  return llvm::writeToOutput(path, [&](raw_ostream &stream) {
    for (const TunedSchedule &line : lines) {
      llvm::json::Object object{{"cpu", line.cpu},
                                {"contraction", line.contraction},
                                {"what", line.what},
                                {"schedule", line.schedule}};
      if (!line.block.empty())
        object["block"] = llvm::json::Array(line.block);
      stream << llvm::json::Value(std::move(object)) << "\n";
    }
    return llvm::Error::success();
  });
}

} // namespace sinter::codegen
