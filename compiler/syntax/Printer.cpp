#include "compiler/syntax/Printer.h"

#include "compiler/syntax/Lexer.h"

#include <fmt/format.h>

namespace sinter::syntax {
namespace {

/// How tightly an expression binds, loosest first; an operand looser than its place wants takes
/// parentheses.
enum class Level { If, Pipe, Or, And, Not, Comparison, Sum, Product, Unary, Power, Postfix };

Level levelOf(BinaryOp op) {
  switch (op) {
  case BinaryOp::Or:
    return Level::Or;
  case BinaryOp::And:
    return Level::And;
  case BinaryOp::Add:
  case BinaryOp::Subtract:
    return Level::Sum;
  case BinaryOp::Multiply:
  case BinaryOp::Divide:
  case BinaryOp::MatMul:
    return Level::Product;
  case BinaryOp::Power:
    return Level::Power;
  default:
    return Level::Comparison;
  }
}

Level tighter(Level level) { return static_cast<Level>(static_cast<int>(level) + 1); }

Level levelOf(const Expr &expr) {
  if (dynCast<IfExpr>(expr))
    return Level::If;
  if (dynCast<PipeExpr>(expr))
    return Level::Pipe;
  if (const auto *binary = dynCast<BinaryExpr>(expr))
    return levelOf(binary->rest.front().op);
  if (const auto *unary = dynCast<UnaryExpr>(expr))
    return unary->op == UnaryOp::Not ? Level::Not : Level::Unary;
  return Level::Postfix;
}

template <typename List, typename Print> std::string joined(const List &list, Print printOne) {
  std::string text;
  for (const auto &element : list)
    text += (text.empty() ? "" : ", ") + printOne(element);
  return text;
}

std::string dotted(const std::vector<Name> &names) {
  std::string text;
  for (const Name &name : names)
    text += (text.empty() ? "" : ".") + name.text;
  return text;
}

std::string printReal(double value) {
  std::string text = fmt::format("{}", value);
  // 1.0, not 1, which would be an integer
  if (text.find_first_of(".e") == std::string::npos)
    text += ".0";
  return text;
}

std::string printArguments(const Arguments &arguments, char opener, char closer) {
  if (!arguments.present)
    return {};
  return opener +
         joined(arguments.list,
                [](const Argument &argument) {
                  return (argument.name ? argument.name.text + ": " : "") + print(*argument.value);
                }) +
         closer;
}

std::string printAt(const Expr &expr, Level wanted) {
  return levelOf(expr) < wanted ? "(" + print(expr) + ")" : print(expr);
}

std::string printBinary(const BinaryExpr &binary) {
  const Level level = levelOf(binary.rest.front().op);
  std::string text = printAt(*binary.first, tighter(level));
  for (const BinaryExpr::Link &link : binary.rest)
    text +=
        fmt::format(" {} {}", spelling(link.op),
                    printAt(*link.operand, level == Level::Power ? Level::Unary : tighter(level)));
  return text;
}

std::string printPipe(const PipeExpr &pipe) {
  std::string text = printAt(*pipe.input, Level::Or);
  if (pipe.inputName)
    text += " as " + pipe.inputName.text;
  for (const PipeExpr::Stage &stage : pipe.stages)
    text += " |> " + print(*stage.function) + (stage.name ? " as " + stage.name.text : "");
  return text;
}

std::string printStack(const StackExpr &stack) {
  return fmt::format("stack({}, {}{}{})", print(*stack.count),
                     stack.index ? stack.index.text + " => " : "", print(*stack.layer),
                     stack.shared ? ", shared: " + print(*stack.shared) : "");
}

std::string printPath(const SelectorPath &path) {
  std::string text;
  for (const SelectorStep &step : path.steps) {
    if (!text.empty())
      text += '.';
    switch (step.kind) {
    case SelectorStep::Kind::Name:
      text += step.names.front().text;
      break;
    case SelectorStep::Kind::Any:
      text += '*';
      break;
    case SelectorStep::Kind::AnyDepth:
      text += "**";
      break;
    case SelectorStep::Kind::Set:
      text += "{" + joined(step.names, [](const Name &name) { return name.text; }) + "}";
      break;
    }
  }
  return text;
}

std::string printModelReference(const ModelReference &model) {
  return model.name.text + printArguments(model.parameters, '[', ']');
}

std::string printSource(const WeightSource &source) {
  return source.trainBlock ? "from train " + source.trainBlock.text
                           : "from " + quoteString(source.file);
}

std::string printMeasure(const Measure &measure) {
  return fmt::format("{}.{}", spelling(measure.part), measure.metric.text);
}

/// Statements and declarations, each at its indentation and with its newline.
class StatementPrinter {
public:
  std::string text;

