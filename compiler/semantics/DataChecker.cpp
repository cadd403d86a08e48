//===- DataChecker.cpp - a data block: fields, parts and the split ----------------------------===//
#include "compiler/semantics/DataChecker.h"
#include "compiler/semantics/DataBlock.h"
#include "compiler/semantics/Nearest.h"

#include <algorithm>
#include <cmath>
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
    if (type && type->scalar == Scalar::Bool) {
      engine.report(Diag::NotSupported, written->type.span, "a field of type `bool`")
          .help("`f32` or `class[2]`");
      type.reset();
    }
    if (!type)
      checked.poisoned.insert(written->name.text);
    checked.data.fields.push_back(
        {written->name.text, type.value_or(semantics::Type{}), written->name.span});
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
void DataChecker::fillSeveral(const syntax::Fill &written, const CallExpr &call, Fill fill,
                              std::vector<Fill> &fills, std::map<std::string, Span> &filled) {
  bool good = loadSource(call, fill);
  for (const Name &name : written.names) {
    const Field *target = fieldToFill(name, filled);
    good &= target && !checked.poisoned.count(name.text);
    fill.fields.push_back(name.text);
  }
  if (written.names.empty())
    for (const Field &each : checked.data.fields) {
      filled.emplace(each.name, written.span);
      good &= !checked.poisoned.count(each.name);
      fill.fields.push_back(each.name);
    }
  if (good)
    fills.push_back(std::move(fill));
}

void DataChecker::checkFill(const syntax::Fill &written, std::vector<Fill> &fills,
                            std::map<std::string, Span> &filled) {
  Fill fill;
  fill.place = written.span;
  if (written.names.size() != 1) {
    // Sources that fill fields of their own names, and `x, y = synthetic(n)`.
    const auto *call = dynCast<CallExpr>(written.value);
    std::string name = call ? call->callee.front().text : "";
    const SourceEntry *entry = findSource(name);
    if (name == "synthetic") {
      fillSeveral(written, *call, std::move(fill), fills, filled);
      return;
    }
    if (entry && entry->planned)
      engine.report(Diag::NotSupported, call->calleeSpan, fmt::format("`{}`", name));
    else if (written.value->kind() != Expr::Kind::Error)
      engine.report(Diag::FillNames, written.span)
          .help(fmt::format("`image = {}`", session.text(written.value->span)));
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
  for (const Field &each : checked.data.fields)
    if (!filled.count(each.name) && !declaration.broken)
      engine.report(Diag::FieldNotFilled, part.keyword, name, each.name)
          .note(each.place, "declared here")
          .help(fmt::format("`{} = idx(\"file.gz\")`", each.name));
  if (session.options.readHeaders)
    checkHeaders(fills);
}

void DataChecker::checkSplit(const SplitStatement &written) {
  if (checked.data.split) {
    engine.report(Diag::StatementTwice, written.span, "split")
        .note(checked.data.split->place, "the first one");
    return;
  }
  static const Signature options = Signature::parse("split", "seed: natural = 0, stratify?: field");
  std::vector<double> shares;
  double sum = 0;
  for (const ExprPtr &each : written.shares) {
    std::optional<double> share = evaluator.number(*each, "a share of a split");
    if (!share)
      return;
    if (*share < 0 || *share > 1) {
      engine.report(Diag::SplitSum, each->span);
      return;
    }
    shares.push_back(*share);
    sum += *share;
  }
  constexpr double rounding = 1e-9;
  if (shares.size() == 3 && std::fabs(sum - 1) > rounding) {
    engine.report(Diag::SplitSum, written.span).help("for instance `split 0.8, 0.1, 0.1`");
    return;
  }
  std::optional<BoundArguments> bound = evaluator.bind(options, written.options, written.span);
  if (!bound)
    return;
  Split split;
  split.place = written.span;
  split.seed = static_cast<uint64_t>(bound->integer("seed"));
  if (const Expr *stratify = bound->expr("stratify")) {
    const auto *name = dynCast<PathExpr>(stratify);
    const Field *by = name && name->isName() ? field(name->names.front().text) : nullptr;
    if (!by || by->type.scalar != Scalar::Class || by->type.rank() != 0) {
      engine.report(Diag::StratifyField, stratify->span, session.text(stratify->span));
      return;
    }
    split.stratify = by->name;
  }
  // Beside `test { … }` it is the valid set that is cut off.
  bool hasTest = checked.data.parts.count("test") != 0;
  split.train = shares[0];
  if (shares.size() == 3) {
    split.valid = shares[1];
    split.test = shares[2];
  } else if (hasTest) {
    split.valid = 1 - shares[0];
  } else {
    split.test = 1 - shares[0];
  }
  for (const char *part : {"valid", "test"}) {
    double share = part == std::string("valid") ? split.valid : split.test;
    if (share > 0 && checked.data.parts.count(part)) {
      engine.report(Diag::SplitOfFilled, written.span, part);
      return;
    }
  }
  checked.data.seed = split.seed;
  checked.data.split = split;
}

CheckedData DataChecker::run() {
  checked.data.name = declaration.name.text;
  checked.data.place = declaration.name.span;
  declareFields();
  for (const DataStatement &statement : declaration.statements)
    if (const auto *part = std::get_if<PartStatement>(&statement))
      checkPart(*part);
  for (const DataStatement &statement : declaration.statements) {
    if (const auto *split = std::get_if<SplitStatement>(&statement)) {
      checkSplit(*split);
    } else if (const auto *keep = std::get_if<KeepStatement>(&statement)) {
      engine.report(Diag::NotSupported, keep->span, "`keep where`");
    } else if (const auto *augment = std::get_if<AugmentStatement>(&statement)) {
      engine.report(Diag::NotSupported, augment->span, "`augment`");
    } else if (const auto *take = std::get_if<TakeStatement>(&statement)) {
      std::optional<int64_t> count = evaluator.integer(*take->count, "`take`");
      if (count && *count < 1)
        engine.report(Diag::BelowLeast, take->count->span, "`take`", 1, *count);
      checked.data.take = count;
    }
  }
  if (!checked.data.parts.count("train") && !declaration.broken)
    engine.report(Diag::NoTrainPart, declaration.name.span, declaration.name.text)
        .help("`train { … }` fills each field from a source");
  return std::move(checked);
}

CheckedData checkData(Session &session, const DataDeclaration &declaration) {
  return DataChecker(session, declaration).run();
}

} // namespace sinter::semantics
