//===- Loads.cpp - what a `load` line says, held against the file where it is there ---------------===//
#include "compiler/semantics/Loads.h"
#include "compiler/semantics/Evaluator.h"
#include "compiler/semantics/Nearest.h"
#include "compiler/syntax/Printer.h"
#include "runtime/Error.h"
#include "runtime/NamePattern.h"
#include "runtime/WeightSource.h"

#include <algorithm>
#include <fmt/format.h>

namespace sinter::semantics {

using namespace syntax;

namespace {

/// The names by which PyTorch's and GPT-2's files call what has other names in a layer of ours; `{}` stands for the layer's path.
struct KnownName {
  const char *kind; ///< of the layer
  const char *name;
  std::vector<const char *> parts;
};

const std::vector<KnownName> &knownNames() {
  static const std::vector<KnownName> names = [] {
    std::vector<KnownName> all;
    for (const char *kind : {"rnn", "lstm", "gru"}) {
      all.push_back({kind, "weight_ih_l0", {"weight_ih"}});
      all.push_back({kind, "weight_hh_l0", {"weight_hh"}});
      all.push_back({kind, "bias_ih_l0", {"bias_ih"}});
      all.push_back({kind, "bias_hh_l0", {"bias_hh"}});
    }
    const std::vector<const char *> weights{"query.weight", "key.weight", "value.weight"};
    const std::vector<const char *> biases{"query.bias", "key.bias", "value.bias"};
    all.push_back({"attention", "in_proj_weight", weights});
    all.push_back({"attention", "in_proj_bias", biases});
    all.push_back({"attention", "out_proj.weight", {"output.weight"}});
    all.push_back({"attention", "out_proj.bias", {"output.bias"}});
    all.push_back({"attention", "c_attn.weight", weights});
    all.push_back({"attention", "c_attn.bias", biases});
    all.push_back({"attention", "c_proj.weight", {"output.weight"}});
    all.push_back({"attention", "c_proj.bias", {"output.bias"}});
    return all;
  }();
  return names;
}

class LoadChecker {
public:
  LoadChecker(Session &session, const LoadTarget &target, const Selector *selector,
              const WeightSource &source, const Arguments &options, Span place,
              const TrainsByName &earlier)
      : session(session), engine(session.engine), target(target), selector(selector),
        source(source), options(options), earlier(earlier) {
    load.prefix = target.prefix;
    load.place = place;
    load.sourcePlace = source.span;
  }

  std::optional<Load> run() {
    const size_t before = engine.errorCount();
    const bool chosen = choose();
    readOptions();
    if (!chosen || engine.errorCount() != before)
      return std::nullopt;
    leaveOut();
    addFileNames(target.root);
    if (source.trainBlock)
      checkBlock();
    else
      checkFile();
    if (engine.errorCount() != before || (source.trainBlock && load.block.empty()))
      return std::nullopt;
    return std::move(load);
  }

private:
  runtime::LoadRules &rules() { return load.rules; }

  std::string shown() const { return selector ? session.text(selector->span) : target.model; }

  /// What is to be loaded, and the path that names of the file may lack.
  bool choose() {
    std::optional<Selection> selection;
    if (selector) {
      selection = target.selectors.select(*selector);
      if (!selection)
        return false;
    }
    rules().whole = true;
    for (const Parameter &each : target.parameters) {
      if (selection && !selection->parameters.count(each.name))
        rules().whole = false;
      else
        rules().parameters.push_back(each.name);
    }
    if (rules().parameters.empty()) {
      engine.report(Diag::LoadNoParameters, selector ? selector->span : source.span, shown());
      return false;
    }
    if (selector)
      rules().beneath = pathOf(selector->path);
    return true;
  }

  /// P of `P.**` and of a layer P; else "".
  std::string pathOf(const SelectorPath &path) const {
    size_t count = path.steps.size();
    if (path.steps.back().kind == SelectorStep::Kind::AnyDepth)
      --count;
    std::string name;
    for (size_t i = 0; i < count; ++i) {
      if (path.steps[i].kind != SelectorStep::Kind::Name)
        return "";
      name += (i ? "." : "") + path.steps[i].names.front().text;
    }
    const auto isNamed = [&](const Parameter &each) {
      return each.name == name ||
             std::any_of(each.aliases.begin(), each.aliases.end(),
                         [&](const Alias &alias) { return alias.name == name; });
    };
    const bool isParameter =
        std::any_of(target.parameters.begin(), target.parameters.end(), isNamed);
    return isParameter || name == "weights" || name.ends_with(".weights") ? "" : name;
  }

  //===-- Options

