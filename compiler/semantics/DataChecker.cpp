//===- DataChecker.cpp - fields, parts, and the arithmetic of loading --------------------------------------===//
#include "compiler/semantics/DataChecker.h"
#include "compiler/semantics/Evaluator.h"
#include "compiler/semantics/FileHeaders.h"
#include "compiler/semantics/Functions.h"
#include "compiler/semantics/Nearest.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fmt/format.h>

namespace sinter::semantics {

using namespace syntax;

namespace {

struct SourceEntry {
  Signature signature;
  bool planned = false; ///< of the language, not of this version
};

const std::vector<SourceEntry> &sourceTable() {
  static const std::vector<SourceEntry> table = {
      {Signature::parse("idx", "file: string"), false},
      {Signature::parse("csv", "file: string, column?: columns, columns?: columns, skip?: natural, "
                               "separator?: string"),
       false},
      {Signature::parse("npy", "file: string"), false},
      {Signature::parse("npz", ""), true},
      {Signature::parse("safetensors", ""), true},
      {Signature::parse("cifar", ""), true},
      {Signature::parse("images", ""), true},
      {Signature::parse("text", ""), true},
      {Signature::parse("synthetic", "count: count"), false},
  };
  return table;
}

const SourceEntry *findSource(const std::string &name) {
  for (const SourceEntry &each : sourceTable())
    if (each.signature.name == name)
      return &each;
  return nullptr;
}

const Signature &normalizeSignature() {
  static const Signature signature = Signature::parse("normalize", "mean: reals, std: reals");
  return signature;
}

class DataChecker {
public:
  DataChecker(Session &session, const DataDeclaration &declaration)
      : session(session), engine(session.engine), declaration(declaration), evaluator(session) {}

  CheckedData run();

private:
  void declareFields();
  void checkPart(const PartStatement &part);
  void checkFill(const syntax::Fill &written, std::vector<Fill> &fills,
                 std::map<std::string, Span> &filled);
  void fillSeveral(const syntax::Fill &written, const CallExpr &call, Fill fill,
                   std::vector<Fill> &fills, std::map<std::string, Span> &filled);
  const Field *fieldToFill(const Name &name, std::map<std::string, Span> &filled);
  bool load(const Expr &expr, const Field &field, Fill &fill);
  bool loadSource(const CallExpr &call, Fill &fill);
  bool loadColumns(const BoundArguments &bound, Source &source);
  bool loadStep(const Expr &step, const Field &field, Fill &fill);
  bool normalize(const Arguments &arguments, size_t skip, Span name, const Field &field,
                 Fill &fill);
  bool loadChain(const BinaryExpr &chain, const Field &field, Fill &fill);
  bool addOperation(BinaryOp op, double number, bool numberFirst, Span place, const Field &field,
                    Fill &fill);
  bool containsSource(const Expr &expr) const;
  void checkSplit(const SplitStatement &split);
  void checkHeaders(const std::vector<Fill> &fills);
  void checkIdx(const Fill &fill, const Field &field, int64_t &records, Span &recordsOf);
  void checkCsv(const Fill &fill, const Field &field);
  void reportHeader(const FileHeader &header, const Source &source);
  const Field *field(const std::string &name) const;