  void line(std::string_view content) {
    text += fmt::format("{:{}}{}\n", "", 2 * indentation, content);
  }
  template <typename Body> void block(std::string_view header, Body body) {
    line(fmt::format("{} {{", header));
    ++indentation;
    body();
    --indentation;
    line("}");
  }

  void operator()(const LetStatement &let) {
    line(fmt::format("let {} = {}", let.name.text, print(*let.value)));
  }

  //===-- Data --===//
  void operator()(const FieldStatement &field) {
    line(fmt::format("{}: {}", field.name.text, print(field.type)));
  }
  void operator()(const PartStatement &part) {
    block(spelling(part.part), [&] {
      for (const Fill &fill : part.fills) {
        const std::string names = joined(fill.names, [](const Name &name) { return name.text; });
        line((names.empty() ? "" : names + " = ") + print(*fill.value));
      }
    });
  }
  void operator()(const SplitStatement &split) {
    line("split " + joined(split.shares, [](const ExprPtr &share) { return print(*share); }) +
         (split.options.present ? " " + printArguments(split.options, '(', ')') : ""));
  }
  void operator()(const KeepStatement &keep) { line("keep where " + print(*keep.condition)); }
  void operator()(const TakeStatement &take) { line("take " + print(*take.count)); }
  void operator()(const AugmentStatement &augment) {
    const std::string fields = joined(augment.fields, [](const Name &name) { return name.text; });
    block(fields.empty() ? "augment" : "augment " + fields, [&] {
      for (const ExprPtr &step : augment.steps)
        line(print(*step));
    });
  }

  //===-- Models --===//
  void operator()(const ParamStatement &param) {
    line(fmt::format("param {}: {} = {}", param.name.text, print(param.type),
                     print(*param.initializer)));
  }
  void operator()(const BufferStatement &buffer) {
    line(fmt::format("buffer {}: {} = {}", buffer.name.text, print(buffer.type),
                     print(*buffer.value)));
  }
  void operator()(const UpdateStatement &update) {
    line(fmt::format("update {} = {}", update.name.text, print(*update.value)));
  }
  void operator()(const LayerStatement &layer) {
    line(fmt::format("layer {} = {}", layer.name.text, print(*layer.layer)));
  }

