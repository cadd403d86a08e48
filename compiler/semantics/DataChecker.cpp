//===- DataChecker.cpp - a data block: its fields and parts -------------------------------------===//
#include "compiler/semantics/DataChecker.h"
#include "compiler/semantics/DataBlock.h"
#include "compiler/semantics/Nearest.h"

#include <algorithm>
#include <fmt/format.h>

namespace sinter::semantics {

using namespace syntax;

const Field *DataChecker::field(const std::string &name) const {
  for (const Field &each : checked.data.fields)
    if (each.name == name)
      return &each;
  return nullptr;
}

void DataChecker::declareFields() {
  for (const DataStatement &statement : declaration.statements) {
    const auto *written = std::get_if<FieldStatement>(&statement);
    if (!written)
      continue;
    if (const Field *earlier = field(written->name.text)) {
      engine.report(Diag::DuplicateName, written->name.span, written->name.text)
          .note(earlier->place, "the first one");
      continue;
    }
    std::optional<semantics::Type> type = evaluator.type(written->type);
    if (!type)
      checked.poisoned.insert(written->name.text);
    checked.data.fields.push_back(
        {written->name.text, type.value_or(semantics::Type{}), written->name.span});
    checked.data.fields.back().bf16 = written->type.scalar == ScalarKind::BF16;
  }
}

/// What fills a bf16 field is rounded last. A source that fills others too draws for each field by itself, so it is two.
void DataChecker::roundFields() {
  auto isRounded = [&](const std::string &name) {
    return std::any_of(checked.data.fields.begin(), checked.data.fields.end(),
                       [&](const Field &each) { return each.name == name && each.bf16; });
  };
  for (auto &[part, fills] : checked.data.parts) {
    std::vector<Fill> all;
    for (Fill &fill : fills) {
      Fill rounded = fill;
      std::erase_if(fill.fields, isRounded);
      std::erase_if(rounded.fields, [&](const std::string &name) { return !isRounded(name); });
      rounded.operations.push_back({LoadOp::Kind::Bf16, 0, {}, {}, fill.place});
      for (Fill *each : {&fill, &rounded})
        if (!each->fields.empty())
          all.push_back(std::move(*each));
    }
    fills = std::move(all);
  }
}

/// The field of this name, which is filled from now on; null after an error.
const Field *DataChecker::fieldToFill(const Name &name, std::map<std::string, Span> &filled) {
  const Field *target = field(name.text);
  if (!target && session.mayBeLost(name.text))
    return nullptr;
  if (!target) {
    std::vector<std::string> known;
    for (const Field &each : checked.data.fields)
      known.push_back(each.name);
    auto report = engine.report(Diag::UnknownField, name.span, declaration.name.text, name.text);
    std::string help = didYouMean(name.text, known);
    if (!help.empty())
      report.help(help);
    // The field that was meant is not missing as well.
    for (const std::string &each : nearest(name.text, known, 1))
      filled.emplace(each, name.span);
    return nullptr;
  }
  if (auto [earlier, fresh] = filled.emplace(name.text, name.span); !fresh) {
    engine.report(Diag::FilledTwice, name.span, name.text).note(earlier->second, "the first time");
    return nullptr;
  }
  return target;
}

/// `x, y = synthetic(n)`, or without names, all fields.
void DataChecker::fillSynthetic(const syntax::Fill &written, const CallExpr &call, Fill fill,
                                std::vector<Fill> &fills, std::map<std::string, Span> &filled) {
  bool good = loadSource(call, nullptr, fill);
  for (const Name &name : written.names) {
    const Field *target = fieldToFill(name, filled);
    good &= target && !checked.poisoned.count(name.text);
    fill.fields.push_back(name.text);
  }
  if (written.names.empty())
    for (const Field &each : checked.data.fields) {
      if (auto [earlier, fresh] = filled.emplace(each.name, written.span); !fresh) {
        engine.report(Diag::FilledTwice, written.span, each.name)
            .note(earlier->second, "the first time");
        good = false;
      }
      good &= !checked.poisoned.count(each.name);
      fill.fields.push_back(each.name);
    }
  if (good)
    fills.push_back(std::move(fill));
}

/// `cifar("…") / 255`: a source that fills the fields of its own names. Arithmetic is for those of
/// real numbers.
void DataChecker::fillOwnFields(const syntax::Fill &written, const CallExpr &call,
                                const SourceEntry &entry, std::vector<Fill> &fills,
                                std::map<std::string, Span> &filled) {
  bool any = false;
  for (const std::string &part : entry.parts) {
    const Field *declared = field(part);
    if (!declared)
      continue;
    any = true;
    const Field *target = fieldToFill({part, written.span}, filled);
    if (!target)
      return;
    const bool reals = target->type.scalar == Scalar::F32 || target->type.scalar == Scalar::BF16;
    Fill fill;
    fill.place = written.span;
    fill.fields = {part};
    const bool good = reals || entry.signature.name == "text" ? load(*written.value, *target, fill)
                                                              : loadSource(call, target, fill);
    if (!good) {
      for (const std::string &rest : entry.parts) // one message is enough
        filled.emplace(rest, written.span);
      return;
    }
    if (!checked.poisoned.count(part))
      fills.push_back(std::move(fill));
  }
  if (any || declaration.broken)
    return;
  for (const Field &each : checked.data.fields) // they were meant
    filled.emplace(each.name, written.span);
  std::vector<std::string> quoted;
  for (const std::string &part : entry.parts)
    quoted.push_back("`" + part + "`");
  engine
      .report(Diag::SourceFields, written.span, entry.signature.name,
              fmt::format("{}", fmt::join(quoted, " and ")), declaration.name.text)
      .help(entry.signature.name == "text" ? "`tokens: class[64][32]` and `next: class[64][32]`"
                                           : "`image: f32[3, 32, 32]` and `label: class[10]`");
}

void DataChecker::checkFill(const syntax::Fill &written, std::vector<Fill> &fills,
                            std::map<std::string, Span> &filled) {
  Fill fill;
  fill.place = written.span;
  if (written.names.size() != 1) {
    // Sources that fill fields of their own names, and `x, y = synthetic(n)`.
    const CallExpr *call = sourceCall(*written.value);
    const SourceEntry *entry = call ? findSource(call->callee.front().text) : nullptr;
    if (entry && entry->signature.name == "synthetic" && call == written.value.get()) {
      fillSynthetic(written, *call, std::move(fill), fills, filled);
      return;
    }
    if (entry && !entry->parts.empty() && written.names.empty()) {
      fillOwnFields(written, *call, *entry, fills, filled);
      return;
    }
    if (written.value->kind() != Expr::Kind::Error) {
      const std::string value = session.text(written.value->span);
      engine.report(Diag::FillNames, written.span)
          .help(entry && !entry->parts.empty()
                    ? fmt::format("`{}`", value)
                    : fmt::format("`{} = {}`",
                                  checked.data.fields.empty() ? "image"
                                                              : checked.data.fields.front().name,
                                  value));
    }
    for (const Field &each : checked.data.fields)
      filled.emplace(each.name, written.span);
    return;
  }
  const Name &name = written.names.front();
  const Field *target = fieldToFill(name, filled);
  if (!target)
    return;
  if (!load(*written.value, *target, fill) || checked.poisoned.count(name.text))
    return;
  fill.fields = {name.text};
  fills.push_back(std::move(fill));
}

void DataChecker::checkPart(const PartStatement &part) {
  std::string name(spelling(part.part));
  if (checked.data.parts.count(name)) {
    engine.report(Diag::StatementTwice, part.keyword, name);
    return;
  }
  std::vector<Fill> &fills = checked.data.parts[name];
  std::map<std::string, Span> filled;
  for (const syntax::Fill &written : part.fills)
    checkFill(written, fills, filled);
  const auto isText = [](const Fill &fill) { return fill.source.kind == "text"; };
  for (const Fill &fill : fills) {
    if (isText(fill) && !fill.operations.empty())
      engine.report(Diag::TextArithmetic, fill.operations.front().place)
          .help(fmt::format("`{}`", session.text(fill.source.place)));
    if (!isText(fill) && std::any_of(fills.begin(), fills.end(), isText))
      engine.report(Diag::TextAlone, fill.place, fill.fields.front())
          .help(fmt::format("a data block of its own for `{}`", fill.fields.front()));
  }
  for (const Field &each : checked.data.fields)
    if (!filled.count(each.name) && !declaration.broken)
      engine.report(Diag::FieldNotFilled, part.keyword, name, each.name)
          .note(each.place, "declared here")
          .help(fmt::format("`{} = idx(\"file.gz\")`", each.name));
  if (session.options.readHeaders)
    checkHeaders(fills);
}

/// What one part takes from another, or must have like another.
void DataChecker::checkAcrossParts() {
  const auto standardizes = [&](const std::string &part, const std::string &field) {
    const auto found = checked.data.parts.find(part);
    if (found == checked.data.parts.end())
      return static_cast<const LoadOp *>(nullptr);
    for (const Fill &fill : found->second)
      if (fill.fields.front() == field)
        for (const LoadOp &op : fill.operations)
          if (op.kind == LoadOp::Kind::Standardize)
            return &op;
    return static_cast<const LoadOp *>(nullptr);
  };
  for (const Field &each : checked.data.fields)
    for (const char *part : {"valid", "test"})
      if (const LoadOp *op = standardizes(part, each.name);
          op && checked.data.parts.count("train") && !standardizes("train", each.name))
        engine.report(Diag::StandardizeUntrained, op->place, each.name, part)
            .help("`|> standardize` in `train` too");
}

CheckedData DataChecker::run() {
  checked.data.name = declaration.name.text;
  checked.data.place = declaration.name.span;
  declareFields();
  for (const DataStatement &statement : declaration.statements)
    if (const auto *part = std::get_if<PartStatement>(&statement))
      checkPart(*part);
  for (const DataStatement &statement : declaration.statements) {
    if (const auto *split = std::get_if<SplitStatement>(&statement))
      checkSplit(*split);
    else if (const auto *keep = std::get_if<KeepStatement>(&statement))
      checkKeep(*keep);
    else if (const auto *augment = std::get_if<AugmentStatement>(&statement))
      checkAugment(*augment);
    else if (const auto *taken = std::get_if<TakeStatement>(&statement))
      checkTake(*taken);
  }
  checkAcrossParts();
  if (session.options.readHeaders) {
    checkTexts();
    checkImages();
  }
  if (!checked.data.parts.count("train") && !declaration.broken)
    engine.report(Diag::NoTrainPart, declaration.name.span, declaration.name.text)
        .help("`train { … }` fills each field from a source");
  roundFields();
  return std::move(checked);
}

CheckedData checkData(Session &session, const DataDeclaration &declaration) {
  return DataChecker(session, declaration).run();
}

} // namespace sinter::semantics