  void readOptions() {
    const std::vector<std::string> known{"strip", "rename", "transpose", "except"};
    for (const Argument &option : options.list) {
      if (!option.name) {
        engine.report(Diag::LoadOptionName, option.span).help("`strip: \"…\"`, for one");
      } else if (option.name.text == "strip") {
        readStrip(*option.value);
      } else if (option.name.text == "rename") {
        readRename(*option.value);
      } else if (option.name.text == "transpose") {
        for (const Selector *each : selectorsOf(*option.value))
          readTranspose(*each);
      } else if (option.name.text == "except") {
        for (const Selector *each : selectorsOf(*option.value))
          rules().except.push_back(print(*each));
      } else {
        auto report = engine.report(Diag::UnknownArgument, option.name.span,
                                    selector ? "load" : "teacher", option.name.text);
        std::string help = didYouMean(option.name.text, known);
        report.help(help.empty() ? "there is " + alternatives(known) : help);
      }
    }
  }

  void readStrip(const Expr &value) {
    Evaluator evaluator(session);
    std::optional<std::string> text = evaluator.string(value, "`strip`");
    if (text && text->empty())
      engine.report(Diag::LoadEmptyName, value.span, "strip");
    rules().strip = text.value_or("");
  }

  void readRename(const Expr &value) {
    const auto *map = dynCast<MapExpr>(value);
    if (!map) {
      if (value.kind() != Expr::Kind::Error)
        engine.report(Diag::RenameMap, value.span).help("`rename: {\"fc\": \"head\"}`");
      return;
    }
    std::map<std::string, Span> seen;
    for (const MapExpr::Entry &entry : map->entries) {
      // `{"fc.": "head."}` says the same as `{"fc": "head"}`.
      std::string from = entry.key, to = entry.value;
      if (from.ends_with('.'))
        from.pop_back();
      if (to.ends_with('.'))
        to.pop_back();
      if (from.empty()) {
        engine.report(Diag::LoadEmptyName, entry.keySpan, "rename");
        continue;
      }
      if (auto [first, fresh] = seen.emplace(from, entry.keySpan); !fresh)
        engine.report(Diag::RenameTwice, entry.keySpan, from).note(first->second, "first here");
      rules().rename.emplace_back(std::move(from), std::move(to));
    }
  }

  static std::vector<const Selector *> selectorsOf(const Expr &value) {
    std::vector<const Selector *> all;
    const auto add = [&](const Expr &expr) {
      if (const auto *one = dynCast<SelectorExpr>(expr); one && one->selector.present())
        all.push_back(&one->selector);
    };
    add(value);
    if (const auto *list = dynCast<ListExpr>(value))
      for (const ExprPtr &each : list->elements)
        add(*each);
    return all;
  }

  void readTranspose(const Selector &which) {
    const std::optional<Selection> selection = target.selectors.select(which);
    if (!selection)
      return;
    const Parameter *vector = nullptr;
    bool any = false;
    for (const Parameter &each : target.parameters) {
      if (!selection->parameters.count(each.name))
        continue;
      if (each.type.rank() < 2) {
        vector = &each;
        continue;
      }
      any = true;
      if (std::find(rules().transposed.begin(), rules().transposed.end(), each.name) ==
          rules().transposed.end())
        rules().transposed.push_back(each.name);
    }
    if (any)
      return;
    auto report = engine.report(Diag::TransposeNoMatrix, which.span, session.text(which.span));
    if (vector)
      report.label(vector->type.str()).note(vector->place, "declared here");
  }

  /// Parameters that `except` leaves out: by their own names, and by those a file has beneath P.
  void leaveOut() {
    std::vector<runtime::NamePattern> patterns(rules().except.begin(), rules().except.end());
    const auto isLeft = [&](const Parameter &parameter) {
      const size_t rank = isKernel(parameter) ? 2 : 1; // what `weights` goes by
      const auto named = [&](const std::string &name) {
        const std::string beneath = rules().beneath + ".";
        return std::any_of(patterns.begin(), patterns.end(), [&](const auto &pattern) {
          return pattern.matches(name, rank) ||
                 (beneath.size() > 1 && name.starts_with(beneath) &&
                  pattern.matches(name.substr(beneath.size()), rank));
        });
      };
      return named(parameter.name) ||
             std::any_of(parameter.aliases.begin(), parameter.aliases.end(),
                         [&](const Alias &alias) { return named(alias.name); });
    };
    if (patterns.empty())
      return;
    std::vector<std::string> kept;
    for (const Parameter &each : target.parameters)
      if (std::find(rules().parameters.begin(), rules().parameters.end(), each.name) !=
          rules().parameters.end())
        (isLeft(each) ? rules().left : kept).push_back(each.name);
    rules().parameters = std::move(kept);
  }