  //===-- Training --===//
  void operator()(const SeedStatement &seed) { line("seed " + print(*seed.value)); }
  void operator()(const ObjectiveStatement &objective) {
    line("objective " + print(*objective.value));
  }
  void operator()(const RegularizeStatement &regularize) {
    std::string terms;
    for (const ExprPtr &term : regularize.terms)
      terms += (terms.empty() ? "" : " + ") + print(*term);
    line(fmt::format("regularize {} with {}",
                     regularize.value ? "value " + print(*regularize.value)
                                      : print(regularize.selector),
                     terms));
  }
  void operator()(const ConstrainStatement &constrain) {
    line(
        fmt::format("constrain {} to {}", print(constrain.selector), print(*constrain.constraint)));
  }
  void operator()(const RecomputeStatement &recompute) {
    line("recompute " + print(recompute.selector));
  }
  void operator()(const FreezeStatement &freeze) {
    line((freeze.unfreeze ? "unfreeze " : "freeze ") + print(freeze.selector));
  }
  void operator()(const TeacherStatement &teacher) {
    const std::string arguments = printArguments(teacher.arguments, '(', ')');
    if (teacher.isAverage)
      return line(fmt::format("teacher {} = ema{}", teacher.name.text, arguments));
    line(fmt::format("teacher {} = {} {}{}{}", teacher.name.text,
                     printModelReference(teacher.model), printSource(teacher.source),
                     arguments.empty() ? "" : " ", arguments));
  }
  void operator()(const ShareStatement &share) {
    line(fmt::format("share {}{} with {}", share.copy ? "copy " : "", print(share.selector),
                     printPath(share.with)));
  }
  void operator()(const LoadStatement &load) {
    line(fmt::format("load {} {}{}{}", print(load.selector), printSource(load.source),
                     load.options.present ? " " : "", printArguments(load.options, '(', ')')));
  }
  void operator()(const OptimizeStatement &optimize) {
    line(fmt::format("optimize {}{}",
                     optimize.selector.present() ? print(optimize.selector) + " with " : "",
                     print(*optimize.optimizer)));
  }
  void operator()(const RateStatement &rate) {
    line(fmt::format("rate {} = {}", print(rate.selector), print(*rate.value)));
  }
  void operator()(const ClipStatement &clip) {
    line((clip.byNorm ? "clip norm " : "clip value ") + print(*clip.limit));
  }
  void operator()(const BatchStatement &batch) {
    line(fmt::format("batch {}{}{}", print(*batch.size), batch.dropLast ? " drop last" : "",
                     batch.sequential ? " order sequential" : ""));
  }
  void operator()(const AccumulateStatement &accumulate) {
    line("accumulate " + print(*accumulate.count));
  }
  void operator()(const LengthStatement &length) {
    line((length.unit == TimeUnit::Epochs ? "epochs " : "steps ") + print(*length.count));
  }
  void operator()(const PrecisionStatement &precision) {
    line(fmt::format("precision {}", spelling(precision.scalar)));
  }
  void operator()(const ReportStatement &report) {
    // A pipe whose last stage is named would give its `as` to the report.
    line(fmt::format("report {}{}{}",
                     printAt(*report.value, hasAs(*report.value) ? Level::Postfix : Level::If),
                     report.name ? " as " + report.name.text : "",
                     report.every ? " every " + print(*report.every) + " steps" : ""));
  }
  void operator()(const StopStatement &stop) {
    line(fmt::format("stop when {} has not improved for {} epochs", printMeasure(stop.measure),
                     print(*stop.patience)));
  }
  void operator()(const KeepBestStatement &keep) {
    line("keep best " + printMeasure(keep.measure));
  }

  //===-- Declarations --===//
  void operator()(const ImportDeclaration &import) { line("import " + quoteString(import.path)); }
  void operator()(const ConstDeclaration &constant) {
    line(fmt::format("const {} = {}", constant.name.text, print(*constant.value)));
  }
  void operator()(const DataDeclaration &data) {
    block("data " + data.name.text, [&] { all(data.statements); });
  }
  void operator()(const ModelDeclaration &model) {
    std::string header = "model " + model.name.text;
    if (!model.parameters.empty())
      header +=
          "[" +
          joined(model.parameters,
                 [](const ModelParameter &parameter) {
                   return parameter.name.text +
                          (parameter.defaultValue ? " = " + print(*parameter.defaultValue) : "");
                 }) +
          "]";
    header +=
        "(" +
        joined(model.inputs,
               [](const ModelInput &input) { return input.name.text + ": " + print(input.type); }) +
        ")";
    if (model.hasResultType)
      header += " -> " + print(model.resultType);
    block(header, [&] {
      all(model.statements);
      const std::string result = print(*model.result);
      // A line that begins with minus would go on with the one before it.
      line(result.starts_with('-') ? "(" + result + ")" : result);
    });
  }
  void operator()(const TrainDeclaration &train) {
    block(fmt::format("train {}{} on {}", train.name ? train.name.text + ": " : "",
                      printModelReference(train.model), train.data.text),
          [&] {
            all(train.statements);
            for (const Stage &stage : train.stages)
              block("stage " + stage.name.text, [&] { all(stage.statements); });
          });
  }

private:
  template <typename Statement> void all(const std::vector<Statement> &statements) {
    for (const Statement &statement : statements)
      std::visit(*this, statement);
  }
  static bool hasAs(const Expr &expr) {
    const auto *pipe = dynCast<PipeExpr>(expr);
    if (!pipe)
      return dynCast<IfExpr>(expr) != nullptr;
    bool named = pipe->inputName.present();
    for (const PipeExpr::Stage &stage : pipe->stages)
      named |= stage.name.present();
    return named;
  }