  Session &session;
  Engine &engine;
  const DataDeclaration &declaration;
  Evaluator evaluator;
  CheckedData checked;
};

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

bool DataChecker::containsSource(const Expr &expr) const {
  switch (expr.kind()) {
  case Expr::Kind::Call: {
    // A function of numbers is a number; any other call is a source, or is meant as one.
    const FunctionEntry *function = findFunction(expr.as<CallExpr>().callee.front().text);
    return !function || !function->fold;
  }
  case Expr::Kind::Pipe:
    return true;
  case Expr::Kind::Unary:
    return containsSource(*expr.as<UnaryExpr>().operand);
  case Expr::Kind::Binary: {
    const auto &chain = expr.as<BinaryExpr>();
    return containsSource(*chain.first) ||
           std::any_of(chain.rest.begin(), chain.rest.end(),
                       [&](const BinaryExpr::Link &link) { return containsSource(*link.operand); });
  }
  default:
    return false;
  }
}

bool DataChecker::loadColumns(const BoundArguments &bound, Source &source) {
  std::string name = bound.given("columns") ? "columns" : "column";
  if (bound.given("columns") == bound.given("column")) {
    engine.report(Diag::CsvColumns, source.place)
        .help("`column: 0`, or `columns: 1..784` with both ends included");
    return false;
  }
  const Expr *expr = bound.expr(name);
  if (const auto *range = dynCast<RangeExpr>(expr)) {
    std::optional<int64_t> first = evaluator.integer(*range->first, "a column");
    std::optional<int64_t> last = evaluator.integer(*range->last, "a column");
    if (!first || !last)
      return false;
    if ((*first < 0) == (*last < 0) && *first > *last) {
      engine.report(Diag::EmptyRange, range->span, *first, *last);
      return false;
    }
    source.attributes["first"] = *first;
    source.attributes["last"] = *last;
    return true;
  }
  const Value &value = bound.item(name).value;
  std::vector<std::string> names;
  if (const std::string *one = value.get<std::string>())
    names = {*one};
  if (const List *list = value.get<List>(); list && list->front().get<std::string>())
    for (const Value &each : *list)
      names.push_back(*each.get<std::string>());
  if (!names.empty())
    source.attributes["names"] = names;
  else
    source.attributes["columns"] = bound.integers(name);
  return true;
}

bool DataChecker::loadSource(const CallExpr &call, Fill &fill) {
  const Name &name = call.callee.front();
  const SourceEntry *entry = findSource(name.text);
  if (!entry) {
    std::vector<std::string> names;
    for (const SourceEntry &each : sourceTable())
      names.push_back(each.signature.name);
    auto report = engine.report(Diag::UnknownOfKind, name.span, "source of data", name.text);
    std::string help = didYouMean(name.text, names);
    report.help(help.empty() ? "it is one of " + alternatives(names) : help);
    return false;
  }
  if (entry->planned) {
    engine.report(Diag::NotSupported, call.calleeSpan, fmt::format("`{}`", name.text));
    return false;
  }
  std::optional<BoundArguments> bound =
      evaluator.bind(entry->signature, call.arguments, call.calleeSpan);
  if (!bound)
    return false;
  Source &source = fill.source;
  source.kind = name.text;
  source.place = call.span;
  if (source.kind == "synthetic") {
    source.attributes["count"] = bound->integer("count");
    return true;
  }
  source.file = bound->string("file");
  source.filePlace = bound->span("file");
  source.resolved = session.sources.resolve(call.span.file, source.file).string();
  if (source.kind != "csv")
    return true;
  source.attributes["skip"] = bound->given("skip") ? bound->integer("skip") : int64_t{-1};
  std::string separator = bound->given("separator") ? bound->string("separator") : ",";
  if (separator.size() != 1) {
    engine.report(Diag::Separator, bound->span("separator"), separator);
    return false;
  }
  source.attributes["separator"] = separator;
  return loadColumns(*bound, source);
}

bool DataChecker::normalize(const Arguments &arguments, size_t skip, Span name, const Field &field,
                            Fill &fill) {
  Evaluator::Inputs none;
  std::optional<BoundArguments> bound =
      evaluator.bind(normalizeSignature(), arguments, name, none, skip);
  if (!bound)
    return false;
  LoadOp op{LoadOp::Kind::Normalize, 0, bound->reals("mean"), bound->reals("std"), bound->place};
  int64_t channels = field.type.dims.empty() ? 1 : field.type.dims.front();
  for (const char *argument : {"mean", "std"}) {
    auto count = static_cast<int64_t>(bound->reals(argument).size());
    if (bound->item(argument).value.get<List>() && count != channels) {
      engine.report(Diag::NormalizeCount, bound->span(argument), count, field.name, channels)
          .note(field.place, field.type.str());
      return false;
    }
  }
  for (double deviation : op.std)
    if (!(deviation > 0)) {
      engine.report(Diag::NotAboveZero, bound->span("std"), "`std`", deviation);
      return false;
    }
  fill.operations.push_back(std::move(op));
  return true;
}

/// What stands to the right of `|>`.
bool DataChecker::loadStep(const Expr &step, const Field &field, Fill &fill) {
  const auto *path = dynCast<PathExpr>(step);
  const auto *call = dynCast<CallExpr>(step);
  if (step.kind() == Expr::Kind::Error)
    return false;
  if ((path && path->isName("standardize")) ||
      (call && call->callee.front().text == "standardize" && call->arguments.list.empty())) {
    fill.operations.push_back({LoadOp::Kind::Standardize, 0, {}, {}, step.span});
    return true;
  }
  if (call && call->callee.front().text == "normalize")
    return normalize(call->arguments, 0, call->calleeSpan, field, fill);
  engine.report(Diag::LoadStep, step.span, session.text(step.span))
      .help("while loading there are `+ - * / **`, `normalize(mean: …, std: …)` and `standardize`");
  return false;
}

bool DataChecker::addOperation(BinaryOp op, double number, bool numberFirst, Span place,
                               const Field &field, Fill &fill) {
  LoadOp step;
  step.value = number;
  step.place = place;
  bool integers = field.type.scalar == Scalar::Class || field.type.scalar == Scalar::I32;
  if (integers && (number != std::floor(number) || op == BinaryOp::Power)) {
    engine.report(Diag::LabelArithmetic, place, field.name, field.type.str());
    return false;
  }
  switch (op) {
  case BinaryOp::Add:
    step.kind = LoadOp::Kind::Add;
    break;
  case BinaryOp::Subtract:
    step.kind = numberFirst ? LoadOp::Kind::SubtractFrom : LoadOp::Kind::Add;
    step.value = numberFirst ? number : -number;
    break;
  case BinaryOp::Multiply:
    step.kind = LoadOp::Kind::Multiply;
    break;
  case BinaryOp::Divide:
    step.kind = numberFirst ? LoadOp::Kind::DivideInto : LoadOp::Kind::Divide;
    if (!numberFirst && number == 0) {
      engine.report(Diag::DivisionByZero, place);
      return false;
    }
    break;
  case BinaryOp::Power:
    if (!numberFirst) {
      step.kind = LoadOp::Kind::Power;
      break;
    }
    [[fallthrough]];
  default:
    engine.report(Diag::LoadStep, place, session.text(place))
        .help(
            "while loading there are `+ - * / **`, `normalize(mean: …, std: …)` and `standardize`");
    return false;
  }
  fill.operations.push_back(std::move(step));
  return true;
}

bool DataChecker::loadChain(const BinaryExpr &chain, const Field &field, Fill &fill) {
  bool loaded = containsSource(*chain.first);
  std::optional<double> number;
  if (loaded) {
    if (!load(*chain.first, field, fill))
      return false;
  } else if (!(number = evaluator.number(*chain.first, "loading arithmetic"))) {
    return false;
  }
  Value left = number ? Value(*number) : Value();
  for (size_t i = 0; i < chain.rest.size(); ++i) {
    const BinaryExpr::Link &link = chain.rest[i];
    bool isSource = containsSource(*link.operand);
    if (isSource && loaded) {
      engine.report(Diag::LoadStep, link.operand->span, session.text(link.operand->span))
          .help("one field is filled from one source");
      return false;
    }
    if (isSource) {
      if (!load(*link.operand, field, fill) ||
          !addOperation(link.op, left.number(), true, chain.spanUpTo(i), field, fill))
        return false;
      loaded = true;
      continue;
    }
    std::optional<double> right = evaluator.number(*link.operand, "loading arithmetic");
    if (!right)
      return false;
    if (loaded) {
      if (!addOperation(link.op, *right, false, chain.spanUpTo(i), field, fill))
        return false;
      continue;
    }
    Span leftSpan = i ? chain.spanUpTo(i - 1) : chain.first->span;
    left = evaluator.binary(link.op, left, leftSpan, *right, link.operand->span, chain.spanUpTo(i));
    if (!left.isNumber())
      return false;
  }
  return true;
}

bool DataChecker::load(const Expr &expr, const Field &field, Fill &fill) {
  if (expr.kind() == Expr::Kind::Error)
    return false;
  if (const auto *chain = dynCast<BinaryExpr>(expr); chain && containsSource(expr))
    return loadChain(*chain, field, fill);
  if (const auto *unary = dynCast<UnaryExpr>(expr); unary && containsSource(expr))
    return load(*unary->operand, field, fill) &&
           addOperation(BinaryOp::Multiply, -1, false, expr.span, field, fill);
  if (const auto *pipe = dynCast<PipeExpr>(expr)) {
    if (!load(*pipe->input, field, fill))
      return false;
    for (const PipeExpr::Stage &stage : pipe->stages)
      if (!loadStep(*stage.function, field, fill))
        return false;
    return true;
  }
  if (const auto *call = dynCast<CallExpr>(expr)) {
    const std::string &name = call->callee.front().text;
    bool wraps = !call->arguments.list.empty() && !call->arguments.list.front().name;
    if (wraps && (name == "normalize" || name == "standardize")) {
      if (!load(*call->arguments.list.front().value, field, fill))
        return false;
      if (name == "normalize")
        return normalize(call->arguments, 1, call->calleeSpan, field, fill);
      fill.operations.push_back({LoadOp::Kind::Standardize, 0, {}, {}, call->span});
      return true;
    }
    return loadSource(*call, fill);
  }
  engine.report(Diag::NotASource, expr.span, field.name)
      .help(fmt::format("`{} = idx(\"file.gz\")`", field.name));
  return false;
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

void DataChecker::reportHeader(const FileHeader &header, const Source &source) {
  if (header.state == FileHeader::State::Missing)
    engine.report(Diag::FileMissing, source.filePlace, source.resolved);
  else
    engine.report(Diag::DataFileUnreadable, source.filePlace, source.resolved, header.problem);
}

void DataChecker::checkIdx(const Fill &fill, const Field &target, int64_t &records,
                           Span &recordsOf) {
  IdxHeader header = readIdxHeader(fill.source.resolved);
  if (header.state != FileHeader::State::Read)
    return reportHeader(header, fill.source);
  int64_t elements = 1;
  for (int64_t dim : header.dims)
    if (__builtin_mul_overflow(elements, dim, &elements))
      elements = -1;
  if (elements != target.type.elements())
    engine
        .report(Diag::RecordShape, fill.source.filePlace,
                fmt::format("[{}]", fmt::join(header.dims, ", ")), target.name, target.type.str())
        .note(target.place, "declared here");
  if (records >= 0 && records != header.records)
    engine.report(Diag::RecordCounts, fill.source.filePlace, header.records, records)
        .note(recordsOf, fmt::format("{} records", records));
  if (records < 0) {
    records = header.records;
    recordsOf = fill.source.filePlace;
  }
}

void DataChecker::checkCsv(const Fill &fill, const Field &target) {
  const Source &source = fill.source;
  const Attributes &attributes = source.attributes;
  int64_t skip = std::max<int64_t>(std::get<int64_t>(attributes.at("skip")), 0);
  CsvHeader header = readCsvHeader(source.resolved, skip,
                                   std::get<std::string>(attributes.at("separator")).front());
  auto cells = static_cast<int64_t>(header.cells.size());
  bool read = header.state == FileHeader::State::Read;
  if (!read)
    reportHeader(header, source);
  int64_t columns = -1;
  if (auto names = attributes.find("names"); names != attributes.end()) {
    const auto &wanted = std::get<std::vector<std::string>>(names->second);
    columns = static_cast<int64_t>(wanted.size());
    for (const std::string &each : wanted) {
      if (!read || std::find(header.cells.begin(), header.cells.end(), each) != header.cells.end())
        continue;
      auto report = engine.report(Diag::CsvNoSuchName, source.place, source.resolved, each);
      if (std::string help = didYouMean(each, header.cells); !help.empty())
        report.help(help);
    }
  } else {
    std::vector<int64_t> wanted;
    if (auto list = attributes.find("columns"); list != attributes.end()) {
      wanted = std::get<std::vector<int64_t>>(list->second);
      columns = static_cast<int64_t>(wanted.size());
    } else {
      wanted = {std::get<int64_t>(attributes.at("first")),
                std::get<int64_t>(attributes.at("last"))};
      if ((wanted[0] < 0) == (wanted[1] < 0))
        columns = wanted[1] - wanted[0] + 1;
      else if (read)
        columns = (wanted[1] < 0 ? wanted[1] + cells : wanted[1]) -
                  (wanted[0] < 0 ? wanted[0] + cells : wanted[0]) + 1;
    }
    for (int64_t each : wanted)
      if (read && (each >= cells || each < -cells)) {
        engine.report(Diag::CsvNoSuchColumn, source.place, source.resolved, cells, each);
        return;
      }
  }
  if (columns >= 0 && columns != target.type.elements())
    engine.report(Diag::CsvColumnCount, source.place, columns, target.name, target.type.str())
        .note(target.place, "declared here");
}

void DataChecker::checkHeaders(const std::vector<Fill> &fills) {
  int64_t records = -1;
  Span recordsOf;
  for (const Fill &fill : fills) {
    const Field &target = *field(fill.fields.front());
    std::error_code ignored;
    if (fill.source.kind == "npy" && !std::filesystem::exists(fill.source.resolved, ignored))
      reportHeader(FileHeader{}, fill.source);
    else if (fill.source.kind == "idx")
      checkIdx(fill, target, records, recordsOf);
    else if (fill.source.kind == "csv")
      checkCsv(fill, target);
  }
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

} // namespace

CheckedData checkData(Session &session, const DataDeclaration &declaration) {
  return DataChecker(session, declaration).run();
}

} // namespace sinter::semantics