  bool has(const std::string &name) const {
    return std::any_of(target.parameters.begin(), target.parameters.end(),
                       [&](const Parameter &each) {
                         return each.name == name ||
                                std::any_of(each.aliases.begin(), each.aliases.end(),
                                            [&](const Alias &alias) { return alias.name == name; });
                       });
  }

  void addFileNames(const Instance &instance) {
    for (const KnownName &known : knownNames()) {
      if (instance.kind != known.kind)
        continue;
      const auto path = [&](const char *last) {
        return instance.pathOf(last).substr(target.prefix.size());
      };
      runtime::FileName name{path(known.name), {}};
      for (const char *part : known.parts)
        name.parts.push_back(path(part));
      if (std::all_of(name.parts.begin(), name.parts.end(),
                      [&](const std::string &part) { return has(part); }))
        rules().fileNames.push_back(std::move(name));
    }
    for (const auto &[name, child] : instance.children)
      addFileNames(*child);
  }

  //===-- What is there to load from

  std::vector<runtime::Target> targets() const {
    std::vector<runtime::Target> all;
    for (const Parameter &each : target.parameters) {
      runtime::Target made{each.name, each.type.dims, {}};
      for (const Alias &alias : each.aliases)
        made.aliases.push_back({alias.name, alias.transposed});
      all.push_back(std::move(made));
    }
    return all;
  }

  void checkBlock() {
    const auto found = earlier.find(source.trainBlock.text);
    if (found == earlier.end())
      return; // unknown, in a circle or wrong itself: reported
    load.block = found->first;
    runtime::TensorTable table;
    const auto add = [&](const Parameter &each) {
      table[each.name] = {each.type.dims, "F32", "", false};
      for (const Alias &alias : each.aliases)
        table[alias.name] = {alias.transposed ? runtime::swapped(each.type.dims) : each.type.dims,
                             "F32", each.name, alias.transposed};
    };
    for (const Parameter &each : found->second.parameters)
      add(each);
    for (const Teacher &teacher : found->second.teachers)
      for (const Parameter &each : teacher.parameters)
        add(each);
    compare(table, fmt::format("train {}", load.block), nullptr);
  }

  void checkFile() {
    load.file = source.file;
    load.resolved = session.sources.resolve(source.span.file, source.file).string();
    if (load.file.empty()) {
      engine.report(Diag::LoadEmptyName, source.span, "from");
      return;
    }
    if (!session.options.readHeaders)
      return;
    if (!runtime::weightsExist(load.resolved)) {
      engine.report(Diag::FileMissing, source.span, load.resolved);
      return;
    }
    try {
      const auto file = runtime::openWeights(load.resolved);
      compare(file->tensors(), source.file, file.get());
    } catch (const runtime::Error &error) {
      engine.report(Diag::WeightsUnreadable, source.span, error.what());
    }
  }

  /// `file`: what the tensors can be read from; may be null.
  void compare(const runtime::TensorTable &table, const std::string &name,
               const runtime::WeightSource *file) {
    const std::vector<runtime::Target> all = targets();
    runtime::LoadPlan plan = runtime::planLoad(rules(), table, all);
    if (plan.problems.empty() && file)
      plan.problems = runtime::differences(plan, *file, all);
    if (!plan.problems.empty()) {
      auto report = engine.report(Diag::LoadDoesNotFit, load.place, name, shown());
      for (const std::string &problem : plan.problems)
        report.note(Span{}, problem);
      if (!plan.help.empty())
        report.help(plan.help);
    } else if (!plan.leftOver.empty()) {
      auto report =
          engine.report(Diag::LoadLeftOver, source.span, counted(plan.leftOver.size(), "tensor"),
                        name, plan.leftOver.size() == 1 ? "belongs" : "belong");
      for (const std::string &each : plan.leftOver)
        report.note(Span{}, fmt::format("`{}`", each));
    }
  }

  Session &session;
  Engine &engine;
  const LoadTarget &target;
  const Selector *selector;
  const WeightSource &source;
  const Arguments &options;
  const TrainsByName &earlier;
  Load load;
};

} // namespace

std::optional<Load> checkLoad(Session &session, const LoadTarget &target, const Selector *selector,
                              const WeightSource &source, const Arguments &options, Span place,
                              const TrainsByName &earlier) {
  return LoadChecker(session, target, selector, source, options, place, earlier).run();
}

} // namespace sinter::semantics