  int indentation = 0;
};

} // namespace

std::string print(const Selector &selector) {
  return printPath(selector.path) +
         (selector.except.steps.empty() ? "" : " except " + printPath(selector.except));
}

std::string print(const TensorType &type) {
  std::string text(spelling(type.scalar));
  if (type.classCount)
    text += "[" + print(*type.classCount) + "]";
  if (!type.dims.empty())
    text += "[" + joined(type.dims, [](const ExprPtr &dim) { return print(*dim); }) + "]";
  return text;
}

std::string print(const Type &type) {
  if (!type.isRecord())
    return print(type.tensor());
  return "{" +
         joined(
             type.fields(),
             [](const Type::Field &field) { return field.name.text + ": " + print(field.type); }) +
         "}";
}

std::string print(const Expr &expr) {
  switch (expr.kind()) {
  case Expr::Kind::Error:
    return "error";
  case Expr::Kind::Integer:
    return std::to_string(expr.as<IntegerExpr>().value);
  case Expr::Kind::Real:
    return printReal(expr.as<RealExpr>().value);
  case Expr::Kind::String:
    return quoteString(expr.as<StringExpr>().value);
  case Expr::Kind::Boolean:
    return expr.as<BooleanExpr>().value ? "true" : "false";
  case Expr::Kind::Open:
    return "_";
  case Expr::Kind::Path:
    return dotted(expr.as<PathExpr>().names);
  case Expr::Kind::Call: {
    const auto &call = expr.as<CallExpr>();
    return dotted(call.callee) + printArguments(call.parameters, '[', ']') +
           printArguments(call.arguments, '(', ')');
  }
  case Expr::Kind::Stack:
    return printStack(expr.as<StackExpr>());
  case Expr::Kind::Member: {
    const auto &member = expr.as<MemberExpr>();
    // A path or a member in parentheses is another tree than a longer path.
    const bool bare = dynCast<CallExpr>(member.base) || dynCast<StackExpr>(member.base);
    return (bare ? print(*member.base) : "(" + print(*member.base) + ")") + "." +
           dotted(member.names);
  }
  case Expr::Kind::List:
    return "[" +
           joined(expr.as<ListExpr>().elements,
                  [](const ExprPtr &element) { return print(*element); }) +
           "]";
  case Expr::Kind::Record:
    return "{" +
           joined(expr.as<RecordExpr>().fields,
                  [](const RecordExpr::Field &field) {
                    return field.name.text + ": " + print(*field.value);
                  }) +
           "}";
  case Expr::Kind::Map:
    return "{" +
           joined(expr.as<MapExpr>().entries,
                  [](const MapExpr::Entry &entry) {
                    return quoteString(entry.key) + ": " + quoteString(entry.value);
                  }) +
           "}";
  case Expr::Kind::Range: {
    const auto &range = expr.as<RangeExpr>();
    return printAt(*range.first, Level::Pipe) + ".." + print(*range.last);
  }
  case Expr::Kind::Count: {
    const auto &count = expr.as<CountExpr>();
    return print(*count.number) + (count.unit == TimeUnit::Epochs ? " epochs" : " steps");
  }
  case Expr::Kind::Selector:
    return print(expr.as<SelectorExpr>().selector);
  case Expr::Kind::Unary: {
    const auto &unary = expr.as<UnaryExpr>();
    return unary.op == UnaryOp::Not ? "not " + printAt(*unary.operand, Level::Not)
                                    : "-" + printAt(*unary.operand, Level::Unary);
  }
  case Expr::Kind::Binary:
    return printBinary(expr.as<BinaryExpr>());
  case Expr::Kind::If: {
    const auto &branch = expr.as<IfExpr>();
    return fmt::format("if {} then {} else {}", print(*branch.condition), print(*branch.thenBranch),
                       print(*branch.elseBranch));
  }
  case Expr::Kind::Pipe:
    return printPipe(expr.as<PipeExpr>());
  }
  return {};
}

std::string print(const Declaration &declaration) {
  StatementPrinter printer;
  std::visit(printer, declaration);
  return printer.text;
}

std::string print(const File &file) {
  std::string text;
  for (const Declaration &declaration : file.declarations)
    text += (text.empty() ? "" : "\n") + print(declaration);
  return text;
}

} // namespace sinter::syntax
