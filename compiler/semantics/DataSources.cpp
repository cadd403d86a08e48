//===- DataSources.cpp - where records come from ----------------------------------------------===//
#include "compiler/semantics/DataBlock.h"
#include "compiler/semantics/Nearest.h"

#include <algorithm>
#include <fmt/format.h>

namespace sinter::semantics {

using namespace syntax;

static const std::vector<SourceEntry> &sourceTable() {
  static const std::vector<SourceEntry> table = {
      {Signature::parse("idx", "file: string"), {}},
      {Signature::parse("csv", "file: string, column?: columns, columns?: columns, skip?: natural, "
                               "separator?: string"),
       {}},
      {Signature::parse("npy", "file: string"), {}},
      {Signature::parse("npz", "file: string, key: string"), {}},
      {Signature::parse("safetensors", "file: string, key: string"), {}},
      {Signature::parse("cifar", "file...: string"), {"image", "label"}},
      {Signature::parse("images", "folder: string, size?: pair"), {"image", "label"}},
      {Signature::parse("text", "file: string, window: count"), {"tokens", "next"}},
      {Signature::parse("synthetic", "count: size"), {}},
  };
  return table;
}

const SourceEntry *findSource(const std::string &name) {
  for (const SourceEntry &each : sourceTable())
    if (each.signature.name == name)
      return &each;
  return nullptr;
}

const CallExpr *sourceCall(const Expr &expr) {
  switch (expr.kind()) {
  case Expr::Kind::Call: {
    const auto &call = expr.as<CallExpr>();
    if (findSource(call.callee.front().text))
      return &call;
    for (const Argument &argument : call.arguments.list)
      if (const CallExpr *inner = sourceCall(*argument.value))
        return inner;
    return nullptr;
  }
  case Expr::Kind::Pipe:
    return sourceCall(*expr.as<PipeExpr>().input);
  case Expr::Kind::Unary:
    return sourceCall(*expr.as<UnaryExpr>().operand);
  case Expr::Kind::Binary: {
    const auto &chain = expr.as<BinaryExpr>();
    if (const CallExpr *inner = sourceCall(*chain.first))
      return inner;
    for (const BinaryExpr::Link &link : chain.rest)
      if (const CallExpr *inner = sourceCall(*link.operand))
        return inner;
    return nullptr;
  }
  default:
    return nullptr;
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

/// The files of a source, in the folder of the spec that names them.
bool DataChecker::loadFiles(const BoundArguments &bound, const char *argument, Source &source) {
  const Value &value = bound.item(argument).value;
  std::vector<std::string> files;
  if (const std::string *one = value.get<std::string>())
    files = {*one};
  else if (const List *list = value.get<List>())
    for (const Value &each : *list)
      files.push_back(*each.get<std::string>());
  source.filePlace = bound.span(argument);
  if (files.empty()) {
    engine.report(Diag::MissingArgument, bound.nameSpan, source.kind, argument)
        .help(fmt::format("it is `{}`", findSource(source.kind)->signature.usage()));
    return false;
  }
  const auto resolve = [&](const std::string &file) {
    return session.sources.resolve(bound.place.file, file).string();
  };
  source.file = files.front();
  source.resolved = resolve(files.front());
  for (size_t i = 1; i < files.size(); ++i)
    source.moreFiles.push_back(resolve(files[i]));
  return true;
}

bool DataChecker::refuseType(const Field &target, const Source &source, const std::string &wanted,
                             const std::string &right) {
  engine
      .report(Diag::SourceFieldType, source.place, source.kind,
              std::get<std::string>(source.attributes.at("part")), wanted, target.type.str())
      .note(target.place, "declared here")
      .help(fmt::format("`{}: {}`", target.name, right));
  return false;
}

/// Which of the things that the source gives this field is, and whether it can take it.
bool DataChecker::loadPart(const SourceEntry &entry, const Field &target,
                           const BoundArguments &bound, Source &source) {
  const Type &type = target.type;
  const bool label = type.scalar == Scalar::Class || type.scalar == Scalar::I32;
  std::string part = entry.parts[source.kind != "text" && label && type.dims.empty() ? 1 : 0];
  for (const std::string &own : entry.parts)
    if (own == target.name)
      part = own;
  source.attributes["part"] = part;
  if (source.kind == "text") {
    const int64_t window = bound.integer("window");
    source.attributes["window"] = window;
    if (!label || type.dims != std::vector<int64_t>{window})
      return refuseType(target, source,
                        fmt::format("`class[N][{0}]` or `i32[{0}]`, one id for each character of a "
                                    "window",
                                    window),
                        fmt::format("class[{}][{}]", type.classes ? type.classes : 64, window));
    return true;
  }
  if (part == "label")
    return type.elements() == 1 && type.scalar != Scalar::Bool
               ? true
               : refuseType(target, source, "one number, as in `class[10]`",
                            fmt::format("class[{}]", type.classes ? type.classes : 10));
  if (type.scalar == Scalar::Class || type.scalar == Scalar::Bool)
    return refuseType(target, source, "numbers from 0 to 255, as in `f32[3, 32, 32]`",
                      "f32[3, 32, 32]");
  if (source.kind == "cifar") {
    constexpr int64_t numbers = 3 * 32 * 32;
    return type.elements() == numbers
               ? true
               : refuseType(target, source, "`f32[3, 32, 32]`", "f32[3, 32, 32]");
  }
  if (type.rank() != 3 || (type.dims[0] != 1 && type.dims[0] != 3))
    return refuseType(target, source, "`f32[3, H, W]`, or `f32[1, H, W]` for grey images",
                      "f32[3, 64, 64]");
  if (bound.given("size")) {
    const std::vector<int64_t> size = bound.pair("size");
    if (size[0] != type.dims[1] || size[1] != type.dims[2])
      return refuseType(target, source,
                        fmt::format("`f32[{}, {}, {}]`", type.dims[0], size[0], size[1]),
                        fmt::format("f32[{}, {}, {}]", type.dims[0], size[0], size[1]));
  }
  source.attributes["resize"] = bound.given("size");
  return true;
}

bool DataChecker::loadSource(const CallExpr &call, const Field *target, Fill &fill) {
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
  if (!loadFiles(*bound, source.kind == "images" ? "folder" : "file", source))
    return false;
  if (entry->signature.find("key"))
    source.attributes["key"] = bound->string("key");
  if (!entry->parts.empty())
    return !target || checked.poisoned.count(target->name) ||
           loadPart(*entry, *target, *bound, source);
  if (source.kind != "csv")
    return true;
  source.attributes["skip"] = bound->given("skip") ? bound->integer("skip") : int64_t{-1};
  std::string separator = bound->given("separator") ? bound->string("separator") : ",";
  if (separator.size() != 1) {
    engine.report(Diag::Separator, bound->span("separator"), separator).help("`separator: \";\"`");
    return false;
  }
  source.attributes["separator"] = separator;
  return loadColumns(*bound, source);
}

} // namespace sinter::semantics
